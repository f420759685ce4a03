"""From a trained Keras network to the LiteRT file of one head."""

from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tools.training.sequences.data import LENGTH, Codes, Scores

BATCH: Final = 256
"""Rows of one run: more of them leave the second-level cache."""


def convert(network: keras.Model, head: int, offset: float, batch: int = BATCH) -> bytes:
    """Return a .tflite that maps uint8 indices [batch, 50] to output[head] + offset, float32 [batch]."""
    served = _single_head(network, head, offset)

    @tf.function(input_signature=[tf.TensorSpec((batch, LENGTH), tf.uint8, "sequence")])
    def serve(sequence: Any) -> Any:
        return tf.reshape(served(sequence, training=False), (batch,))

    frozen = convert_variables_to_constants_v2(serve.get_concrete_function())
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([frozen]).convert())


def _single_head(network: keras.Model, head: int, offset: float) -> keras.Model:
    kernel, bias = network.layers[-1].get_weights()
    last = keras.layers.Dense(1, dtype="float32")
    served = keras.Model(network.input, last(network.layers[-1].input))
    last.set_weights([kernel[:, head : head + 1], bias[head : head + 1] + offset])
    return served


def score(content: bytes, codes: Codes, threads: int = 2) -> Scores:
    """Return what a .tflite gives for codes [N, 50], in its own fixed batch."""
    interpreter = Interpreter(model_content=content, num_threads=threads)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]
    batch = int(source["shape"][0])
    padded = np.zeros((-(-len(codes) // batch) * batch, LENGTH), np.uint8)
    padded[: len(codes)] = codes
    scores = []
    for part in padded.reshape(-1, batch, LENGTH):
        interpreter.set_tensor(source["index"], part)
        interpreter.invoke()
        scores.append(interpreter.get_tensor(target))
    return np.concatenate(scores)[: len(codes)]
