"""The forward pass of Hugging Face checkpoints in NumPy float64, by the checkpoint's own names of weights.

It is what every import of a text model is compared with, so it shares nothing with the network that is served: other
library, other precision, other names, no constant folded. One text a pass, written out as the papers have it.
Sources: BERT arXiv:1810.04805, RoBERTa arXiv:1907.11692, DistilBERT arXiv:1910.01108, ALBERT arXiv:1909.11942,
ELECTRA arXiv:2003.10555, MPNet arXiv:2004.09297, DeBERTa arXiv:2006.03654 and arXiv:2111.09543, ModernBERT
arXiv:2412.13663. The tests hold it to transformers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.errors import UnreadableInput

Matrix = npt.NDArray[np.float64]
State = Mapping[str, npt.NDArray[Any]]

_PREFIXES: Final = ("", "bert.", "roberta.", "electra.", "distilbert.", "albert.", "mpnet.", "deberta.", "model.")


def softmax(scores: Matrix) -> Matrix:
    """Return shares that sum to 1 over the last axis."""
    grown = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(grown / grown.sum(-1, keepdims=True))


def erf(x: Matrix) -> Matrix:
    """Return the error function; `math.erf` is exact to the last bit or two."""
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(x), np.float64)


def _tanh_gelu(x: Matrix) -> Matrix:
    return np.asarray(0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


def _erf_gelu(x: Matrix) -> Matrix:
    return np.asarray(0.5 * x * (1 + erf(x / math.sqrt(2))))


def _sigmoid(x: Matrix) -> Matrix:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _silu(x: Matrix) -> Matrix:
    return x * _sigmoid(x)


ACTIVATIONS: Final[Mapping[str, Callable[[Matrix], Matrix]]] = {
    "gelu": _erf_gelu,
    "gelu_python": _erf_gelu,
    "gelu_new": _tanh_gelu,
    "gelu_fast": _tanh_gelu,
    "gelu_pytorch_tanh": _tanh_gelu,
    "gelu_accurate": _tanh_gelu,
    "quick_gelu": lambda x: x * _sigmoid(1.702 * x),
    "silu": _silu,
    "swish": _silu,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "linear": lambda x: x,
}


class ForwardPass:
    """A network over a checkpoint; `states` and `logits` take the token ids of one text.

    UnreadableInput where config.json or the weights lack what the family needs.
    """

    def __init__(self, config: Mapping[str, Any], state: State) -> None:
        self.config = config
        self._state = {key.removeprefix("module."): value for key, value in state.items()}
        self._heads = int(self._get_setting("num_attention_heads", "n_heads"))
        self._layers = int(self._get_setting("num_hidden_layers", "n_layers"))
        self._activation = self._find_activation(config.get("hidden_act", config.get("activation", "gelu")))
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))

    def states(self, ids: Sequence[int]) -> Matrix:
        """Return the last hidden states, float64 [T, hidden]."""
        rows = self._embed(np.asarray(ids, np.int64))
        for layer in range(self._layers):
            rows = self._layer(layer, rows)
        return rows

    def logits(self, ids: Sequence[int]) -> Matrix:
        """Return logits, float64 [labels]."""
        return self._head(self.states(ids))

    def pool(self, hidden: Matrix) -> Matrix:
        """Return what the network's own pooler makes of last hidden states, float64 [hidden]."""
        return np.tanh(self._linear("pooler.dense", hidden[0]))

    def has(self, name: str) -> bool:
        """Say whether the checkpoint has a weight."""
        return any(prefix + name in self._state for prefix in _PREFIXES)

    def _weight(self, name: str, rows: Any = slice(None)) -> Matrix:
        """Return a weight, or so many of its rows, as float64."""
        found = next((self._state[prefix + name] for prefix in _PREFIXES if prefix + name in self._state), None)
        if found is None:
            raise UnreadableInput(f"the checkpoint lacks {name}")
        try:
            return np.asarray(found[rows], np.float64)
        except IndexError as error:
            raise UnreadableInput(f"{name} has {len(found):,} rows, and a text needs more") from error

    def _get_setting(self, *names: str) -> Any:
        found = next((self.config[name] for name in names if name in self.config), None)
        if found is None:
            raise UnreadableInput(f"config.json lacks {names[0]}")
        return found

    def _find_activation(self, name: object) -> Callable[[Matrix], Matrix]:
        if name not in ACTIVATIONS:
            raise UnreadableInput(f"config.json names the activation {str(name)[:40]!r}, which is not known")
        return ACTIVATIONS[str(name)]

    def _linear(self, name: str, rows: Matrix) -> Matrix:
        found = rows @ self._weight(f"{name}.weight").T
        return found + self._weight(f"{name}.bias") if self.has(f"{name}.bias") else found

    def _norm(self, name: str, rows: Matrix) -> Matrix:
        centred = rows - rows.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + self._epsilon)
        gamma = "gamma" if self.has(f"{name}.gamma") else "weight"
        beta = "beta" if gamma == "gamma" else "bias"
        found = scaled * self._weight(f"{name}.{gamma}")
        return np.asarray(found + self._weight(f"{name}.{beta}") if self.has(f"{name}.{beta}") else found)

    def _split(self, rows: Matrix) -> Matrix:
        """Return rows [T, hidden] as [heads, T, hidden / heads]."""
        return rows.reshape(len(rows), self._heads, -1).transpose(1, 0, 2)

    def _attend(self, names: Sequence[str], rows: Matrix, bias: Matrix | float = 0.0) -> Matrix:
        """Return the context [T, hidden] by the maps of query, key and value."""
        query, key, value = (self._split(self._linear(name, rows)) for name in names)
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1]) + bias
        return _join_heads(softmax(scores) @ value)

    def _first_position(self) -> int:
        return 0

    def _embed(self, ids: npt.NDArray[np.int64]) -> Matrix:
        places = np.arange(len(ids)) + self._first_position()
        rows = self._weight("embeddings.word_embeddings.weight", ids)
        rows = rows + self._weight("embeddings.position_embeddings.weight", places)
        if self.has("embeddings.token_type_embeddings.weight"):
            rows = rows + self._weight("embeddings.token_type_embeddings.weight", 0)
        return self._norm("embeddings.LayerNorm", rows)

    def _layer(self, layer: int, rows: Matrix) -> Matrix:
        at = f"encoder.layer.{layer}"
        context = self._attend([f"{at}.attention.self.{part}" for part in ("query", "key", "value")], rows)
        middle = self._norm(
            f"{at}.attention.output.LayerNorm", rows + self._linear(f"{at}.attention.output.dense", context)
        )
        return self._feed_forward(at, middle)

    def _feed_forward(self, at: str, middle: Matrix) -> Matrix:
        wide = self._activation(self._linear(f"{at}.intermediate.dense", middle))
        return self._norm(f"{at}.output.LayerNorm", middle + self._linear(f"{at}.output.dense", wide))

    def _head(self, hidden: Matrix) -> Matrix:
        return self._linear("classifier", self.pool(hidden))


