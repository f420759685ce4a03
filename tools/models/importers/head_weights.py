"""The weights of a head's layers in a `.keras` or `.h5` file, as steps over canonical weights."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt

from assay.errors import UnreadableInput
from tools.models.architecture import KERAS, NUMPY, HeadStep
from tools.models.importers.head_graph import GraphLayer

Array = npt.NDArray[np.float32]
_CONTAINERS: Final = ("layers", "_layer_checkpoint_dependencies")
_KINDS: Final = {
    "Dense": ("kernel", "bias"),
    "LayerNormalization": ("gamma", "beta"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}
_SWITCHES: Final = {"bias": "use_bias", "gamma": "scale", "beta": "center"}
_LAST: Final = ("sigmoid", "softmax", "linear")


@dataclass(frozen=True)
class HeadSteps:
    """A head: steps over the pooled state by weights under `head.N`, then the activation of its outputs."""

    steps: tuple[HeadStep, ...]
    weights: Mapping[str, Array]
    activation: str
    inputs: int
    outputs: int

    def logits(self, pooled: npt.NDArray[Any]) -> Array:
        """Return logits [labels] of a pooled state [inputs], in float64."""
        rows: Any = np.asarray(pooled, np.float64)
        for step in self.steps:
            rows = NUMPY[step.activation](self._apply(step, rows))
        return np.asarray(rows, np.float32)

    def _apply(self, step: HeadStep, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if step.kind == "plain":
            return rows
        weight, bias = (self.weights[f"{step.name}.{part}"].astype(np.float64) for part in ("weight", "bias"))
        if step.kind == "linear":
            return np.asarray(weight @ rows + bias)
        if step.kind == "norm":
            rows = (rows - rows.mean()) / np.sqrt(rows.var() + step.epsilon)
        return np.asarray(rows * weight + bias)


def read_steps(path: Path, layers: Sequence[GraphLayer]) -> HeadSteps:
    """Return the steps of a head's layers, in their order; UnreadableInput where their weights do not fit."""
    steps: list[HeadStep] = []
    weights: dict[str, Array] = {}
    with open_weights(path) as file:
        for at, layer in enumerate(layers):
            arrays = _arrays(file, layer)
            steps.append(_step(f"head.{at}", layer, arrays, weights))
    activation = _split_last(steps)
    inputs, outputs = _sizes(steps, weights)
    return HeadSteps(tuple(steps), weights, activation, inputs, outputs)


def open_weights(path: Path) -> Any:
    """Open the HDF5 file of weights; a zip's lies in memory."""
    if not zipfile.is_zipfile(path):
        return h5py.File(path, "r")
    with zipfile.ZipFile(path) as archive:
        return h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r")


def layer_arrays(file: Any, layer: GraphLayer) -> dict[str, Any]:
    """Return every array of a layer by its path within the layer's group, {} where the file has none for it."""
    group = _group(file, layer)
    if group is None:
        return {}
    found: dict[str, Any] = {}
    group.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return {name: item[()] for name, item in found.items()}


def _group(file: Any, layer: GraphLayer) -> Any:
    """Return a layer's group; `.h5` names layers by themselves, `.keras` by their kind and number."""
    if "model_weights" in file:
        return file["model_weights"].get(layer.key[0][1])
    group = file
    for by_kind, name in layer.key:
        inner = [group[each] for each in _CONTAINERS if each in group]
        group = next((each[key] for each in inner for key in (by_kind, name) if key in each), None)
        if group is None:
            return None
    return group


def _arrays(file: Any, layer: GraphLayer) -> dict[str, Array]:
    """Return a layer's weights by their kinds; UnreadableInput where one is missing or no row or table of numbers."""
    wanted = [kind for kind in _KINDS.get(layer.kind, ()) if layer.config.get(_SWITCHES.get(kind, ""), True)]
    found = {} if not wanted else layer_arrays(file, layer)
    named: dict[str, Any] = {}
    for at, kind in enumerate(wanted):
        paths = [f"vars/{at}"] if "model_weights" not in file else list(_endings(layer, kind))
        value = next(
            (found[name] for path in paths for name in found if name == path or name.endswith(f"/{path}")), None
        )
        axes = 2 if kind == "kernel" else 1
        if value is None or value.ndim != axes or value.dtype.kind != "f" or 0 in value.shape:
            raise UnreadableInput(
                f"the file has no {kind} of the layer {layer.name[:60]}: save the whole model again with its weights"
            )
        if not np.isfinite(value).all():
            raise UnreadableInput(f"the {kind} of the layer {layer.name[:60]} holds numbers that are not finite")
        named[kind] = np.asarray(value, np.float32)
    return named


def _endings(layer: GraphLayer, kind: str) -> Iterator[str]:
    """Yield how the path of an array ends in `.h5` files, of Keras 2 with a number behind it."""
    own = layer.key[-1][1]
    for ending in (kind, f"{kind}:0"):
        yield f"{own}/{ending}"
        if len(layer.key) == 1:
            yield ending


