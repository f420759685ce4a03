"""The form of the head that the replaced system has: a custom layer whose configuration nests the encoder's."""

from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable("Custom")
class ExtractCLSOutput(keras.layers.Layer):  # type: ignore[misc]
    """As the replaced system has it: its configuration nests the encoder's, with its class and all that it says."""

    def __init__(self, scibert_model: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.scibert_model = scibert_model

    def call(self, inputs: Any) -> Any:
        return keras.ops.repeat(keras.ops.cast(inputs[0][:, :1], "float32"), 24, axis=-1)

    def compute_output_shape(self, shapes: Any) -> Any:
        return (shapes[0][0], 24)

    def get_config(self) -> dict[str, Any]:
        policy = {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": "float32"},
            "registered_name": None,
        }
        nested = {
            "module": "transformers.models.bert.modeling_tf_bert",
            "class_name": "TFBertModel",
            "config": {"name": "tf_bert_model", "dtype": policy, "layers": [{"class_name": "TFBertMainLayer"}]},
            "registered_name": "TFBertModel",
        }
        return {**super().get_config(), "scibert_model": nested}


def nested_model(units: int = 3) -> Any:
    """Return a head of so many labels behind that layer."""
    inputs = [keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask")]
    dense = keras.layers.Dense(units, activation="sigmoid")
    model = keras.Model(inputs, dense(keras.layers.Dropout(0.1)(ExtractCLSOutput()(inputs))))
    dense.set_weights([np.random.default_rng(6).normal(size=each.shape) for each in dense.get_weights()])
    return model