class Roberta(ForwardPass):
    """RoBERTa, XLM-RoBERTa, CamemBERT: positions begin after the padding's, and the head has a separate layer."""

    def _first_position(self) -> int:
        return int(self.config.get("pad_token_id", 1)) + 1

    def _head(self, hidden: Matrix) -> Matrix:
        return self._linear("classifier.out_proj", np.tanh(self._linear("classifier.dense", hidden[0])))


class Electra(ForwardPass):
    """ELECTRA: embeddings may be narrower than the layers, and the head's layer is a GELU's."""

    def _embed(self, ids: npt.NDArray[np.int64]) -> Matrix:
        rows = super()._embed(ids)
        return self._linear("embeddings_project", rows) if self.has("embeddings_project.weight") else rows

    def _head(self, hidden: Matrix) -> Matrix:
        return self._linear("classifier.out_proj", _erf_gelu(self._linear("classifier.dense", hidden[0])))


class DistilBert(ForwardPass):
    """DistilBERT: no token types, other names, and a ReLU before the classifier."""

    def _layer(self, layer: int, rows: Matrix) -> Matrix:
        at = f"transformer.layer.{layer}"
        context = self._attend([f"{at}.attention.{part}_lin" for part in "qkv"], rows)
        middle = self._norm(f"{at}.sa_layer_norm", rows + self._linear(f"{at}.attention.out_lin", context))
        wide = self._activation(self._linear(f"{at}.ffn.lin1", middle))
        return self._norm(f"{at}.output_layer_norm", middle + self._linear(f"{at}.ffn.lin2", wide))

    def _head(self, hidden: Matrix) -> Matrix:
        return self._linear("classifier", np.maximum(self._linear("pre_classifier", hidden[0]), 0))


