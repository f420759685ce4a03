"""Linear models of one-hot sequences: exact arithmetic, centring, and a TensorFlow Lite file written directly.

The 20 indicators of a position sum to 1, so that a fit may add any constant to a position's weights and take it from
the intercept; real models have weights of 1e14 that cancel. Centring each position exactly, in rationals, brings the
weights back to the size of their effects, where float32 is safe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

BATCH: Final = 512
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Linear:
    """An intercept and weights of `length` positions x `symbols`, position-major, as exact rationals."""

    weights: tuple[Fraction, ...]
    intercept: Fraction
    symbols: int

    @property
    def length(self) -> int:
        """The number of positions."""
        return len(self.weights) // self.symbols

    def centre(self) -> "Linear":
        """Return the same function of one-hot input, every position's weights summing to zero."""
        size = self.symbols
        positions = [self.weights[start : start + size] for start in range(0, len(self.weights), size)]
        means = [sum(position, Fraction()) / size for position in positions]
        weights = tuple(weight - mean for position, mean in zip(positions, means, strict=True) for weight in position)
        return Linear(weights, self.intercept + sum(means, Fraction()), size)

    def exact(self, codes: Codes) -> list[Fraction]:
        """Return the exact value of each row of codes [N, length]."""
        size = self.symbols
        return [
            self.intercept + sum(self.weights[at * size + int(code)] for at, code in enumerate(row)) for row in codes
        ]


def linear_to_tflite(linear: Linear, batch: int = BATCH) -> bytes:
    """Return a .tflite of uint8 indices `sequence` [batch, length] to `score` float32 [batch].

    It gathers one weight a residue and adds them up: no one-hot, no matrix product, no TensorFlow to make it.
    """
    length, size = linear.length, linear.symbols
    made = _Graph()
    source = made.tensor("sequence", schema.TensorType.UINT8, [batch, length])
    offsets = made.constant("offsets", (np.arange(length) * size).astype(np.int32))
    weights = made.constant("weights", np.array([float(weight) for weight in linear.weights], np.float32))
    axis = made.constant("axis", np.array([1], np.int32))
    intercept = made.constant("intercept", np.array([float(linear.intercept)], np.float32))
    indices = made.tensor("indices", schema.TensorType.INT32, [batch, length])
    shifted = made.tensor("shifted", schema.TensorType.INT32, [batch, length])
    gathered = made.tensor("gathered", schema.TensorType.FLOAT32, [batch, length])
    total = made.tensor("total", schema.TensorType.FLOAT32, [batch])
    score = made.tensor("score", schema.TensorType.FLOAT32, [batch])
    made.operator("CAST", [source], indices)
    made.operator("ADD", [indices, offsets], shifted)
    made.operator("GATHER", [weights, shifted], gathered)
    made.operator("SUM", [gathered, axis], total, schema.ReducerOptionsT())
    made.operator("ADD", [total, intercept], score)
    return made.finish(source, score)


class _Graph:
    """A graph of built-in operators, written as a flatbuffer."""

    def __init__(self) -> None:
        self._buffers = [schema.BufferT()]  # by convention the first one is empty
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[Any] = []

    def tensor(self, name: str, kind: int, shape: Sequence[int], buffer: int = 0) -> int:
        """Add a tensor and return its index."""
        made = schema.TensorT()
        made.name, made.type, made.shape, made.buffer = name, kind, list(shape), buffer
        self._tensors.append(made)
        return len(self._tensors) - 1

    def constant(self, name: str, values: npt.NDArray[Any]) -> int:
        """Add a constant and return its index."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._buffers.append(buffer)
        kind = {"int32": schema.TensorType.INT32, "float32": schema.TensorType.FLOAT32}[values.dtype.name]
        return self.tensor(name, kind, values.shape, len(self._buffers) - 1)

    def operator(self, name: str, inputs: list[int], output: int, options: Any = None) -> None:
        """Add an operator."""
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode, code.version = code.builtinCode, 1
        self._codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(self._codes) - 1, inputs, [output]
        if options is not None:
            made.builtinOptionsType, made.builtinOptions = schema.BuiltinOptions.ReducerOptions, options
        self._operators.append(made)

    def finish(self, source: int, target: int) -> bytes:
        """Return the file."""
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = self._tensors, self._operators, [source], [target]
        model.version, model.subgraphs, model.buffers = 3, [graph], self._buffers
        model.operatorCodes, model.description = self._codes, "a linear model of one-hot sequences"
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
