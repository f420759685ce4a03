"""The network of `benchmarks.scibert` in each contestant's form: `python -m benchmarks.peers.forms FOLDER`.

Bundles of Assay (int8, float32), the weights for transformers' models, and ONNX: as exported, fused by ONNX Runtime's
optimiser for BERT, and the fused one with int8 weights (dynamic quantisation). What is there already is kept; a form
whose library is missing is left out.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scibert
from benchmarks.peers.transformers_models import WEIGHTS, torch_model


def bundles(folder: Path) -> None:
    """Write the bundles of Assay."""
    if not (folder / "scibert-litert/1/manifest.json").exists():
        scibert.main(folder)
    target = folder / "scibert-float32/1"
    if not (target / "manifest.json").exists():
        from tools.models.encoder import encoder_to_tflite

        target.mkdir(parents=True, exist_ok=True)
        saved = folder / "scibert-savedmodel/1/saved_model"
        (target / "model.tflite").write_bytes(encoder_to_tflite(saved, int8=False))
        scibert.write(target, "scibert-float32", "tflite")


def write_weights(folder: Path) -> None:
    """Write the weights under their canonical names."""
    if not (folder / WEIGHTS).exists():
        np.savez(folder / WEIGHTS, **scibert.random_weights())  # type: ignore[arg-type]


def plain(folder: Path) -> None:
    """Export the network from PyTorch."""
    path = folder / "onnx/plain.onnx"
    if path.exists():
        return
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    model = torch_model(folder)
    model.set_attn_implementation("eager")
    ones = torch.ones((2, 16), dtype=torch.int64)
    free = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        _Logits(model),
        (ones, ones),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": free, "attention_mask": free, "logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )


def _Logits(model: Any) -> Any:  # noqa: N802  a class that needs torch to be there
    import torch

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any, mask: Any) -> Any:
            return self.model(ids, attention_mask=mask).logits

    return Logits().eval()


def fuse(folder: Path) -> None:
    """Fuse attention, GELU and layer norms with ONNX Runtime's optimiser for BERT."""
    path = folder / "onnx/fused.onnx"
    if path.exists():
        return
    from onnxruntime.transformers import optimizer

    found = optimizer.optimize_model(
        str(folder / "onnx/plain.onnx"), "bert", num_heads=scibert.HEADS, hidden_size=scibert.HIDDEN, opt_level=0
    )
    print("fused:", found.get_fused_operator_statistics())
    found.save_model_to_file(str(path))


def quantise(folder: Path) -> None:
    """Quantise the fused graph's weights to int8, activations while running."""
    path = folder / "onnx/int8.onnx"
    if path.exists():
        return
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # The fused operators are ONNX Runtime's own, whose results' type the shape inference of ONNX does not know.
    known = {"DefaultTensorType": TensorProto.FLOAT}
    source = str(folder / "onnx/fused.onnx")
    quantize_dynamic(source, str(path), per_channel=True, weight_type=QuantType.QInt8, extra_options=known)


FORMS: tuple[Callable[[Path], None], ...] = (bundles, write_weights, plain, fuse, quantise)


def main(folder: Path) -> None:
    """Write all forms that can be written here."""
    folder.mkdir(parents=True, exist_ok=True)
    for form in FORMS:
        try:
            form(folder)
        except ImportError as error:
            print(f"{form.__name__} is left out: {error}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
