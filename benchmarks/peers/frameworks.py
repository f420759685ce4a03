"""The same network in PyTorch, Keras and ONNX, as each one's users would write it for speed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.peers.layers import SYMBOLS, Layer, LayeredNetwork, padding, shapes


def in_torch(network: LayeredNetwork) -> Any:
    """Return a module over int64 codes [N, length] that gives scores [N]; channels first, as PyTorch has them."""
    import torch
    from torch.nn import functional as act

    positions = {network.source: network.length} | {
        step.output: shape.positions for step, shape in zip(network.steps, shapes(network), strict=True)
    }

    class Rebuilt(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for at in range(len(network.steps)):
                for name, value in zip("wb", _torch_weights(network, at), strict=False):
                    self.register_buffer(f"{name}{at}", torch.from_numpy(np.ascontiguousarray(value)))

        def forward(self, codes: Any) -> Any:
            values = {network.source: codes}
            for at, step in enumerate(network.steps):
                found = self._step(at, step, [values[each] for each in step.inputs])
                values[step.output] = act.relu(found) if step.relu else found
            return found.reshape(-1)

        def _step(self, at: int, step: Layer, given: Sequence[Any]) -> Any:
            known = dict(self.named_buffers())
            if step.kind == "embed":
                return act.embedding(given[0], known[f"w{at}"]).transpose(1, 2)
            if step.kind == "conv":
                pad = padding(positions[step.inputs[0]], len(step.weights[0]), step.stride)
                return act.conv1d(act.pad(given[0], pad), known[f"w{at}"], known[f"b{at}"], step.stride)
            if step.kind == "add":
                return given[0] + given[1]
            if step.kind == "flatten":
                return given[0].flatten(1)
            return act.linear(given[0], known[f"w{at}"], known[f"b{at}"])

    return Rebuilt().eval()


def _torch_weights(network: LayeredNetwork, at: int) -> list[Any]:
    """Return a layer's weights as PyTorch has them; those after the flattening in the order of channels first."""
    step = network.steps[at]
    if step.kind == "conv":
        return [step.weights[0].transpose(2, 1, 0), step.weights[1]]
    if step.kind != "dense":
        return list(step.weights)
    weight = step.weights[0]
    made = {each.output: each for each in network.steps}
    flat = made.get(step.inputs[0])
    if flat is not None and flat.kind == "flatten":
        before = next(s for e, s in zip(network.steps, shapes(network), strict=True) if e.output == flat.inputs[0])
        weight = weight.reshape(before.positions, before.channels, -1).swapaxes(0, 1).reshape(len(weight), -1)
    return [weight.T, step.weights[1]]


def to_onnx(network: LayeredNetwork) -> bytes:
    """Return the network as an ONNX file over int64 codes [N, length], any number of rows."""
    import io

    import torch

    target = io.BytesIO()
    codes = torch.zeros((2, network.length), dtype=torch.int64)
    free = {"codes": {0: "rows"}, "scores": {0: "rows"}}
    torch.onnx.export(
        in_torch(network), (codes,), target, input_names=["codes"], output_names=["scores"],
        dynamic_axes=free, opset_version=17, dynamo=False,
    )  # fmt: skip
    return target.getvalue()


def to_tflite(network: LayeredNetwork, rows: int, *, int8: bool) -> bytes:
    """Return the network as a .tflite over uint8 codes [rows, length], in float32 or with int8 weights.

    Convolutions are 2-D of height 1, as in the files that ship: those the converter leaves without reshapes.
    """
    import tensorflow as tf

    def serve(codes: Any) -> Any:
        values = {network.source: tf.cast(codes, tf.int32)}
        for step in network.steps:
            found = _tensorflow_step(tf, step, [values[each] for each in step.inputs], rows)
            values[step.output] = tf.nn.relu(found) if step.relu else found
        return tf.reshape(values[network.steps[-1].output], (rows,))

    spec = tf.TensorSpec((rows, network.length), tf.uint8, "sequence")
    function = tf.function(serve, input_signature=[spec]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], tf.Module())
    converter.optimizations = [tf.lite.Optimize.DEFAULT] if int8 else []
    return bytes(converter.convert())


def _tensorflow_step(tf: Any, step: Layer, given: Sequence[Any], rows: int) -> Any:
    if step.kind == "embed":
        return tf.expand_dims(tf.gather(tf.constant(step.weights[0]), given[0]), 1)
    if step.kind == "conv":
        kernel = tf.constant(step.weights[0][None])
        return tf.nn.conv2d(given[0], kernel, [1, 1, step.stride, 1], "SAME") + tf.constant(step.weights[1])
    if step.kind == "add":
        return given[0] + given[1]
    if step.kind == "flatten":
        return tf.reshape(given[0], (rows, -1))
    return tf.matmul(given[0], tf.constant(step.weights[0])) + tf.constant(step.weights[1])


def in_keras(network: LayeredNetwork) -> Any:
    """Return a Keras model over one-hot rows [N, length, 20] that gives scores [N, 1]."""
    import keras
    from keras import layers

    source = keras.Input((network.length, SYMBOLS))
    values: dict[int, Any] = {network.source: source}
    made: list[tuple[Any, Layer]] = []
    for step in network.steps:
        layer = _keras_layer(layers, step)
        given = [values[each] for each in step.inputs]
        values[step.output] = layer(given if step.kind == "add" else given[0])
        made.append((layer, step))
        if step.relu and step.kind == "add":
            values[step.output] = layers.ReLU()(values[step.output])
    model = keras.Model(source, values[network.steps[-1].output])
    for layer, step in made:
        if step.weights:
            layer.set_weights(list(step.weights))
    return model


def _keras_layer(layers: Any, step: Layer) -> Any:
    relu = "relu" if step.relu else None
    if step.kind == "embed":
        return layers.Dense(step.weights[0].shape[1], use_bias=False)
    if step.kind == "conv":
        kernel, _, channels = step.weights[0].shape
        return layers.Conv1D(channels, kernel, strides=step.stride, padding="same", activation=relu)
    if step.kind == "dense":
        return layers.Dense(step.weights[0].shape[1], activation=relu)
    return layers.Add() if step.kind == "add" else layers.Flatten()
