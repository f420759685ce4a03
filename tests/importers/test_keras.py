"""Keras files against Keras itself; needs TensorFlow: `make test-tensorflow`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.models import probes

pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

from assay.errors import BundleInvalid, InvalidOption, UnreadableInput
from assay.models.loading import SequenceScorer, load_folder
from assay.sequences.contract import Contract
from tests.importers.samples import EDGES, TEXTS, TOKENIZER, one_hot
from tools.models.importers.keras import LAYERS, objects, read_keras_config, refuse_code
from tools.models.importers.result import ImportRequest
from tools.models.importing import make_bundle

K = keras.layers


def convolutional() -> Any:
    shape = [keras.Input((50, 20)), K.Conv1D(8, 5, activation="relu"), K.BatchNormalization(), K.GlobalMaxPooling1D()]
    return keras.Sequential([*shape, K.Dropout(0.2), K.Dense(1)])


def flat() -> Any:
    regular = keras.regularizers.L2(1e-3)
    return keras.Sequential(
        [keras.Input((1000,)), K.Dense(8, activation="gelu", kernel_regularizer=regular), K.Dense(1)]
    )


def embedded() -> Any:
    source = keras.Input((50,), dtype="int32")
    rows = K.Rescaling(1.0, 0.5)(K.Embedding(20, 6)(source))
    return keras.Model(source, K.Dense(1)(K.Bidirectional(K.GRU(4))(rows)))


def texts(activation: str | None, width: int | None = None) -> Any:
    ids, mask = (keras.Input((width,), dtype="int32", name=name) for name in ("input_ids", "attention_mask"))
    weight = keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1)
    pooled = keras.ops.sum(K.Embedding(200, 8)(ids) * weight, 1) / keras.ops.sum(weight, 1)
    return keras.Model([ids, mask], K.Dense(3, activation=activation)(pooled))


def saved(tmp_path: Path, model: Any, name: str = "model.keras") -> Path:
    keras.utils.set_random_seed(4)
    model.set_weights([np.random.default_rng(5).normal(0, 0.3, each.shape) ** 2 for each in model.get_weights()])
    model.save(tmp_path / name)
    return tmp_path / name


def imported(tmp_path: Path, wish: ImportRequest, kind: str = "keras") -> Path:
    make_bundle(wish, kind, "mine", "1", "MIT", tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize(("network", "encode"), [(convolutional, "one_hot"), (flat, "flat"), (embedded, "index")])
def test_scores_are_those_of_keras(tmp_path: Path, network: Any, encode: str, name: str) -> None:
    model = network()
    folder = imported(tmp_path, ImportRequest(saved(tmp_path, model, name)))
    given = {"one_hot": one_hot(EDGES), "flat": one_hot(EDGES).reshape(len(EDGES), -1), "index": EDGES.astype("int32")}
    loaded = load_folder(folder, 1)
    assert (loaded.manifest.format, loaded.manifest.licence) == ("tflite", "MIT")
    served = SequenceScorer(loaded).score(EDGES)
    np.testing.assert_allclose(served, model.predict(given[encode], verbose=0).ravel(), atol=1e-4)
    assert np.ptp(served) > 0.01


def test_indices_may_begin_at_1(tmp_path: Path) -> None:
    source = keras.Input((50,), dtype="int32")
    model = keras.Model(source, K.Dense(1)(K.Flatten()(K.Embedding(21, 3)(source))))
    folder = imported(tmp_path, ImportRequest(saved(tmp_path, model), first_index=1))
    served = SequenceScorer(load_folder(folder, 1)).score(EDGES)
    np.testing.assert_allclose(served, model.predict(EDGES.astype("int32") + 1, verbose=0).ravel(), atol=1e-4)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_compiled_model_is_taken_without_its_optimizer(tmp_path: Path, name: str) -> None:
    model = convolutional()
    model.compile("adam", loss="mse", metrics=["mae"])
    model.fit(one_hot(EDGES), np.zeros(len(EDGES)), verbose=0)
    imported(tmp_path, ImportRequest(saved(tmp_path, model, name)))


def test_int8_weights_stay_within_their_tolerance(tmp_path: Path) -> None:
    path = saved(tmp_path, flat())
    folder = imported(tmp_path, ImportRequest(path, quantize="int8"))
    assert (folder / "model.tflite").stat().st_size < 20_000
    with pytest.raises(BundleInvalid, match="differs from its source"):
        make_bundle(ImportRequest(path, quantize="int8", tolerance=1e-9), "keras", "mine", "1", "", tmp_path / "strict")


@pytest.mark.parametrize(("activation", "shown"), [(None, "sigmoid"), ("sigmoid", "none"), ("softmax", "none")])
@pytest.mark.parametrize("width", [None, 24])
def test_texts_are_scored_as_by_keras(tmp_path: Path, activation: Any, shown: str, width: int | None) -> None:
    model = texts(activation, width)
    wish = ImportRequest(
        saved(tmp_path, model), labels=("a", "b", "c"), tokenizer=TOKENIZER, max_tokens=40, quantize="none"
    )
    loaded = load_folder(imported(tmp_path, wish), 1)
    assert loaded.manifest.text is not None
    assert (loaded.manifest.text.activation, loaded.manifest.text.max_tokens) == (shown, width or 40)
    expected = []
    from assay.models.text_classifier import TextClassifier

    for tokens in TextClassifier(loaded)._tokenizer.encode(TEXTS):
        ids = np.pad(tokens.ids, (0, (width or len(tokens.ids)) - len(tokens.ids)))[None]
        mask = (np.arange(ids.shape[1]) < len(tokens.ids)).astype("int32")[None]
        raw = model.predict([ids, mask], verbose=0)[0]
        expected.append(1 / (1 + np.exp(-raw)) if activation is None else raw)
    np.testing.assert_allclose(probes.score_probes(loaded, TEXTS), expected, atol=1e-5)


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    path = saved(tmp_path, texts(None))
    with pytest.raises(InvalidOption, match="--tokenizer"):
        imported(tmp_path, ImportRequest(path))
    with pytest.raises(InvalidOption, match="3 outputs"):
        imported(tmp_path, ImportRequest(path, tokenizer=TOKENIZER, labels=("a", "b")))


def two_outputs() -> Any:
    source = keras.Input((50, 20))
    return keras.Model(source, [K.Dense(1)(K.Flatten()(source)), K.Dense(1)(K.Flatten()(source))])


def two_inputs() -> Any:
    pair = keras.Input((50, 20)), keras.Input((50, 20))
    return keras.Model(pair, K.Dense(1)(K.Flatten()(K.Concatenate()(pair))))


@pytest.mark.parametrize(
    ("network", "complaint"),
    [
        (two_outputs, "2 outputs"),
        (two_inputs, "neither one of sequences"),
        (lambda: keras.Sequential([keras.Input((50, 20)), K.Flatten(), K.Dense(3)]), "one number each"),
        (lambda: keras.Sequential([keras.Input((43, 20)), K.Flatten(), K.Dense(1)]), "--length"),
    ],
)
def test_networks_of_another_shape_are_refused_in_words(tmp_path: Path, network: Any, complaint: str) -> None:
    with pytest.raises(UnreadableInput, match=complaint):
        imported(tmp_path, ImportRequest(saved(tmp_path, network())))
    assert not (tmp_path / "bundle").exists()


def test_another_length_and_alphabet_can_be_said(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((8, 4)), K.Flatten(), K.Dense(1)])
    folder = imported(tmp_path, ImportRequest(saved(tmp_path, model), contract=Contract("ACGT", 8)))
    assert load_folder(folder, 1).manifest.inputs[0].shape == (512, 8)


def test_every_layer_that_is_accepted_exists() -> None:
    known = {name for name in LAYERS if hasattr(keras.layers, name) or name == "InputLayer"}
    assert LAYERS - known == set()


def test_configurations_of_keras_itself_are_accepted(tmp_path: Path) -> None:
    for network in (convolutional, flat, embedded, lambda: texts("softmax")):
        config = read_keras_config(saved(tmp_path, network()))
        assert len(list(objects(config))) > 3
        refuse_code(config)


def keras_2(kind: str) -> Any:
    old = pytest.importorskip("tf_keras")
    L, source = old.layers, old.Input((50, 20))  # noqa: N806
    if kind == "batch norm":
        rows = L.GlobalMaxPooling1D()(L.BatchNormalization()(L.Conv1D(4, 3, activation="relu")(source)))
    elif kind == "slice":
        rows = L.Dense(4)(source)[:, 0, :]
    else:
        rows = getattr(L, kind)(4)(source)
    model = old.Model(source, L.Dense(1)(rows))
    random = np.random.default_rng(8)
    model.set_weights([random.normal(0, 0.3, each.shape) ** 2 for each in model.get_weights()])
    return model


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN", "batch norm", "slice"])
def test_files_of_keras_2_are_read_by_tf_keras(tmp_path: Path, kind: str, name: str) -> None:
    model = keras_2(kind)
    model.save(tmp_path / name)
    loaded = load_folder(imported(tmp_path, ImportRequest(tmp_path / name)), 1)
    served = SequenceScorer(loaded).score(EDGES)
    np.testing.assert_allclose(served, model.predict(one_hot(EDGES), verbose=0).ravel(), atol=1e-4)
    assert np.ptp(served) > 1e-3


def test_a_file_of_keras_2_says_what_to_do_where_tf_keras_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras_2("GRU").save(tmp_path / "gru.h5")
    monkeypatch.setitem(__import__("sys").modules, "tf_keras", None)
    with pytest.raises(UnreadableInput, match=r"saved by Keras 2\..*install tf-keras .* or export .* SavedModel"):
        imported(tmp_path, ImportRequest(tmp_path / "gru.h5"))


def test_operations_of_keras_2_by_name_are_refused_but_slices(tmp_path: Path) -> None:
    config = {"name": "x", "function": "io.read_file"}
    for kind in ("SlicingOpLambda", "TFOpLambda"):
        with pytest.raises(UnreadableInput, match="holds code of its author"):
            refuse_code({"class_name": kind, "config": config})
    refuse_code({"class_name": "SlicingOpLambda", "config": config | {"function": "__operators__.getitem"}})
