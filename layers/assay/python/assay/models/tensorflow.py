"""SavedModels through TensorFlow, which is imported only when a bundle of that format is loaded."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import BundleInvalid, RuntimeMissing
from assay.models.graph_operations import find_forbidden
from assay.models.manifest import Manifest

_SIGNATURE = "serving_default"


class TensorFlowRunner:
    """The serving signature of a SavedModel, one run at a time."""

    def __init__(self, tensorflow: Any, model: Any, output: str) -> None:
        self._constant = tensorflow.constant
        self._model = model  # the signature holds it weakly
        self._signature = model.signatures[_SIGNATURE]
        self._output = output
        self._lock = threading.Lock()

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return the first output for one set of inputs, named as the manifest names them."""
        with self._lock:
            results = self._signature(**{name: self._constant(array) for name, array in inputs.items()})
        return np.asarray(results[self._output], np.float32)


def load_saved_model(folder: Path, manifest: Manifest, threads: int) -> TensorFlowRunner:
    """Load a SavedModel that only computes.

    Raises BundleInvalid for a graph with other operations, before TensorFlow is imported, and where its signature is
    not the manifest's; RuntimeMissing without TensorFlow.
    """
    saved = (folder / manifest.model_path).parent
    _require_computing(saved)
    tensorflow = _tensorflow(threads)
    try:
        model = tensorflow.saved_model.load(str(saved))
        signature = model.signatures[_SIGNATURE]
    except (OSError, ValueError, KeyError, tensorflow.errors.OpError) as error:
        raise BundleInvalid(f"the SavedModel does not load with signature {_SIGNATURE}: {error}") from error
    return TensorFlowRunner(tensorflow, model, _require_output(manifest, signature))


def _require_computing(saved: Path) -> None:
    try:
        forbidden = find_forbidden(saved)
    except (OSError, ValueError) as error:
        raise BundleInvalid(f"the SavedModel's graph cannot be read: {error}") from error
    if forbidden:
        raise BundleInvalid(f"the SavedModel's graph does more than compute: it has {', '.join(forbidden[:5])}")


def _tensorflow(threads: int) -> Any:
    try:
        import tensorflow
    except ImportError as error:
        message = "format saved_model needs tensorflow, which is not installed here: convert the model to tflite"
        raise RuntimeMissing(message) from error
    with suppress(RuntimeError):  # TensorFlow has started already, with the threads of its first user
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    return tensorflow


def _require_output(manifest: Manifest, signature: Any) -> str:
    found = {name: spec.dtype.name for name, spec in signature.structured_input_signature[1].items()}
    wanted = {tensor.name: tensor.dtype for tensor in manifest.inputs}
    if found != wanted:
        raise BundleInvalid(f"the signature's inputs are {found}, the manifest's {wanted}")
    outputs = list(signature.structured_outputs)
    return manifest.outputs[0].name if manifest.outputs[0].name in outputs else str(outputs[0])
