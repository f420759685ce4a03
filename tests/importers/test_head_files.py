"""Heads in Keras files against Keras itself, the encoder left out; needs TensorFlow: `make test-tensorflow`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.models import probes

pytest.importorskip("tensorflow")
h5py = pytest.importorskip("h5py")
keras = pytest.importorskip("keras")

from assay.errors import AssayError, InvalidOption, UnreadableInput
from assay.models.loading import load_folder
from tests.importers import checkpoints, stored
from tests.importers.heads import nested_model
from tests.importers.samples import TEXTS
from tests.importers.test_keras import saved
from tools.models.importers import forward_pass
from tools.models.importers.head import pooling_of, read_head
from tools.models.importers.head_graph import head_path
from tools.models.importers.keras import read_keras_config
from tools.models.importers.result import ImportRequest
from tools.models.importing import kind_of, make_bundle

K = keras.layers
SIZE = 24
NOBODY = ImportRequest(Path("head.keras"))


@keras.saving.register_keras_serializable("mine")
class Wrapped(K.Layer):  # type: ignore[misc, name-defined]
    """A layer of somebody's own; `rank` 3 gives the states of all tokens."""

    def __init__(self, rank: int = 2, **options: Any) -> None:
        super().__init__(**options)
        self.rank = rank

    def call(self, ids: Any) -> Any:
        states = keras.ops.repeat(keras.ops.expand_dims(keras.ops.cast(ids, "float32"), -1), SIZE, axis=-1)
        return states if self.rank == 3 else states[:, 0]

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape, SIZE) if self.rank == 3 else (shape[0], SIZE)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rank": self.rank, "nested": {"class_name": "Dense", "config": {"units": 7}}}


@keras.saving.register_keras_serializable("mine")
class MeanOverTokens(Wrapped):
    """A layer whose name says that it pools otherwise."""


@keras.saving.register_keras_serializable("mine")
class Gate(K.Layer):  # type: ignore[misc, name-defined]
    """A layer between the encoder and the output that nobody knows."""

    def call(self, rows: Any) -> Any:
        return rows * 2


def deep(*, first: Any = None) -> Any:
    layers = [K.Dense(16, activation="gelu"), K.Dropout(0.2), K.BatchNormalization(), K.Dense(8, use_bias=False)]
    more = [K.LayerNormalization(), K.Activation("swish"), K.ReLU(), K.Dense(19, activation="sigmoid", name="out")]
    return keras.Sequential([first or keras.Input((SIZE,)), *layers, *more])


def nested() -> Any:
    source = keras.Input((SIZE,))
    inner = keras.Sequential([keras.Input((SIZE,)), K.Dense(16, activation="elu"), K.Dense(12)])
    whole = keras.Model(source, K.Dense(6, activation="selu")(K.Dropout(0.1)(inner(source))))
    outer = keras.Input((SIZE,))
    return keras.Model(outer, K.Dense(3, activation="softmax")(whole(outer)))


def functional() -> Any:
    source = keras.Input((SIZE,))
    rows = K.Dense(5, activation="mish", name="b")(K.Dense(9, activation="tanh", name="a")(source))
    return keras.Model(source, K.Activation("sigmoid")(K.Dense(3, name="c")(rows)))


@pytest.mark.parametrize("name", ["head.keras", "head.h5"])
@pytest.mark.parametrize("network", [deep, nested, functional])
def test_a_head_s_steps_give_what_keras_gives(tmp_path: Path, network: Any, name: str) -> None:
    model = network()
    head = read_head(saved(tmp_path, model, name)).head
    states = np.random.default_rng(1).normal(size=(5, SIZE)).astype(np.float32)
    logits = np.stack([head.logits(row) for row in states]).astype(np.float64)
    grown = np.exp(logits)
    found = 1 / (1 + 1 / grown) if head.activation == "sigmoid" else grown / grown.sum(-1, keepdims=True)
    np.testing.assert_allclose(found, model.predict(states, verbose=0), atol=1e-5)
    assert (head.inputs, head.outputs) == (SIZE, model.output_shape[-1])


def around(layer: Any, pooled: Any = None, *, units: int = 3) -> Any:
    ids = keras.Input((None,), dtype="int32")
    rows = layer(ids)
    return keras.Model(ids, K.Dense(units)(pooled(rows) if pooled else rows))


