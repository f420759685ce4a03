"""A LiteRT file's graph in plain TensorFlow: the same weights, integers made float32 first, other kernels.

An int8 tensor of the file is rounded to its steps after each operation. So a static int8 body answers the same, except
for values on the edge between two steps.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

_TYPES: Final = {0: np.float32, 2: np.int32, 3: np.uint8, 4: np.int64, 9: np.int8}
_FUSED: Final[Mapping[int, Callable[[Any], Any]]] = {0: lambda value: value, 1: tf.nn.relu}
_PADDING: Final = ("SAME", "VALID")
_NAMES: Final = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int) and name.isupper()
}


def _fused(value: Any, options: Any) -> Any:
    return _FUSED[options.fusedActivationFunction](value)


def _dense(options: Any, values: Any, weights: Any, bias: Any = 0.0) -> Any:
    rows = tf.reshape(values, (-1, weights.shape[1]))
    return _fused(tf.matmul(rows, weights, transpose_b=True) + bias, options)


def _conv(options: Any, values: Any, weights: Any, bias: Any) -> Any:
    strides = (options.strideH, options.strideW)
    found = tf.nn.conv2d(values, tf.transpose(weights, (1, 2, 3, 0)), strides, _PADDING[options.padding])
    return _fused(found + bias, options)


def _slice(options: Any, values: Any, begin: Any, end: Any, strides: Any) -> Any:
    masks = options.beginMask, options.endMask, options.ellipsisMask, options.newAxisMask, options.shrinkAxisMask
    return tf.strided_slice(values, begin, end, strides, *masks)


_OPS: Final[Mapping[str, Callable[..., Any]]] = {
    "ADD": lambda options, left, right: _fused(left + right, options),
    "SUB": lambda options, left, right: _fused(left - right, options),
    "MUL": lambda options, left, right: _fused(left * right, options),
    "DIV": lambda options, left, right: _fused(left / right, options),
    "BATCH_MATMUL": lambda options, a, b: tf.matmul(a, b, transpose_a=options.adjX, transpose_b=options.adjY),
    "CONV_2D": _conv,
    "DEQUANTIZE": lambda _, values: values,
    "FLOOR_MOD": lambda _, values, divisor: tf.math.floormod(values, divisor),
    "FULLY_CONNECTED": _dense,
    "GATHER": lambda options, values, at: tf.gather(values, at, axis=options.axis),
    "GELU": lambda options, values: tf.nn.gelu(values, approximate=options.approximate),
    "MEAN": lambda options, values, axes: tf.reduce_mean(values, axes, keepdims=options.keepDims),
    "SUM": lambda options, values, axes: tf.reduce_sum(values, axes, keepdims=options.keepDims),
    "RESHAPE": lambda _, values, shape: tf.reshape(values, shape),
    "RSQRT": lambda _, values: tf.math.rsqrt(values),
    "SHAPE": lambda _, values: tf.shape(values),
    "SOFTMAX": lambda options, values: tf.nn.softmax(values * options.beta),
    "STRIDED_SLICE": _slice,
    "TRANSPOSE": lambda _, values, axes: tf.transpose(values, axes),
}


class Graph:
    """The graph of a LiteRT file; `run` takes what the manifest names, in the order of the file's inputs."""

    def __init__(self, content: bytes) -> None:
        """Read the graph and its weights."""
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        self._graph = model.subgraphs[0]
        self._codes = [_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
        self._weights = {
            at: _weight(tensor, model.buffers[tensor.buffer].data)
            for at, tensor in enumerate(self._graph.tensors)
            if model.buffers[tensor.buffer].data is not None
        }
        self.inputs = [self._graph.tensors[at].name.decode() for at in self._graph.inputs]

    def run(self, inputs: Mapping[str, Any]) -> Any:
        """Return the first output for inputs by a part of their name in the file."""
        known = dict(self._weights)
        for at, name in zip(self._graph.inputs, self.inputs, strict=True):
            known[at] = tf.constant(next(value for key, value in inputs.items() if key in name))
        for op in self._graph.operators:
            self._step(op, known)
        return known[self._graph.outputs[0]].numpy()

    def _step(self, op: Any, known: dict[int, Any]) -> None:
        name, target = self._codes[op.opcodeIndex], op.outputs[0]
        given, tensor = [known[at] for at in op.inputs if at >= 0], self._graph.tensors[target]
        if name == "CAST":
            known[target] = tf.cast(given[0], _TYPES[tensor.type])
        else:
            known[target] = _round(_OPS[name](op.builtinOptions, *given), tensor)


def _round(values: Any, tensor: Any) -> Any:
    """Return float32 values on the steps of an int8 tensor; the values of any other tensor as they are."""
    if tensor.type != 9:
        return values
    (scale,), (zero,) = tensor.quantization.scale, tensor.quantization.zeroPoint
    return (tf.clip_by_value(tf.round(values / scale) + float(zero), -128.0, 127.0) - float(zero)) * scale


def _weight(tensor: Any, data: Any) -> Any:
    """Return a weight as float32 where it is an integer with scales, else as it is."""
    values, quantized = np.frombuffer(bytes(data), _TYPES[tensor.type]).reshape(tensor.shape), tensor.quantization
    if quantized is None or quantized.scale is None:
        return tf.constant(values)
    scales = np.asarray(quantized.scale, np.float32)
    shape = [1] * values.ndim
    shape[quantized.quantizedDimension if len(scales) > 1 else 0] = len(scales)
    zeros = np.asarray(quantized.zeroPoint, np.float32).reshape(shape)
    return tf.constant((values.astype(np.float32) - zeros) * scales.reshape(shape))
