"""Integer bodies: what the quantizer makes of networks, and `assay models import --quantize static`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from assay.errors import InvalidOption, UnreadableInput
from assay.models.loading import SequenceScorer, load_folder
from assay.sequences.blocks import decode
from tests.importers.samples import TOKENIZER, one_hot
from tools.models.importers.result import ImportRequest
from tools.models.importing import make_bundle
from tools.models.metrics import spearman
from tools.models.static_quantization import Graph, round_to_exact

K = keras.layers
ROWS = np.random.default_rng(8).integers(0, 20, (700, 50)).astype(np.uint8)


def convolutional() -> Any:
    body = [K.Conv1D(16, 7, padding="same", activation="relu"), K.Conv1D(16, 5, strides=2, activation="relu")]
    head = [K.Flatten(), K.Dense(24, activation="relu"), K.Dense(1)]
    return keras.Sequential([keras.Input((50, 20)), *body, *head])


def pooled() -> Any:
    body = [K.Conv1D(16, 7, activation="relu"), K.BatchNormalization(), K.GlobalAveragePooling1D()]
    return keras.Sequential([keras.Input((50, 20)), *body, K.Dense(1, activation="sigmoid")])


def residual() -> Any:
    source = keras.Input((50,), dtype="int32")
    rows = K.Embedding(20, 8)(source)
    rows = K.Add()([rows, K.SeparableConv1D(8, 5, padding="same", activation="relu")(rows)])
    return keras.Model(source, K.Dense(1)(K.Dense(16, activation="relu")(K.GlobalMaxPooling1D()(rows))))


def saved(folder: Path, model: Any) -> Path:
    keras.utils.set_random_seed(4)
    model.set_weights([np.random.default_rng(5).normal(0.05, 0.3, each.shape) for each in model.get_weights()])
    for layer in model.layers:
        if isinstance(layer, K.BatchNormalization):
            layer.set_weights([np.abs(each) for each in layer.get_weights()])
    model.save(folder / "model.keras")
    return folder / "model.keras"


def imported(tmp_path: Path, wish: ImportRequest, name: str = "bundle") -> tuple[Path, list[str]]:
    _, report = make_bundle(wish, "keras", "mine", "1", "MIT", tmp_path / name)
    return tmp_path / name, report


@pytest.mark.parametrize("given_rows", [True, False], ids=["representative", "sampled"])
@pytest.mark.parametrize("network", [convolutional, pooled, residual])
def test_an_integer_body_ranks_as_its_source_does(tmp_path: Path, network: Any, given_rows: bool) -> None:
    model = network()
    path, rows = saved(tmp_path, model), tmp_path / "rows.txt"
    rows.write_text("\n".join(decode(ROWS)) + "\n", "ascii")
    wish = ImportRequest(path, quantize="static", representative=rows if given_rows else None, batch=64)
    folder, report = imported(tmp_path, wish)
    encoded = ROWS.astype("int32") if network is residual else one_hot(ROWS)
    expected = model.predict(encoded, verbose=0).ravel()
    scores = SequenceScorer(load_folder(folder, 1)).score(ROWS)
    assert spearman(scores, expected) > 0.99
    assert len(np.unique(scores)) > 500
    assert json.loads((folder / "manifest.json").read_text())["quantization"] == "static"
    assert any(("700 rows" if given_rows else "2,048 rows") in line for line in report)


def test_the_body_is_of_integers_and_the_last_layer_is_not(tmp_path: Path) -> None:
    folder, _ = imported(tmp_path, ImportRequest(saved(tmp_path, convolutional()), quantize="static", batch=64))
    graph = Graph((folder / "model.tflite").read_bytes())
    dtypes = {each: graph.dtype(int(each.inputs[1])) for each in (*graph.body, *graph.tail) if graph.is_weighted(each)}
    assert [dtypes[each] for each in graph.body] == ["int8"] * 3
    assert [dtypes[each] for each in graph.tail if each in dtypes] == ["float32"]


def test_every_sum_of_the_last_layer_is_exact_in_any_order(tmp_path: Path) -> None:
    folder, _ = imported(tmp_path, ImportRequest(saved(tmp_path, convolutional()), quantize="static", batch=64))
    graph = Graph((folder / "model.tflite").read_bytes())
    (last,) = [each for each in graph.tail if graph.is_weighted(each)]
    weights, bias = (graph.constant(int(each)) for each in last.inputs[1:])
    unit = graph.scale(int(graph.maker(int(last.inputs[0])).inputs[0]))
    assert np.log2(unit) == np.rint(np.log2(unit))
    random = np.random.default_rng(3)
    for _ in range(20):
        steps = random.integers(0, 256, weights.shape[1]).astype(np.float32) * np.float32(unit)
        terms = np.concatenate([steps * weights[0], bias]).astype(np.float32)
        sums = {float(np.add.accumulate(random.permutation(terms), dtype=np.float32)[-1]) for _ in range(5)}
        assert sums == {float(terms.astype(np.float64).sum())}


@settings(deadline=None, max_examples=60)
@given(some.integers(1, 200), some.integers(-20, 20), some.integers(0, 1 << 30))
def test_weights_on_the_grid_are_near_and_their_sums_fit(inputs: int, size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    weights, bias = random.normal(0, 2.0**size, (2, inputs)), random.normal(0, 2.0**size, 2)
    found, shift = round_to_exact(weights, bias, 0.0625)
    assert (found.astype(np.float32) == found).all()
    assert np.abs(found - weights).max() <= np.abs(weights).max() * inputs * 2.0**-15
    assert np.abs(shift - bias).max() <= np.abs(found - weights).max() + np.abs(bias).max() * 2.0**-15


def test_equal_constants_that_share_a_buffer_are_told_apart(tmp_path: Path) -> None:
    model = convolutional()
    path = saved(tmp_path, model)  # whose weights begin alike, so the first dense bias is the last layer's weights
    folder, _ = imported(tmp_path, ImportRequest(path, quantize="static", batch=64))
    scores = SequenceScorer(load_folder(folder, 1)).score(ROWS)
    expected = model.predict(one_hot(ROWS), verbose=0).ravel()
    assert np.abs(scores - expected).max() < 0.05 * np.ptp(expected)


def test_the_same_request_gives_the_same_file(tmp_path: Path) -> None:
    wish = ImportRequest(saved(tmp_path, convolutional()), quantize="static", batch=64)
    files = [imported(tmp_path, wish, name)[0] / "model.tflite" for name in ("one", "two")]
    assert files[0].read_bytes() == files[1].read_bytes()


def linear() -> Any:
    return keras.Sequential([keras.Input((50, 20)), K.Flatten(), K.Dense(1)])


@pytest.mark.parametrize(
    ("network", "more", "kind", "told"),
    [
        (linear, {"quantize": "static"}, InvalidOption, "one layer with weights"),
        (convolutional, {"representative": Path("rows.txt")}, InvalidOption, "--quantize static"),
        (convolutional, {"quantize": "static", "representative": Path("none.txt")}, UnreadableInput, "can't be read"),
        (convolutional, {"quantize": "static", "representative": Path(__file__)}, UnreadableInput, "no sequence"),
    ],
)
def test_what_cannot_be_quantized_is_told(
    tmp_path: Path, network: Any, more: dict[str, Any], kind: type[Exception], told: str
) -> None:
    with pytest.raises(kind, match=told):
        imported(tmp_path, ImportRequest(saved(tmp_path, network()), batch=64, **more))


def test_texts_have_no_integer_bodies(tmp_path: Path) -> None:
    ids, mask = (keras.Input((None,), dtype="int32", name=name) for name in ("input_ids", "attention_mask"))
    pooled_rows = keras.ops.sum(
        K.Embedding(200, 8)(ids) * keras.ops.expand_dims(keras.ops.cast(mask, "float32"), -1), 1
    )
    path = saved(tmp_path, keras.Model([ids, mask], K.Dense(3)(pooled_rows)))
    with pytest.raises(InvalidOption, match="networks of sequences"):
        imported(tmp_path, ImportRequest(path, tokenizer=TOKENIZER, quantize="static"))
