"""The classifier that is served: an encoder and the wide part beside it, in one graph."""

import tensorflow as tf

from tools.models.encoder import Encoder
from tools.training.abstracts.wide import BUCKETS, FACTOR


class WideAndDeep(Encoder):
    """An encoder with the tables `wide.token` [vocabulary, labels] and `wide.pair` [BUCKETS, labels] beside it."""

    def logits(self, input_ids: tf.Tensor, attention_mask: tf.Tensor) -> tf.Tensor:
        """Return logits [1, labels] of one text, token ids and mask int32 [1, T]."""
        weight, ids = tf.cast(attention_mask, tf.float32), tf.reshape(input_ids, [-1])
        neighbours = tf.math.floormod(ids[:-1] * FACTOR + ids[1:], BUCKETS)
        single = weight @ tf.gather(self.variables["wide.token"], ids)
        paired = weight[:, 1:] @ tf.gather(self.variables["wide.pair"], neighbours)
        return super().logits(input_ids, attention_mask) + (single + paired) * tf.math.rsqrt(tf.reduce_sum(weight))
