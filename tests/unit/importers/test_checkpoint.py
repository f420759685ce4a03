"""What makes up a network is checked before anything is built; no TensorFlow is needed for it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import UnreadableInput
from tests.importers import stored
from tools.models.architecture import NUMPY, TRANSFORMERS, Architecture
from tools.models.families import FAMILIES, read_architecture
from tools.models.importers import forward_pass
from tools.models.importers.checkpoint import read_network

CASES = stored.cases()
PLAIN = [name for name in CASES if "," not in name]
FREE = ("word_embeddings.weight", "position_embeddings.weight", "token_type_embeddings.weight", "embeddings.weight")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", PLAIN)
def test_a_weight_that_is_missing_or_misshaped_is_named(name: str) -> None:
    whole = stored.weights_of(name)
    encoder = [key for key in whole if "classifier" not in key and "pooler" not in key and not key.startswith("head.")]
    assert len(encoder) > 12
    for key in encoder:
        with pytest.raises(UnreadableInput, match="the checkpoint"):
            read_network(CASES[name]["config"], {other: value for other, value in whole.items() if other != key})
    for key in encoder:
        if not key.endswith(FREE):
            cut = {**whole, key: whole[key][:-1]}
            with pytest.raises(UnreadableInput, match=r"the checkpoint|config"):
                read_network(CASES[name]["config"], cut)


def test_numbers_that_are_not_finite_are_refused() -> None:
    whole = stored.weights_of("bert")
    whole["bert.encoder.layer.1.output.dense.weight"][0, 0] = np.nan
    with pytest.raises(UnreadableInput, match=r"layer\.1\.output\.weight holds numbers that are not finite"):
        read_network(CASES["bert"]["config"], whole)


@given(name=st.sampled_from(sorted(CASES)), data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_configuration_is_read_or_refused_in_words(name: str, data: Any) -> None:
    """No value of any key, and no key that is missing, ends in anything but an architecture or UnreadableInput."""
    config = dict(CASES[name]["config"])
    for key in data.draw(st.lists(st.sampled_from(sorted(config)), min_size=1, max_size=3)):
        if data.draw(st.booleans()):
            config[key] = data.draw(JSON)
        else:
            config.pop(key, None)
    refused = ""
    try:
        assert isinstance(read_architecture(config, "cls"), Architecture)
    except UnreadableInput as error:
        refused = error.message
    assert not refused or refused.startswith("config.json: ")


@given(name=st.sampled_from(PLAIN), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_network_of_a_wrong_configuration_is_refused_in_words(name: str, data: Any) -> None:
    """Sizes that config.json and the weights do not share are found before a network is made of them."""
    numbers = sorted(key for key, value in CASES[name]["config"].items() if type(value) is int)
    key = data.draw(st.sampled_from(numbers))
    config = {**CASES[name]["config"], key: data.draw(st.integers(-3, 300))}
    try:
        shape, weights = read_network(config, stored.weights_of(name))
    except UnreadableInput:
        return
    hidden = len(weights[f"{shape.layer_name(0)}.query.weight"])
    assert hidden % shape.heads == 0
    assert all(f"{shape.layer_name(at)}.norm.weight" in weights for at in range(shape.layers))


@given(name=st.sampled_from(sorted(CASES)), data=st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_served_is_what_the_reference_reads(name: str, data: Any) -> None:
    """A configuration that makes a network makes a forward pass too, or lacks a key that this one needs."""
    config, weights = dict(CASES[name]["config"]), stored.weights_of(name)
    for key in data.draw(st.lists(st.sampled_from(sorted(config)), min_size=1, max_size=2)):
        config[key] = data.draw(JSON | st.sampled_from([None, True, 0, 1, 2, 7, "relu", "c2p", ["p2c"], 24, 70]))
    try:
        read_network(config, weights)
        logits = forward_pass.build_forward_pass(config, weights).logits([1, 5, 6, 7])
    except UnreadableInput:
        return
    assert np.isfinite(logits).all()


def test_every_activation_has_its_reference() -> None:
    assert set(TRANSFORMERS) <= set(forward_pass.ACTIVATIONS)
    points = np.linspace(-9, 9, 101)
    for name, canonical in TRANSFORMERS.items():
        np.testing.assert_allclose(NUMPY[canonical](points), forward_pass.ACTIVATIONS[name](points), atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"hidden_act": "gelu_ultra"}, "hidden_act is 'gelu_ultra', which is not served: only gelu"),
        ({"hidden_act": ["gelu"]}, "hidden_act is .*and must be a text"),
        ({"num_hidden_layers": "two"}, "num_hidden_layers is 'two', and must be a whole number from 1"),
        ({"num_attention_heads": 5}, "5 heads can't share 24 numbers evenly"),
        ({"layer_norm_eps": float("nan")}, "layer_norm_eps is nan"),
        ({"is_decoder": True}, "is_decoder is True: a text is read as a whole"),
        ({"pruned_heads": {"0": [1]}}, "pruned_heads"),
        ({"position_embedding_type": "relative_key"}, "relative_key"),
        ({"model_type": "t5"}, "'t5', which is not one of bert, .*SavedModel"),
        ({"model_type": ["bert"]}, "model_type"),
    ],
)
def test_each_setting_that_is_not_served_is_named(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnreadableInput, match=complaint):
        read_network({**CASES["bert"]["config"], **changes}, stored.weights_of("bert"))


@pytest.mark.parametrize(("pad", "offset"), [(0, 1), (1, 2), (3, 4)])
def test_positions_begin_behind_that_of_the_pad_token(pad: int, offset: int) -> None:
    config = {**CASES["roberta"]["config"], "pad_token_id": pad}
    shape, _ = read_network(config, stored.weights_of("roberta"))
    assert shape.position_offset == offset
    assert len(FAMILIES) >= 10


def test_weights_of_half_precision_are_read_as_numbers() -> None:
    half = {name: value.astype(np.float16) for name, value in stored.weights_of("bert").items()}
    _, weights = read_network(CASES["bert"]["config"], half)
    assert {value.dtype.name for value in weights.values()} == {"float32"}
