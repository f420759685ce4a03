"""The default models' networks read from their .tflite, and rebuilt in other frameworks with the same weights.

Integer weights are read as the numbers that they stand for; what the ranges of activations round away is not imitated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
SYMBOLS: Final = 20
_SAME: Final = 0
_RELU: Final = 1
_SAME_VALUES: Final = ("CAST", "QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class Layer:
    """One layer: `embed`, `conv`, `add`, `flatten` or `dense`; which values it reads and which it makes."""

    kind: str
    inputs: tuple[int, ...]
    output: int
    relu: bool = False
    stride: int = 1
    weights: tuple[Array, ...] = field(default=())


@dataclass(frozen=True)
class LayeredNetwork:
    """Layers in order, from the codes [N, length] to one score."""

    source: int
    length: int
    steps: tuple[Layer, ...]

    @property
    def flops(self) -> int:
        """Multiplications and additions for one sequence, those of matrix products alone."""
        return sum(found.flops for found in shapes(self))


@dataclass(frozen=True)
class Shape:
    """What a layer does to one sequence: its output's positions and channels, and its floating-point operations."""

    positions: int
    channels: int
    flops: int


def shapes(network: LayeredNetwork) -> Iterator[Shape]:
    """Yield each layer's shape."""
    known: dict[int, tuple[int, int]] = {network.source: (network.length, 1)}
    for step in network.steps:
        positions, channels = known[step.inputs[0]]
        flops = 0
        if step.kind == "embed":
            channels = step.weights[0].shape[1]
        elif step.kind == "conv":
            kernel, deep, channels = step.weights[0].shape
            positions = -(-positions // step.stride)
            flops = 2 * positions * kernel * deep * channels
        elif step.kind == "flatten":
            positions, channels = 1, positions * channels
        elif step.kind == "dense":
            deep, channels = step.weights[0].shape
            flops = 2 * deep * channels
        known[step.output] = positions, channels
        yield Shape(positions, channels, flops)


def read(path: Path) -> LayeredNetwork:
    """Return the network of a .tflite over residue indices; ValueError where it has other layers."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    return _Reader(model, {value: name for name, value in vars(schema.BuiltinOperator).items()}).network()


class _Reader:
    def __init__(self, model: Any, names: Mapping[int, str]) -> None:
        self._model, self._graph, self._names = model, model.subgraphs[0], names
        self._same: dict[int, int] = {}

    def network(self) -> LayeredNetwork:
        source = int(self._graph.inputs[0])
        steps = tuple(step for operator in self._graph.operators for step in self._step(operator))
        return LayeredNetwork(source, int(self._graph.tensors[source].shape[1]), steps)

    def _step(self, operator: Any) -> Iterator[Layer]:
        name = self._names[self._model.operatorCodes[operator.opcodeIndex].builtinCode]
        given, made = [int(each) for each in operator.inputs], int(operator.outputs[0])
        options = operator.builtinOptions
        relu = getattr(options, "fusedActivationFunction", 0) == _RELU
        if name in _SAME_VALUES or (name == "RESHAPE" and not self._flattens(given[0], made)):
            self._same[made] = self._value(given[0])
        elif name == "RESHAPE":
            yield Layer("flatten", (self._value(given[0]),), made)
        elif name == "GATHER":
            yield Layer("embed", (self._value(given[1]),), made, weights=(self._constant(given[0]),))
        elif name == "CONV_2D" and options.padding == _SAME:
            kernel = self._constant(given[1])[:, 0].transpose(1, 2, 0)
            weights = (np.ascontiguousarray(kernel), self._constant(given[2]))
            yield Layer("conv", (self._value(given[0]),), made, relu, int(options.strideW), weights)
        elif name == "ADD":
            yield Layer("add", (self._value(given[0]), self._value(given[1])), made, relu)
        elif name == "FULLY_CONNECTED":
            weights = (np.ascontiguousarray(self._constant(given[1]).T), self._constant(given[2]))
            yield Layer("dense", (self._value(given[0]),), made, relu, weights=weights)
        else:
            raise ValueError(f"{name} is not a layer that can be rebuilt")

    def _value(self, tensor: int) -> int:
        return self._same.get(tensor, tensor)

    def _flattens(self, given: int, made: int) -> bool:
        """Say whether a reshape joins positions and channels, instead of adding or dropping axes of one."""
        before, after = (self._graph.tensors[each].shape for each in (given, made))
        return len(after) == 2 and len(before) > 2

    def _constant(self, tensor: int) -> Array:
        found = self._graph.tensors[self._value(tensor)]
        kind = {0: np.float32, 1: np.float16, 2: np.int32, 9: np.int8}[found.type]
        values = np.frombuffer(bytes(self._model.buffers[found.buffer].data), kind).reshape(found.shape)
        known = found.quantization
        if known is None or known.scale is None or not len(known.scale):
            return values.astype(np.float32)
        scale, zero = (self._along(known, each, values.ndim) for each in (known.scale, known.zeroPoint))
        return ((values - zero) * scale).astype(np.float32)

    @staticmethod
    def _along(known: Any, each: Any, axes: int) -> Array:
        """Return one number a channel in the shape that goes with the values."""
        shape = [1] * axes
        shape[known.quantizedDimension] = -1
        return np.asarray(each, np.float64).reshape(shape)


def padding(positions: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after that TensorFlow's `same` adds."""
    whole = max((-(-positions // stride) - 1) * stride + kernel - positions, 0)
    return whole // 2, whole - whole // 2
