"""From a trained student to the LiteRT file of one head: plain TensorFlow from its weights, normalisation folded in.

The file computes in float32; `tools.models.static_quantization` gives it the integer body that ships.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tools.training.sequences.proteins_data import LENGTH, Codes, Proteins
from tools.training.sequences.stability_network import Convolution, Separable, Student

BATCHES: Final = {"chymotrypsin": 512, "trypsin": 256}
"""Rows of one run: fewer wait for their threads more often, and more gain nothing, but one sequence pays for all."""
_REPRESENTATIVE: Final = 4096
_FEW: Final = 1024
Array = npt.NDArray[np.float32]


def convert_student(student: Student, head: int, offset: float, batch: int) -> bytes:
    """Return a .tflite that maps uint8 indices [batch, 50] to output[head] + offset, float32 [batch]."""

    @tf.function(input_signature=[tf.TensorSpec((batch, LENGTH), tf.uint8, "sequence")])
    def serve(sequence: Any) -> Any:
        return tf.identity(forward(student, sequence, head) + offset, "score")

    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())


def forward(student: Student, sequence: Any, head: int) -> Any:
    """Return one output [N] of the student for indices [N, 50], in TensorFlow.

    A gather instead of an embedding's own lookup, which tests for negative indices; convolutions in two dimensions
    with height 1, which LiteRT runs without reshapes.
    """
    batch = sequence.shape[0]
    x = tf.gather(_array(student.residues.weight), tf.cast(sequence, tf.int32))
    x = _convolution(student.stem, tf.reshape(x, (batch, 1, LENGTH, -1)))
    for block in student.blocks:
        inner = _separable(block, x) if isinstance(block, Separable) else _convolution(block, x)
        x = x[:, :, block.margin : x.shape[2] - block.margin] + inner if block.margin else x + inner
    flat = tf.reshape(_convolution(student.narrow, x), (batch, -1))
    hidden = tf.nn.relu(flat @ _array(student.hidden.weight).T + _array(student.hidden.bias))
    weight, bias = _array(student.heads.weight)[head], _array(student.heads.bias)[head]
    return tf.reshape(hidden @ weight[:, None] + bias, (batch,))


def _convolution(layer: Convolution, x: Any) -> Any:
    """Return a layer's activations [N, 1, positions, width]."""
    kernel, bias = fold_normalisation(layer)
    stride, dilation = layer.convolution.stride[0], layer.convolution.dilation[0]
    padding = "VALID" if layer.valid else "SAME"
    return tf.nn.relu(tf.nn.conv2d(x, kernel, stride, padding, dilations=(1, dilation)) + bias)


def _separable(layer: Separable, x: Any) -> Any:
    kernel = _array(layer.depthwise.weight).transpose(2, 0, 1)[None]
    return _convolution(layer.pointwise, tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "SAME"))


def fold_normalisation(layer: Convolution) -> tuple[Array, Array]:
    """Return kernel [1, T, channels, width] and bias [width] of a convolution with its normalisation folded in."""
    normal = layer.normalisation
    scale = _array(normal.weight) / np.sqrt(_array(normal.running_var) + normal.eps)
    kernel = _array(layer.convolution.weight) * scale[:, None, None]
    return kernel.transpose(2, 1, 0)[None], _array(normal.bias) - _array(normal.running_mean) * scale


def _array(tensor: Any) -> Array:
    return np.asarray(tensor.detach().numpy(), np.float32)


def choose_representative(training: Proteins, windows: Codes) -> Codes:
    """Return the rows [N, 50] that set the ranges of integer activations.

    Proteins at even distances, the most stable ones, which reach highest and stand at the top of rankings, and windows.
    """
    evenly = np.linspace(0, len(training) - 1, min(_REPRESENTATIVE, len(training))).astype(np.intp)
    highest = np.argsort(-training.scores.min(1), kind="stable")[:_FEW]
    return np.concatenate([training.codes[evenly], training.codes[highest], windows[:_FEW]])