class Albert(ForwardPass):
    """ALBERT: layers share their weights by groups, and the embeddings are projected."""

    def _embed(self, ids: npt.NDArray[np.int64]) -> Matrix:
        return self._linear("encoder.embedding_hidden_mapping_in", super()._embed(ids))

    def _layer(self, layer: int, rows: Matrix) -> Matrix:
        group = layer * int(self.config.get("num_hidden_groups", 1)) // self._layers
        for inner in range(int(self.config.get("inner_group_num", 1))):
            rows = self._inner(f"encoder.albert_layer_groups.{group}.albert_layers.{inner}", rows)
        return rows

    def _inner(self, at: str, rows: Matrix) -> Matrix:
        context = self._attend([f"{at}.attention.{part}" for part in ("query", "key", "value")], rows)
        middle = self._norm(f"{at}.attention.LayerNorm", rows + self._linear(f"{at}.attention.dense", context))
        wide = self._activation(self._linear(f"{at}.ffn", middle))
        return self._norm(f"{at}.full_layer_layer_norm", middle + self._linear(f"{at}.ffn_output", wide))

    def pool(self, hidden: Matrix) -> Matrix:
        """Return what the network's own pooler makes of last hidden states, float64 [hidden]."""
        return np.tanh(self._linear("pooler", hidden[0]))


class Mpnet(Roberta):
    """MPNet: each head adds a number that depends on the distance of two tokens, the same in all layers."""

    def _first_position(self) -> int:
        return 2

    def _layer(self, layer: int, rows: Matrix) -> Matrix:
        at = f"encoder.layer.{layer}.attention"
        table = self._weight("encoder.relative_attention_bias.weight")
        bias = table[self._buckets(len(rows), len(table))].transpose(2, 0, 1)
        context = self._attend([f"{at}.attn.{part}" for part in "qkv"], rows, bias)
        middle = self._norm(f"{at}.LayerNorm", rows + self._linear(f"{at}.attn.o", context))
        return self._feed_forward(f"encoder.layer.{layer}", middle)

    def _buckets(self, length: int, count: int) -> npt.NDArray[np.int64]:
        """Return the bucket of each pair of tokens, int64 [T, T]: near distances alone, far ones by their logarithm."""
        distance = np.arange(length)[None] - np.arange(length)[:, None]
        half, exact = count // 2, count // 4
        size = np.abs(distance)
        grown = np.log(np.maximum(size, 1) / exact) / math.log(128 / exact) * (half - exact)
        far = np.minimum(exact + grown.astype(np.int64), half - 1)
        return np.asarray((distance > 0) * half + np.where(size < exact, size, far), np.int64)


