"""An encoder's files in a bundle: TensorFlow Lite, or a SavedModel where it has no such form."""

import tempfile
from pathlib import Path

from tools.models.convert import save, to_tflite
from tools.models.encoder import Encoder
from tools.models.importers.serving import Form, missing


def write_encoder(encoder: Encoder, folder: Path, *, int8: bool) -> tuple[Form, list[str]]:
    """Write model.tflite, or the SavedModel, and return which, with what to report."""
    with tempfile.TemporaryDirectory() as scratch:
        save(encoder, Path(scratch))
        try:
            (folder / "model.tflite").write_bytes(to_tflite(Path(scratch), int8=int8))
        except Exception as error:  # the converter raises whatever its passes met
            save(encoder, folder / "saved")
            (folder / "saved" / "fingerprint.pb").unlink(missing_ok=True)
            return "saved_model", [f"served by TensorFlow, for it has no TensorFlow Lite form: {missing(error)}"]
    return "tflite", ["weights as int8, computed in float32" if int8 else "weights as float32"]