POOLED: dict[str, tuple[Any, str | None]] = {
    "a layer that pools itself": (lambda: around(Wrapped()), None),
    "a slice": (lambda: around(Wrapped(3), lambda rows: rows[:, 0, :]), "cls"),
    "a shorter slice": (lambda: around(Wrapped(3), lambda rows: rows[:, 0]), "cls"),
    "a mean": (lambda: around(Wrapped(3), K.GlobalAveragePooling1D()), "mean"),
    "a maximum": (lambda: around(Wrapped(3), K.GlobalMaxPooling1D()), "max"),
    "an operation": (lambda: around(Wrapped(3), lambda rows: keras.ops.mean(rows, axis=1)), "mean"),
    "a Lambda": (lambda: around(Wrapped(3), K.Lambda(lambda rows: rows[:, 0, :], output_shape=(SIZE,))), None),
}


@pytest.mark.parametrize("name", ["head.keras", "head.h5"])
@pytest.mark.parametrize("case", POOLED)
def test_pooling_is_what_the_graph_says(tmp_path: Path, case: str, name: str) -> None:
    make, pooling = POOLED[case]
    file = read_head(saved(tmp_path, make(), name))
    assert file.path.pooling == pooling
    assert pooling_of(NOBODY, file.path) == (pooling or "cls")
    assert file.path.encoder is not None
    assert (file.path.encoder.kind, file.path.unread is not None) == ("Wrapped", case == "a Lambda")


def test_code_that_may_pool_otherwise_is_asked_for(tmp_path: Path) -> None:
    other = K.Lambda(lambda rows: keras.ops.mean(rows, axis=1), output_shape=(SIZE,), name="squeezed")
    for at, model in enumerate((around(Wrapped(3), other), around(MeanOverTokens()))):
        file = read_head(saved(tmp_path, model, f"{at}.keras"))
        with pytest.raises(InvalidOption, match=r"is code, which is not run, and speaks of '[Mm]ean': say"):
            pooling_of(NOBODY, file.path)
        assert pooling_of(ImportRequest(Path("x"), pooling="mean"), file.path) == "mean"
    sliced = read_head(saved(tmp_path, around(Wrapped(3), lambda rows: rows[:, 0]), "sliced.keras"))
    assert (
        pooling_of(ImportRequest(Path("x"), pooling="mean"), sliced.path) == "mean"
    )  # what the code gives may be pooled


def two_outputs() -> Any:
    source = keras.Input((SIZE,))
    return keras.Model(source, [K.Dense(1)(source), K.Dense(1)(source)])


def joined() -> Any:
    source = keras.Input((SIZE,))
    return keras.Model(source, K.Dense(3)(K.Concatenate()([K.Dense(4)(source), K.Dense(4)(source)])))