class DebertaV2(ForwardPass):
    """DeBERTa of the second and third version: content attends to content and, apart, to distances."""

    def __init__(self, config: Mapping[str, Any], state: State) -> None:
        super().__init__(config, state)
        self._epsilon = float(config.get("layer_norm_eps", 1e-7))
        kinds = config.get("pos_att_type") or []
        self._kinds = kinds.split("|") if isinstance(kinds, str) else list(kinds)
        self._bucketed = int(config.get("position_buckets", -1))
        longest = int(config.get("max_relative_positions", -1))
        self._furthest = longest if longest >= 1 else int(self._get_setting("max_position_embeddings"))
        self._span = self._bucketed if self._bucketed > 0 else self._furthest

    def states(self, ids: Sequence[int]) -> Matrix:
        """Return the last hidden states, float64 [T, hidden]."""
        embedded = self._embed(np.asarray(ids, np.int64))
        rows = embedded
        for layer in range(self._layers):
            rows = self._layer(layer, rows)
            if layer == 0 and self.has("encoder.conv.conv.weight"):
                rows = self._convolve(embedded, rows)
        return rows

    def _embed(self, ids: npt.NDArray[np.int64]) -> Matrix:
        rows = self._weight("embeddings.word_embeddings.weight", ids)
        if self.config.get("position_biased_input", True):
            rows = rows + self._weight("embeddings.position_embeddings.weight", np.arange(len(ids)))
        if int(self.config.get("type_vocab_size", 0)) > 0:
            rows = rows + self._weight("embeddings.token_type_embeddings.weight", 0)
        if self.has("embeddings.embed_proj.weight"):
            rows = self._linear("embeddings.embed_proj", rows)
        return self._norm("embeddings.LayerNorm", rows)

    def _layer(self, layer: int, rows: Matrix) -> Matrix:
        at = f"encoder.layer.{layer}"
        context = self._disentangle(f"{at}.attention.self", rows)
        middle = self._norm(
            f"{at}.attention.output.LayerNorm", rows + self._linear(f"{at}.attention.output.dense", context)
        )
        return self._feed_forward(at, middle)

    def _disentangle(self, at: str, rows: Matrix) -> Matrix:
        query, key, value = (self._split(self._linear(f"{at}.{part}_proj", rows)) for part in ("query", "key", "value"))
        scale = math.sqrt(query.shape[-1] * (1 + sum(kind in self._kinds for kind in ("c2p", "p2c"))))
        scores = query @ key.transpose(0, 2, 1) / scale
        if self.config.get("relative_attention") and self._kinds:
            scores = scores + self._of_places(at, query, key) / scale
        return _join_heads(softmax(scores) @ value)

    def _of_places(self, at: str, query: Matrix, key: Matrix) -> Matrix:
        """Return what content and distance give each other, [heads, T, T]."""
        table = self._weight("encoder.rel_embeddings.weight", slice(2 * self._span))
        if "layer_norm" in str(self.config.get("norm_rel_ebd", "none")):
            table = self._norm("encoder.LayerNorm", table)
        shared, distances = self.config.get("share_att_key", False), self._distances(query.shape[1])
        found = np.zeros((len(query), query.shape[1], query.shape[1]))
        if "c2p" in self._kinds:
            places = self._split(self._linear(f"{at}.key_proj" if shared else f"{at}.pos_key_proj", table))
            at_places = np.clip(distances + self._span, 0, 2 * self._span - 1)
            found = found + _look_up(query @ places.transpose(0, 2, 1), at_places)
        if "p2c" in self._kinds:
            places = self._split(self._linear(f"{at}.query_proj" if shared else f"{at}.pos_query_proj", table))
            at_places = np.clip(-distances + self._span, 0, 2 * self._span - 1)
            found = found + _look_up(key @ places.transpose(0, 2, 1), at_places).transpose(0, 2, 1)
        return found

    def _distances(self, length: int) -> npt.NDArray[np.int64]:
        """Return query - key, int64 [T, T], far ones in buckets that grow with their logarithm."""
        distance = np.arange(length)[:, None] - np.arange(length)[None]
        if self._bucketed <= 0 or self._furthest <= 0:
            return distance
        middle = self._bucketed // 2
        size = np.where(np.abs(distance) < middle, middle - 1, np.abs(distance))
        grown = np.log(size / middle) / math.log((self._furthest - 1) / middle) * (middle - 1)
        far = np.ceil(grown) + middle
        return np.where(size <= middle, distance, far * np.sign(distance)).astype(np.int64)

    def _convolve(self, embedded: Matrix, rows: Matrix) -> Matrix:
        """Return the first layer's output with the neighbourhood of each token added."""
        weight = self._weight("encoder.conv.conv.weight")  # [out, in / groups, width]
        width, groups = weight.shape[2], int(self.config.get("conv_groups", 1))
        padded = np.pad(embedded, ((width - 1) // 2, (width - 1) // 2), mode="constant")[:, (width - 1) // 2 :]
        padded = padded[:, : embedded.shape[1]]
        outs = []
        for part, kernel in zip(np.split(padded, groups, axis=1), np.split(weight, groups), strict=True):
            shifted = (part[at : at + len(embedded)] @ kernel[:, :, at].T for at in range(width))
            outs.append(sum(shifted))
        near = np.concatenate(outs, axis=1) + self._weight("encoder.conv.conv.bias")
        activation = self._find_activation(self.config.get("conv_act", "tanh"))
        return self._norm("encoder.conv.LayerNorm", rows + activation(near))

    def pool(self, hidden: Matrix) -> Matrix:
        """Return what the network's own pooler makes of last hidden states, float64 [hidden]."""
        return self._find_activation(self.config.get("pooler_hidden_act", "gelu"))(
            self._linear("pooler.dense", hidden[0])
        )


class ModernBert(ForwardPass):
    """ModernBERT: norms before each part, positions as angles, gates, most layers looking near by only."""

    def __init__(self, config: Mapping[str, Any], state: State) -> None:
        super().__init__(config, state)
        self._epsilon = float(config.get("norm_eps", 1e-5))
        self._activation = self._find_activation(config.get("hidden_activation", "gelu"))
        self._every = int(config.get("global_attn_every_n_layers", 3))

    def states(self, ids: Sequence[int]) -> Matrix:
        """Return the last hidden states, float64 [T, hidden]."""
        return self._norm("final_norm", super().states(ids))

    def _embed(self, ids: npt.NDArray[np.int64]) -> Matrix:
        return self._norm("embeddings.norm", self._weight("embeddings.tok_embeddings.weight", ids))

    def _layer(self, layer: int, rows: Matrix) -> Matrix:
        at = f"layers.{layer}"
        normed = self._norm(f"{at}.attn_norm", rows) if self.has(f"{at}.attn_norm.weight") else rows
        rows = rows + self._linear(f"{at}.attn.Wo", self._attend_turned(layer, self._linear(f"{at}.attn.Wqkv", normed)))
        inner, gate = np.split(self._linear(f"{at}.mlp.Wi", self._norm(f"{at}.mlp_norm", rows)), 2, axis=1)
        return rows + self._linear(f"{at}.mlp.Wo", self._activation(inner) * gate)

    def _attend_turned(self, layer: int, projected: Matrix) -> Matrix:
        query, key, value = (self._split(each) for each in np.split(projected, 3, axis=1))
        size, length = query.shape[-1], query.shape[1]
        far = np.zeros((length, length))
        theta = self.config.get("global_rope_theta", 160_000.0)
        if layer % self._every:
            theta = self.config.get("local_rope_theta") or theta
            distance = np.abs(np.arange(length)[:, None] - np.arange(length)[None])
            far = np.where(distance > int(self.config.get("local_attention", 128)) // 2, -np.inf, 0.0)
        angle = np.arange(length)[:, None] * float(theta) ** -(np.arange(0, size, 2) / size)
        query, key = (_turn(each, np.tile(angle, 2)) for each in (query, key))
        return _join_heads(softmax(query @ key.transpose(0, 2, 1) / math.sqrt(size) + far) @ value)

    def _head(self, hidden: Matrix) -> Matrix:
        mean = self.config.get("classifier_pooling", "cls") == "mean"
        pooled = hidden.mean(0) if mean else hidden[0]
        activation = self._find_activation(self.config.get("classifier_activation", "gelu"))
        return self._linear("classifier", self._norm("head.norm", activation(self._linear("head.dense", pooled))))


def _join_heads(heads: Matrix) -> Matrix:
    """Return [heads, T, size] as rows [T, heads * size]."""
    return heads.transpose(1, 0, 2).reshape(heads.shape[1], -1)


def _look_up(scores: Matrix, places: npt.NDArray[np.int64]) -> Matrix:
    """Return scores [heads, T, places] at places [T, T], as [heads, T, T]."""
    return np.take_along_axis(scores, np.broadcast_to(places, (len(scores), *places.shape)), axis=2)


def _turn(rows: Matrix, angles: Matrix) -> Matrix:
    """Return rows [heads, T, size] turned by angles [T, size]."""
    first, second = np.split(rows, 2, axis=-1)
    return np.asarray(rows * np.cos(angles) + np.concatenate([-second, first], axis=-1) * np.sin(angles))


FAMILIES: Final[Mapping[str, type[ForwardPass]]] = {
    "bert": ForwardPass,
    "roberta": Roberta,
    "xlm-roberta": Roberta,
    "camembert": Roberta,
    "electra": Electra,
    "distilbert": DistilBert,
    "albert": Albert,
    "mpnet": Mpnet,
    "deberta-v2": DebertaV2,
    "modernbert": ModernBert,
}


def build_forward_pass(config: Mapping[str, Any], state: State) -> ForwardPass:
    """Return the forward pass of a checkpoint; UnreadableInput for a family that is not known."""
    family = str(config.get("model_type"))
    if family not in FAMILIES:
        raise UnreadableInput(f"config.json says model_type {family[:40]!r}; known are {', '.join(FAMILIES)}")
    return FAMILIES[family](config, state)