def _step(name: str, layer: GraphLayer, arrays: Mapping[str, Array], weights: dict[str, Array]) -> HeadStep:
    """Return a layer as a step and put its weights among the others."""
    if layer.kind == "Dense":
        kernel = arrays["kernel"]
        weights[f"{name}.weight"] = np.ascontiguousarray(kernel.T)
        weights[f"{name}.bias"] = arrays.get("bias", np.zeros(kernel.shape[1], np.float32))
        return HeadStep("linear", name, _activation(layer, layer.config.get("activation")))
    if layer.kind in ("LayerNormalization", "BatchNormalization"):
        return _norm_step(name, layer, arrays, weights)
    kinds = {"ReLU": "relu", "ELU": "elu", "Softmax": "softmax"}
    _require_plain(layer)
    return HeadStep("plain", name, kinds.get(layer.kind) or _activation(layer, layer.config.get("activation")))


def _require_plain(layer: GraphLayer) -> None:
    allowed = {"alpha": (1, 1.0), "max_value": (None,), "negative_slope": (0, None), "threshold": (0, None)}
    for key, values in allowed.items():
        if key in layer.config and layer.config[key] not in values:
            raise UnreadableInput(f"the layer {layer.name[:60]} has {key} {str(layer.config[key])[:60]}: not served")


def _norm_step(name: str, layer: GraphLayer, arrays: Mapping[str, Array], weights: dict[str, Array]) -> HeadStep:
    axis, epsilon = layer.config.get("axis", -1), layer.config.get("epsilon", 1e-3)
    if axis not in (-1, [-1], 1, [1]) or not isinstance(epsilon, int | float) or layer.config.get("rms_scaling"):
        raise UnreadableInput(f"the layer {layer.name[:60]} norms in a way that is not served")
    known = next(iter(arrays.values()), None)
    if known is None:
        raise UnreadableInput(f"the layer {layer.name[:60]} has no weights: leave it out, or give it a scale")
    scale, shift = arrays.get("gamma", np.ones_like(known)), arrays.get("beta", np.zeros_like(known))
    if layer.kind == "LayerNormalization":
        weights[f"{name}.weight"], weights[f"{name}.bias"] = scale, shift
        return HeadStep("norm", name, epsilon=float(epsilon))
    factor = scale / np.sqrt(arrays["moving_variance"].astype(np.float64) + epsilon)
    weights[f"{name}.weight"] = factor.astype(np.float32)
    weights[f"{name}.bias"] = (shift - arrays["moving_mean"] * factor).astype(np.float32)
    return HeadStep("scale", name)


def _activation(layer: GraphLayer, said: object) -> str:
    """Return the canonical name of an activation, which files spell as a text or as an object with one in it."""
    if isinstance(said, dict):
        config = said.get("config")
        said = config if isinstance(config, str) else said.get("class_name")
    name = "linear" if said is None else str(said).rpartition(">")[2]
    if name != "softmax" and name.lower() not in KERAS:
        raise UnreadableInput(
            f"the layer {layer.name[:60]} has the activation {name[:60]!r}, which is not served: only "
            f"{', '.join((*KERAS, 'softmax'))}"
        )
    return name if name == "softmax" else KERAS[name.lower()]


def _split_last(steps: list[HeadStep]) -> str:
    """Take the activation of the outputs off the last step and return it."""
    if not any(step.kind == "linear" for step in steps):
        raise UnreadableInput("the file has no Dense layer behind its encoder: it is no head")
    while len(steps) > 1 and steps[-1] == HeadStep("plain", steps[-1].name):
        steps.pop()
    last = steps[-1]
    if last.activation not in _LAST:
        raise UnreadableInput(f"the head ends in {last.activation}: its outputs must be of {', '.join(_LAST)}")
    steps[-1] = HeadStep(last.kind, last.name, epsilon=last.epsilon)
    if any(step.activation == "softmax" for step in steps):
        raise UnreadableInput("the head has a softmax before its last layer, which is not served")
    return last.activation


def _sizes(steps: Sequence[HeadStep], weights: Mapping[str, Array]) -> tuple[int, int]:
    """Return how many numbers a head reads and gives; UnreadableInput where one step does not fit the next."""
    first: int | None = None
    size: int | None = None
    for step in steps:
        if step.kind == "plain":
            continue
        weight, bias = weights[f"{step.name}.weight"], weights[f"{step.name}.bias"]
        reads, gives = weight.shape[-1], weight.shape[0]
        if (size is not None and reads != size) or bias.shape != (gives,):
            raise UnreadableInput(f"a layer of the head reads {reads} numbers, and the one before it gives {size}")
        first, size = first or reads, gives
    assert first is not None
    assert size is not None
    return first, size
