"""Make one network of SciBERT's size with random weights, as int8 LiteRT and as a SavedModel: speed, not sense.

python -m benchmarks.scibert FOLDER      needs TensorFlow; writes FOLDER/{scibert-litert,scibert-savedmodel}/1
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.models.architecture import Architecture
from tools.models.build import build_manifest
from tools.models.encoder import Encoder, encoder_to_tflite, save_encoder
from tools.models.shipped import newest
from tools.paths import ROOT

SHIPPED = newest(ROOT / "models", "arxiv-archives")
LAYERS, HEADS, HIDDEN, WIDE, PIECES, POSITIONS, LABELS = 12, 12, 768, 3072, 31_090, 512, 18


def random_weights() -> dict[str, npt.NDArray[np.float32]]:
    """Return random weights under canonical names, small enough to stay finite through twelve layers."""
    random = np.random.default_rng(1)
    return {
        name: (random.standard_normal(shape) * 0.02 + (name.endswith("norm.weight"))).astype(np.float32)
        for name, shape in _shapes()
    }


def _shapes() -> Iterator[tuple[str, tuple[int, ...]]]:
    for table, rows in (("word", PIECES), ("position", POSITIONS), ("kind", 2)):
        yield f"embeddings.{table}.weight", (rows, HIDDEN)
    yield from _norm("embeddings.norm")
    for layer in range(LAYERS):
        for part in ("query", "key", "value", "attention_output"):
            yield from _linear(f"layer.{layer}.{part}", HIDDEN, HIDDEN)
        yield from _linear(f"layer.{layer}.intermediate", WIDE, HIDDEN)
        yield from _linear(f"layer.{layer}.output", HIDDEN, WIDE)
        yield from _norm(f"layer.{layer}.attention_norm")
        yield from _norm(f"layer.{layer}.norm")
    yield from _linear("pooler", HIDDEN, HIDDEN)
    yield from _linear("head", LABELS, HIDDEN)


def _linear(name: str, rows: int, columns: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (rows, columns)
    yield f"{name}.bias", (rows,)


def _norm(name: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", (HIDDEN,)
    yield f"{name}.bias", (HIDDEN,)


def tokenizer() -> str:
    """Return the shipped classifier's tokenizer with its vocabulary filled up to SciBERT's size."""
    document: dict[str, Any] = json.loads((SHIPPED / "tokenizer.json").read_text())
    vocabulary = document["model"]["vocab"]
    vocabulary.update({f"[filler{at}]": at for at in range(len(vocabulary), PIECES)})
    return json.dumps(document, ensure_ascii=False)


def write(folder: Path, name: str, kind: str) -> None:
    """Add tokenizer and manifest to the files of a bundle."""
    header: dict[str, Any] = json.loads((SHIPPED / "manifest.json").read_text())
    del header["files"]
    (folder / "tokenizer.json").write_text(tokenizer())
    header["text"]["max_tokens"] = POSITIONS
    header |= {
        "name": name,
        "version": "1",
        "format": kind,
        "metrics": {},
        "provenance": {"weights": "random"},
        "licence": "",
    }
    (folder / "manifest.json").write_bytes(build_manifest(folder, header).dumps())


def main(target: Path) -> None:
    """Write both bundles."""
    encoder = Encoder(Architecture(LAYERS, HEADS, pooling="cls"), random_weights())
    saved, lite = target / "scibert-savedmodel/1", target / "scibert-litert/1"
    for folder in (saved, lite):
        folder.mkdir(parents=True)
    save_encoder(encoder, saved / "saved_model")
    (lite / "model.tflite").write_bytes(encoder_to_tflite(saved / "saved_model", int8=True))
    write(saved, "scibert-savedmodel", "saved_model")
    write(lite, "scibert-litert", "tflite")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