REFUSED: dict[str, tuple[Any, str | None]] = {
    "Gate": (lambda: around(Wrapped(), Gate()), r"the layer Gate \(gate.*\) stands between the encoder and the output"),
    "a slice elsewhere": (lambda: around(Wrapped(3), lambda rows: rows[:, 1]), "GetItem"),
    "layers before": (lambda: around(lambda ids: Gate()(K.Dense(4)(Wrapped()(ids)))), r"the layer Gate \(gate"),
    "two outputs": (two_outputs, "2 outputs"),
    "two ways": (joined, r"the layer Concatenate \(concatenate.*\) "),
    "no layer": (lambda: around(Wrapped(), lambda rows: rows, units=3), None),
    "an activation": (lambda: around(Wrapped(), K.Dense(4, activation="exponential")), "'exponential', which is not"),
    "the last activation": (lambda: keras.Sequential([keras.Input((4,)), K.Dense(3, "tanh")]), "ends in tanh"),
    "softmax inside": (lambda: around(Wrapped(), K.Dense(4, activation="softmax")), "softmax before its last"),
    "states changed first": (
        lambda: around(Wrapped(3), lambda rows: K.GlobalMaxPooling1D()(K.Dense(4)(rows))),
        "before",
    ),
    "no Dense": (lambda: keras.Sequential([keras.Input((4,)), K.Dropout(0.1)]), "no Dense layer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_first_layer_that_no_head_may_have_is_named(tmp_path: Path, case: str) -> None:
    make, complaint = REFUSED[case]
    path = saved(tmp_path, make())
    if complaint is None:
        assert read_head(path).head.outputs == 3
        return
    with pytest.raises(UnreadableInput, match=complaint):
        read_head(path)


def test_an_encoder_s_own_weights_in_the_file_are_read(tmp_path: Path) -> None:
    path = saved(tmp_path, around(Wrapped()), "head.h5")
    table, kernel = np.ones((9, SIZE), np.float32), np.arange(6, dtype=np.float32).reshape(2, 3)
    with h5py.File(path, "a") as file:
        name = next(each for each in file["model_weights"] if each.startswith("wrapped"))
        group = file["model_weights"][name].create_group("scibert/tf_bert_model/bert")
        group["embeddings/word_embeddings/weight:0"] = table
        group["encoder/layer_._0/attention/self/query/kernel:0"] = kernel
    own = read_head(path).own
    assert np.array_equal(own["bert.embeddings.word_embeddings.weight"], table)
    assert np.array_equal(own["bert.encoder.layer.0.attention.self.query.weight"], kernel.T)
    with h5py.File(path, "a") as file:
        del file["model_weights"][name]["scibert/tf_bert_model/bert/embeddings"]
    with pytest.raises(UnreadableInput, match="1 weights in the file"):
        read_head(path)


def keras_2(kind: str) -> dict[str, Any]:
    """Return a configuration as Keras 2 writes it, its first-token slice by an operation or a Lambda."""
    free = {"start": None, "stop": None, "step": None}
    items = [free, 0, free]
    call: list[Any] = [["bert", 0, 0, {}]]
    config: dict[str, Any] = {"name": "cls", "function": ["4wEA", None, None], "function_type": "lambda"}
    if kind == "SlicingOpLambda":
        call = [["bert", 0, 0, {"slice_spec": {"class_name": "__tuple__", "items": items}}]]
        config = {"name": "cls", "function": "__operators__.getitem"}
    layers = [
        {"class_name": "InputLayer", "config": {"name": "ids"}, "name": "ids", "inbound_nodes": []},
        {
            "class_name": "TFBertModel",
            "config": {"config": {"a": 1}},
            "name": "bert",
            "inbound_nodes": [[["ids", 0, 0, {}]]],
        },
        {"class_name": kind, "config": config, "name": "cls", "inbound_nodes": [call]},
        {
            "class_name": "Dense",
            "config": {"name": "out", "units": 18},
            "name": "out",
            "inbound_nodes": [[["cls", 0, 0, {}]]],
        },
    ]
    return {"class_name": "Functional", "config": {"layers": layers, "output_layers": [["out", 0, 0]]}}


@pytest.mark.parametrize(("kind", "pooling"), [("SlicingOpLambda", "cls"), ("Lambda", None)])
def test_graphs_of_keras_2_are_read(kind: str, pooling: str | None) -> None:
    path = head_path(keras_2(kind))
    assert path.encoder is not None
    assert (path.encoder.kind, path.pooling) == ("TFBertModel", pooling)
    pooled = keras_2(kind)
    pooled["config"]["layers"][3]["inbound_nodes"] = [[["bert", 0, 1, {}]]]
    assert head_path(pooled).pooling == "pooler"


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_configuration_changed_anywhere_is_read_or_refused_in_words(tmp_path: Path, data: Any) -> None:
    """Every place of a real file's configuration, with any value in it or nothing."""
    path = tmp_path / "real.keras"
    if not path.exists():
        around(Wrapped(3), lambda rows: rows[:, 0, :]).save(path)
        (tmp_path / "config.json").write_text(json.dumps(read_keras_config(path)))
    config = json.loads((tmp_path / "config.json").read_text())
    at: Any = config
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.integers(0, 4)) == 0:
            break
        at = at[key]
    if data.draw(st.booleans()):
        at[key] = data.draw(JSON)
    else:
        del at[key]
    try:
        found = head_path(config)
    except AssayError:
        return
    assert found.steps is not None


def test_the_head_that_is_replaced_answers_as_numpy_does(tmp_path: Path) -> None:
    """From the file to the bundle, without PyTorch: 19 labels over the first token of a small encoder."""
    pytest.importorskip("transformers")
    safetensors = pytest.importorskip("safetensors.numpy")
    encoder, case, state = tmp_path / "encoder", stored.cases()["bert"], stored.weights_of("bert")
    checkpoints.write_tokenizer(encoder, "Bert")
    (encoder / "config.json").write_text(json.dumps(case["config"]))
    safetensors.save_file(state, encoder / "model.safetensors")
    model = nested_model(19)
    model.save(tmp_path / "head.keras")
    labels = tuple(f"archive-{at}" for at in range(19))
    wish = ImportRequest(tmp_path / "head.keras", encoder=encoder, labels=labels, quantize="none", max_tokens=60)
    _, report = make_bundle(wish, kind_of(wish), "archives", "1", "", tmp_path / "bundle")
    bundle = load_folder(tmp_path / "bundle", 1)
    kernel, bias = model.layers[-1].get_weights()
    network = forward_pass.build_forward_pass(case["config"], state)
    hidden = [network.states(bundle.tokenizer.encode([text])[0].ids.tolist())[0] for text in TEXTS]
    expected = 1 / (1 + np.exp(-(np.stack(hidden) @ kernel + bias)))
    np.testing.assert_allclose(probes.score_probes(bundle, TEXTS), expected, atol=1e-4)
    assert "the custom layer ExtractCLSOutput is taken for the encoder and was not run" in report[0]
