"""SavedModels against TensorFlow itself; needs TensorFlow: `make test-tensorflow`."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.models import probes

tf = pytest.importorskip("tensorflow")

from assay.errors import BundleInvalid, UnreadableInput
from assay.models.graph_operations import ALLOWED
from assay.models.loading import SequenceScorer, load_folder
from tests.conftest import DATA
from tests.importers.samples import EDGES, TEXTS, TOKENIZER, one_hot
from tools.models import publish
from tools.models.build import build_manifest
from tools.models.import_process import convert_apart
from tools.models.importers.result import ImportRequest
from tools.models.importing import kind_of, make_bundle

WEIGHTS = np.random.default_rng(6).normal(0, 0.2, (1000, 1)).astype(np.float32)


def saved(folder: Path, call: Any, *specs: Any) -> Path:
    module = tf.Module()
    module.weights = tf.Variable(WEIGHTS)
    module.call = tf.function(lambda *inputs: call(module.weights, *inputs), input_signature=specs)
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.call.get_concrete_function()})
    return folder


def linear(activation: Any = tf.tanh) -> Any:
    return lambda weights, rows: {"score": activation(tf.reshape(rows, [-1, 1000]) @ weights)}


def expected(codes: Any) -> Any:
    return np.tanh(one_hot(codes).reshape(len(codes), 1000) @ WEIGHTS).ravel()


def imported(tmp_path: Path, wish: ImportRequest) -> Any:
    _, report = make_bundle(wish, kind_of(wish), "mine", "1", "", tmp_path / "bundle")
    return load_folder(tmp_path / "bundle", 1), report


@pytest.mark.parametrize("batch", [None, 8])
@pytest.mark.parametrize("shape", [(1000,), (50, 20)])
def test_the_encoding_is_found_from_the_signature(tmp_path: Path, batch: int | None, shape: tuple[int, ...]) -> None:
    path = saved(tmp_path / "source", linear(), tf.TensorSpec([batch, *shape], tf.float32, "x"))
    model, _ = imported(tmp_path, ImportRequest(path))
    assert model.manifest.inputs[0].shape == (batch or 512, 50)
    np.testing.assert_allclose(SequenceScorer(model).score(EDGES), expected(EDGES), atol=1e-5)


def test_an_encoding_that_the_signature_leaves_open_can_be_given(tmp_path: Path) -> None:
    path = saved(tmp_path / "source", linear(), tf.TensorSpec(None, tf.float32, "x"))
    with pytest.raises(UnreadableInput, match="--encoding"):
        imported(tmp_path, ImportRequest(path))
    model, _ = imported(tmp_path, ImportRequest(path, encoding="one_hot"))
    np.testing.assert_allclose(SequenceScorer(model).score(EDGES), expected(EDGES), atol=1e-5)


def test_indices_are_given_as_the_signature_types_them(tmp_path: Path) -> None:
    model, _ = imported(tmp_path, ImportRequest(DATA / "tiny-index-saved" / "1" / "saved"))
    original = load_folder(DATA / "tiny-index" / "1", 1)
    np.testing.assert_allclose(SequenceScorer(model).score(EDGES), SequenceScorer(original).score(EDGES), atol=1e-5)


def test_what_can_not_be_converted_stays_a_saved_model_and_says_why(tmp_path: Path) -> None:
    def score(weights: Any, rows: Any) -> Any:
        return {"score": tf.math.digamma(3 + tf.tanh(tf.reshape(rows, [-1, 1000]) @ weights))}

    path = saved(tmp_path / "source", score, tf.TensorSpec([None, 1000], tf.float32, "x"))
    model, report = imported(tmp_path, ImportRequest(path))
    assert model.manifest.format == "saved_model"
    assert any("no TensorFlow Lite form" in line and "Digamma" in line for line in report)
    digamma = tf.math.digamma(3 + expected(EDGES)).numpy()
    np.testing.assert_allclose(SequenceScorer(model).score(EDGES), digamma, atol=1e-5)


def test_texts_with_token_types(tmp_path: Path) -> None:
    table = np.random.default_rng(8).normal(size=(200, 4)).astype(np.float32)

    def classify(_: Any, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        weight = tf.cast(attention_mask, tf.float32)[..., None]
        rows = tf.gather(table, input_ids) + tf.cast(token_type_ids, tf.float32)[..., None]
        return {"logits": tf.reduce_sum(rows * weight, 1) / tf.reduce_sum(weight, 1), "pooled": weight}

    names = ("input_ids", "attention_mask", "token_type_ids")
    specs = [tf.TensorSpec([None, None], tf.int64, name) for name in names]
    wish = ImportRequest(
        saved(tmp_path / "source", classify, *specs), labels=tuple("abcd"), tokenizer=TOKENIZER, max_tokens=64
    )
    model, _ = imported(tmp_path, wish)
    assert {each.name for each in model.manifest.inputs} == set(names)
    from assay.models.text_classifier import TextClassifier

    rows = [table[tokens.ids].mean(0) for tokens in TextClassifier(model)._tokenizer.encode(TEXTS)]
    np.testing.assert_allclose(probes.score_probes(model, TEXTS), 1 / (1 + np.exp(-np.array(rows))), atol=0.02)


def writes(weights: Any, rows: Any) -> Any:
    tf.io.write_file("/tmp/assay-owned", "owned")
    return {"score": tf.reshape(rows, [-1, 1000]) @ weights}


def reads(weights: Any, rows: Any) -> Any:
    size = tf.cast(tf.strings.length(tf.io.read_file("/etc/passwd")), tf.float32)
    return {"score": tf.reshape(rows, [-1, 1000]) @ weights + size}


def calls(weights: Any, rows: Any) -> Any:
    return {"score": tf.py_function(lambda x: x, [tf.reshape(rows, [-1, 1000]) @ weights], tf.float32)}


def checkpoints(weights: Any, rows: Any) -> Any:
    found = tf.raw_ops.RestoreV2(prefix="/tmp/x", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])
    return {"score": tf.reshape(rows, [-1, 1000]) @ weights + found[0]}


def saves(weights: Any, rows: Any) -> Any:
    tf.raw_ops.Save(filename="/tmp/assay-owned", tensor_names=["x"], data=[tf.constant(["owned"])])
    return {"score": tf.reshape(rows, [-1, 1000]) @ weights}


def maps_a_file(weights: Any, rows: Any) -> Any:
    size = tf.reduce_sum(tf.raw_ops.ImmutableConst(dtype=tf.float32, shape=[4], memory_region_name="/etc/passwd"))
    return {"score": tf.reshape(rows, [-1, 1000]) @ weights + size}


def prints(weights: Any, rows: Any) -> Any:
    tf.raw_ops.PrintV2(input="owned", output_stream="file:///tmp/assay-owned")
    return {"score": tf.reshape(rows, [-1, 1000]) @ weights}


def looks_up_a_file(weights: Any, rows: Any) -> Any:
    table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    tf.raw_ops.InitializeTableFromTextFileV2(table_handle=table, filename="/etc/passwd", key_index=-2, value_index=-1)
    return {"score": tf.reshape(rows, [-1, 1000]) @ weights}


OUTSIDE = (writes, reads, calls, checkpoints, saves, maps_a_file, prints, looks_up_a_file)


@pytest.mark.parametrize("call", OUTSIDE)
def test_a_graph_that_reaches_outside_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Any
) -> None:
    path = saved(tmp_path / "source", call, tf.TensorSpec([None, 1000], tf.float32, "x"))

    def load(_: str) -> None:
        raise AssertionError("the graph was loaded")

    monkeypatch.setattr(tf.saved_model, "load", load)
    with pytest.raises(UnreadableInput, match="nothing of it was run"):
        imported(tmp_path, ImportRequest(path))


@pytest.mark.parametrize("call", [saves, maps_a_file, prints])
def test_a_bundle_whose_graph_reaches_outside_is_never_loaded(tmp_path: Path, call: Any) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(DATA / "tiny-index-saved" / "1", bundle)
    shutil.rmtree(bundle / "saved")
    saved(bundle / "saved", call, tf.TensorSpec([None, 1000], tf.float32, "x"))
    (bundle / "saved" / "fingerprint.pb").unlink(missing_ok=True)
    header = json.loads((bundle / "manifest.json").read_text("utf-8"))
    (bundle / "manifest.json").unlink()
    header.pop("files")
    (bundle / "manifest.json").write_bytes(build_manifest(bundle, header).dumps())
    with pytest.raises(BundleInvalid, match="does more than compute"):
        load_folder(bundle, 1)
    with pytest.raises(BundleInvalid, match="does more than compute"):
        publish.require_publishable(bundle)
    assert not Path("/tmp/assay-owned").exists()


def test_every_operation_that_touches_files_or_sockets_is_off_the_list() -> None:
    outside = re.compile(
        r"File|Save|Restore|Checkpoint|Dataset|Iterator|Reader|Rpc|Py|Print|Summary|Send|Recv|Collective|Immutable|"
        r"RecordInput|LoadAndRemap|Vocab|CandidateSampler|DebugI|DumpTensor|Heartbeat|Socket|Sql|LMDB|Xla|TPU|Custom"
    )
    assert {name for name in ALLOWED if outside.search(name)} == set()
    assert {name for name in ALLOWED if name not in registered()} == set()


def registered() -> set[str]:
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session

    found = op_def_pb2.OpList()
    found.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return {each.name for each in found.op}


@pytest.mark.parametrize("batch", [None, 8])
def test_a_confined_process_makes_the_same_bundle(tmp_path: Path, batch: int | None) -> None:
    source = saved(tmp_path / "source", linear(), tf.TensorSpec([batch, 1000], tf.float32, "x"))
    here, _ = make_bundle(ImportRequest(source), "saved-model", "mine", "1", "", tmp_path / "here")
    apart, _ = make_bundle(ImportRequest(source), "saved-model", "mine", "1", "", tmp_path / "apart", convert_apart)
    assert here.format == apart.format
    assert (tmp_path / "here" / "probes.json").read_bytes() == (tmp_path / "apart" / "probes.json").read_bytes()


def test_what_has_no_lite_form_is_made_by_a_confined_process_too(tmp_path: Path) -> None:
    source = saved(tmp_path / "source", linear(tf.math.digamma), tf.TensorSpec([8, 1000], tf.float32, "x"))
    made, _ = make_bundle(ImportRequest(source), "saved-model", "mine", "1", "", tmp_path / "apart", convert_apart)
    assert made.format == "saved_model"


def test_another_signature_is_named(tmp_path: Path) -> None:
    module = tf.Module()
    call = tf.function(lambda x: {"y": x}).get_concrete_function(tf.TensorSpec([1], tf.float32, "x"))
    tf.saved_model.save(module, str(tmp_path / "source"), signatures={"predict": call})
    with pytest.raises(UnreadableInput, match="only predict"):
        imported(tmp_path, ImportRequest(tmp_path / "source"))


def test_a_folder_that_is_no_saved_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "saved_model.pb").write_bytes(b"not a protocol buffer")
    with pytest.raises(UnreadableInput):
        imported(tmp_path, ImportRequest(tmp_path / "source"))
