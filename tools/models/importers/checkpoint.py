"""A Hugging Face folder's configuration and weights, from whichever file it has; no file is executed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.errors import RuntimeMissing, UnreadableInput
from tools.models.architecture import Architecture, Weights
from tools.models.canonical_weights import canonical, check_weights
from tools.models.families import read_architecture, weights_used
from tools.models.importers.torch_files import read_tensors

State = Mapping[str, npt.NDArray[Any]]
_FILES: Final = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "tf_model.h5",
)
_NORMS: Final = {"gamma": "weight", "beta": "bias"}
_KINDS: Final = {"kernel": "weight", "gamma": "weight", "embeddings": "weight", "beta": "bias"}


def read_config(folder: Path) -> dict[str, Any]:
    """Return config.json; UnreadableInput where it is none."""
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableInput(f"{folder.name} has no readable config.json: {error}") from error
    if not isinstance(found, dict) or "model_type" not in found:
        raise UnreadableInput(f"{folder.name}/config.json names no model_type")
    return found


def read_state(folder: Path) -> State:
    """Return the weights of a folder, float32; UnreadableInput where it has none that can be read."""
    found = next((folder / name for name in _FILES if (folder / name).is_file()), None)
    if found is None:
        raise UnreadableInput(f"{folder.name} has no weights: no file is called {' or '.join(_FILES)}")
    try:
        state = _READERS[found.name](found)
    except (RuntimeMissing, UnreadableInput):
        raise
    except Exception as error:  # each library raises its own
        raise UnreadableInput(f"{found.name} can't be read: {' '.join(str(error).split())[:300]}") from error
    return {_plain(name): np.asarray(value, np.float32) for name, value in state.items()}


def _plain(name: str) -> str:
    """Return a weight's name as it is today: without a wrapper's prefix, norms with weight and bias."""
    stem, _, kind = name.removeprefix("module.").rpartition(".")
    return f"{stem}.{_NORMS.get(kind, kind)}" if stem else kind


def read_network(config: Mapping[str, Any], state: State) -> tuple[Architecture, Weights]:
    """Return the architecture and the canonical weights of a checkpoint; UnreadableInput for another family."""
    shape = read_architecture(config, "cls")
    headed = "classifier.dense.weight" in state  # RoBERTa's head has a separate layer, its pooler goes unused
    weights = weights_used(
        shape, canonical({key: value for key, value in state.items() if not (headed and "pooler." in key)})
    )
    check_weights(shape, weights)
    return shape, weights


def longest(weights: Weights, shape: Architecture) -> int:
    """Return how many tokens the network can read, at most `MOST_TOKENS`."""
    positions = weights.get("embeddings.position.weight")
    return shape.longest if positions is None else min(shape.longest, len(positions) - shape.position_offset)


def _safetensors(path: Path) -> State:
    from safetensors.numpy import load_file

    return dict(load_file(path))


def _shards(index: Path) -> State:
    names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    if any(Path(name).name != name for name in names):
        raise UnreadableInput(f"{index.name} names files outside of its folder")
    read = _safetensors if index.name.startswith("model.") else read_tensors
    return {name: value for shard in names for name, value in read(index.parent / shard).items()}


def _tensorflow(path: Path) -> State:
    import h5py

    from tools.models.importers.keras import refuse_links

    found: dict[str, npt.NDArray[Any]] = {}
    with h5py.File(path, "r") as file:
        refuse_links(file)
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return rename_tensorflow(found)


def rename_tensorflow(arrays: State) -> State:
    """Return TensorFlow's arrays, by their paths in a file, under PyTorch's names and in its layout."""
    return dict(_rename_tensorflow(name, value) for name, value in arrays.items())


def _rename_tensorflow(name: str, value: npt.NDArray[Any]) -> tuple[str, npt.NDArray[Any]]:
    """Return PyTorch's name and layout: `bert/bert/encoder/layer_._0/output/dense/kernel:0` is one of TensorFlow's."""
    _, *parts, kind = name.partition(":")[0].split("/")
    stem = ".".join(part.replace("_._", ".") for part in parts if not part.startswith("tf_"))
    return f"{stem}.{_KINDS.get(kind, kind)}", np.ascontiguousarray(value.T) if kind == "kernel" else value


_READERS: Final = {
    "model.safetensors": _safetensors,
    "model.safetensors.index.json": _shards,
    "tf_model.h5": _tensorflow,
    "pytorch_model.bin": read_tensors,
    "pytorch_model.bin.index.json": _shards,
}
