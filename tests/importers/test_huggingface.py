"""Hugging Face folders against transformers itself; needs requirements/train.txt: `make test-importers`."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.models import probes

pytest.importorskip("tensorflow")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from assay.errors import BundleInvalid, InvalidOption, UnreadableInput
from assay.models.loading import load_folder
from tests.importers import checkpoints
from tests.importers.samples import TEXTS
from tests.unit.importers.test_tokenizer_files import FILES, folder_with
from tools.models.importers.result import ImportRequest
from tools.models.importing import kind_of, make_bundle

FAMILIES = ("Bert", "DistilBert", "Roberta")


def imported(tmp_path: Path, path: Path, **wish: Any) -> tuple[Any, list[str]]:
    given = ImportRequest(path, **wish)
    _, report = make_bundle(given, kind_of(given), "topics", "1", "", tmp_path / "bundle")
    return load_folder(tmp_path / "bundle", 1), report


def expected(folder: Path, activation: str, most: int = 64) -> Any:
    """Return what transformers computes from the folder, in float32."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).float().eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        rows = [
            model(torch.tensor([tokenizer(text, truncation=True, max_length=most)["input_ids"]])).logits
            for text in TEXTS
        ]
    found = torch.cat(rows)
    return (found.softmax(-1) if activation == "softmax" else found.sigmoid()).numpy()


@pytest.mark.parametrize("weights", ["safetensors", "bin"])
@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_transformers(tmp_path: Path, family: str, weights: str) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model(family), family, weights)
    model, report = imported(tmp_path, folder, quantize="none", max_tokens=64)
    assert model.manifest.text.labels == ("cs", "math", "physics")
    np.testing.assert_allclose(probes.score_probes(model, TEXTS), expected(folder, "softmax"), atol=1e-3)
    assert any("are those of transformers' tokenizer" in line for line in report), report
    assert any("logits differ" in line for line in report)


@pytest.mark.parametrize("family", FAMILIES)
def test_tensorflow_weights_give_the_same_model(tmp_path: Path, family: str) -> None:
    made = checkpoints.model(family)
    for weights in ("safetensors", "h5"):
        folder = checkpoints.write(tmp_path / weights, made, family, weights)
        imported(tmp_path / weights, folder, quantize="none")
    bundles = [tmp_path / weights / "bundle" / "model.tflite" for weights in ("safetensors", "h5")]
    assert bundles[0].read_bytes() == bundles[1].read_bytes()


def test_int8_is_the_default_and_smaller(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert"), "Bert")
    model, report = imported(tmp_path, folder, tolerance=0.5)
    assert any("int8" in line for line in report)
    assert np.abs(probes.score_probes(model, TEXTS) - expected(folder, "softmax")).max() < 0.2
    with pytest.raises(BundleInvalid, match="differs from its source"):
        imported(tmp_path / "strict", folder, tolerance=1e-6)


@pytest.mark.parametrize(
    ("problem", "labels", "activation"),
    [
        ("multi_label_classification", checkpoints.LABELS, "sigmoid"),
        ("single_label_classification", checkpoints.LABELS, "softmax"),
        (None, {0: "only"}, "sigmoid"),
    ],
)
def test_one_label_or_several_is_what_the_configuration_says(
    tmp_path: Path, problem: str | None, labels: dict[int, str], activation: str
) -> None:
    made = checkpoints.model("Bert", problem_type=problem, id2label=labels)
    folder = checkpoints.write(tmp_path / "source", made, "Bert")
    model, _ = imported(tmp_path, folder, quantize="none", max_tokens=64)
    assert model.manifest.text.activation == activation
    np.testing.assert_allclose(probes.score_probes(model, TEXTS), expected(folder, activation), atol=1e-3)


def test_labels_and_activation_can_be_given(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert"), "Bert")
    model, _ = imported(tmp_path, folder, quantize="none", labels=("x", "y", "z"), activation="sigmoid", max_tokens=20)
    assert (model.manifest.text.labels, model.manifest.text.activation) == (("x", "y", "z"), "sigmoid")
    assert model.manifest.text.max_tokens == 20
    with pytest.raises(InvalidOption, match="3 outputs"):
        imported(tmp_path / "two", folder, labels=("x", "y"))


def test_no_text_is_longer_than_the_positions_allow(tmp_path: Path) -> None:
    for family, most in (("Bert", 66), ("Roberta", 64)):
        folder = checkpoints.write(tmp_path / family / "source", checkpoints.model(family), family)
        model, _ = imported(tmp_path / family, folder, quantize="none", max_tokens=5000)
        assert model.manifest.text.max_tokens == most


@pytest.mark.parametrize("family", ["Bert", "Roberta"])
def test_longer_texts_are_scored_in_windows_if_asked_for(tmp_path: Path, family: str) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model(family), family)
    model, _ = imported(tmp_path, folder, quantize="none", max_tokens=32, chunks=True)
    assert model.manifest.text.overlap == 4
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    given = tokenizer([TEXTS[2]], truncation=True, max_length=32, stride=4, return_overflowing_tokens=True)["input_ids"]
    with torch.no_grad():
        rows = np.stack([network(torch.tensor([ids])).logits.softmax(-1)[0].numpy() for ids in given])
    assert len(rows) > 5
    expected_scores = np.average(rows, axis=0, weights=[len(ids) for ids in given])
    np.testing.assert_allclose(probes.score_probes(model, [TEXTS[2]])[0], expected_scores, atol=1e-3)


def test_thresholds_are_fitted_on_labelled_rows_by_what_is_served(tmp_path: Path) -> None:
    made = checkpoints.model("Bert", problem_type="multi_label_classification")
    folder = checkpoints.write(tmp_path / "source", made, "Bert")
    random = np.random.default_rng(1)
    texts = [" ".join(random.choice(["the", "abc", "xyz", "12", "qq"], 30)) for _ in range(40)]
    plain, _ = imported(tmp_path, folder, tolerance=0.5)
    scores = probes.score_probes(plain, texts)
    least = np.median(scores, axis=0)
    named = [[label for at, label in checkpoints.LABELS.items() if row[at] > least[at]] for row in scores]
    lines = [json.dumps({"abstract": text, "labels": labels}) for text, labels in zip(texts, named, strict=True)]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    model, report = imported(tmp_path / "fitted", folder, tolerance=0.5, rows=tmp_path / "rows.jsonl")
    assert list(model.manifest.text.thresholds.values()) == pytest.approx(least, abs=0.05)
    assert model.manifest.metrics["threshold_rows"]["micro_f1"] == 1.0
    assert any("thresholds fitted on" in line for line in report)
    (tmp_path / "other.csv").write_text("text,labels\n" + "a" * 60 + ",astrology\n")
    with pytest.raises(InvalidOption, match="astrology"):
        imported(tmp_path / "unknown", folder, tolerance=0.5, rows=tmp_path / "other.csv")


class Owned:
    def __reduce__(self) -> Any:
        return os.system, ("echo owned > /tmp/assay-owned",)


def test_a_pytorch_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert"), "Bert", "bin")
    torch.save({"x": Owned()}, folder / "pytorch_model.bin")
    with pytest.raises(UnreadableInput, match=r"weights are tensors alone: nothing of it was run"):
        imported(tmp_path, folder)
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Owned()))
    with pytest.raises(UnreadableInput, match=r"weights are tensors alone: nothing of it was run"):
        imported(tmp_path, folder)


def changed(folder: Path, **values: Any) -> Path:
    config = json.loads((folder / "config.json").read_text()) | values
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_folders_that_can_not_be_served_are_refused_in_words(tmp_path: Path) -> None:
    def fresh(name: str, kind: str = "ForSequenceClassification") -> Path:
        return checkpoints.write(tmp_path / name, checkpoints.model("Bert", kind), "Bert")

    headless, bare, wide = fresh("headless", "Model"), fresh("bare"), changed(fresh("wide"), num_hidden_layers=4)
    (bare / "model.safetensors").unlink()
    untokenized = fresh("untokenized")
    (untokenized / "vocab.txt").unlink()
    sharded = fresh("sharded")
    (sharded / "model.safetensors").unlink()
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../../secret"}}))
    for folder, complaint in (
        (headless, "without a classifier"),
        (bare, "has no weights"),
        (untokenized, "has no tokenizer"),
        (wide, "lacks layer.2"),
        (fresh("tagger", "ForTokenClassification"), "BertForTokenClassification, not .*does not classify whole texts"),
        (fresh("answers", "ForQuestionAnswering"), "BertForQuestionAnswering"),
        (fresh("masked", "ForMaskedLM"), "encoder without a classifier"),
        (changed(fresh("torn"), num_hidden_layers=1), "says 1 layers, and the checkpoint has layer.1"),
        (changed(fresh("unnumbered"), id2label={"first": "a", "1": "b", "2": "c"}), "number its labels from 0"),
        (changed(fresh("unnamed"), id2label={"0": 1, "1": "b", "2": "c"}), "a label that is no text"),
        (changed(fresh("wrong"), layer_norm_eps="small"), "layer_norm_eps is 'small', and must be a number"),
        (sharded, "outside of its folder"),
        (changed(fresh("t5"), model_type="t5"), "t5"),
        (changed(fresh("relative"), position_embedding_type="relative_key"), "relative_key"),
        (changed(fresh("regression"), problem_type="regression"), "regression"),
    ):
        with pytest.raises(UnreadableInput, match=complaint):
            imported(tmp_path / "none", folder)
    assert not (tmp_path / "none").exists()


def test_a_network_without_the_layer_that_its_head_reads_is_refused(tmp_path: Path) -> None:
    made = checkpoints.model("Bert")
    folder = checkpoints.write(tmp_path / "source", made, "Bert", "bin")
    torch.save(
        {name: value for name, value in made.state_dict().items() if "pooler" not in name}, folder / "pytorch_model.bin"
    )
    for architectures in (None, ["BertForSequenceClassification"]):
        with pytest.raises(UnreadableInput, match=r"lacks pooler\.weight"):
            imported(tmp_path / "none", changed(folder, architectures=architectures))


@pytest.mark.parametrize("weights", ["safetensors", "bin"])
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_weights_of_half_precision_are_served_as_float32(tmp_path: Path, half: str, weights: str) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert").to(getattr(torch, half)), "Bert", weights)
    assert json.loads((folder / "config.json").read_text())["dtype"] == half
    model, report = imported(tmp_path, folder, quantize="none", max_tokens=64)
    np.testing.assert_allclose(probes.score_probes(model, TEXTS), expected(folder, "softmax"), atol=1e-4)
    differences = next(line for line in report if line.startswith("logits differ"))
    assert float(differences.split(" at most")[0].rpartition(" ")[2]) < 1e-4


@pytest.mark.parametrize(("pad", "most"), [(0, 65), (3, 62)])
def test_roberta_s_positions_follow_its_pad_token(tmp_path: Path, pad: int, most: int) -> None:
    ends: dict[str, Any] = (
        {"bos_token_id": 1, "eos_token_id": 2} if pad == 0 else {"bos_token_id": 0, "eos_token_id": 1}
    )
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Roberta", pad_token_id=pad, **ends), "Roberta")
    vocabulary = json.loads((folder / "vocab.json").read_text())
    order = {0: ("<pad>", "<s>", "</s>", "<unk>"), 3: ("<s>", "</s>", "<unk>", "<pad>")}[pad]
    (folder / "vocab.json").write_text(json.dumps(vocabulary | {piece: at for at, piece in enumerate(order)}))
    for limit, name in ((None, "full"), (32, "short")):
        model, _ = imported(tmp_path / name, folder, quantize="none", max_tokens=limit)
        assert model.manifest.text.max_tokens == min(limit or most, most)
        assert model.manifest.text.pad_id == pad
    found = probes.score_probes(model, TEXTS[:2])
    np.testing.assert_allclose(found[0], expected(folder, "softmax", most=32)[0], atol=1e-4)


@pytest.mark.parametrize(
    "act", ["gelu_fast", "gelu_python", "quick_gelu", "silu", "swish", "mish", "gelu_pytorch_tanh"]
)
def test_activations_are_those_of_transformers(tmp_path: Path, act: str) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert", hidden_act=act), "Bert")
    model, _ = imported(tmp_path, folder, quantize="none", max_tokens=64)
    np.testing.assert_allclose(probes.score_probes(model, TEXTS), expected(folder, "softmax"), atol=1e-4)


@pytest.mark.parametrize("name", FILES)
def test_added_tokens_are_those_of_transformers(tmp_path: Path, name: str) -> None:
    made = checkpoints.model("Bert", vocab_size=len(checkpoints.PIECES) + 1)
    folder = checkpoints.write(tmp_path / "source", made, "Bert")
    folder_with(folder, FILES[name])
    model, report = imported(tmp_path, folder, quantize="none", max_tokens=64)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    for text in ("a <formula> b", "a<formula>b", "<formula>", "of < formula > and <FORMULA>"):
        assert model.tokenizer.encode([text])[0].ids.tolist() == theirs(text)["input_ids"]
    assert any("14 of 14 texts" in line for line in report), report


def test_a_token_without_an_embedding_is_refused(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert"), "Bert")
    (folder / "added_tokens.json").write_text(json.dumps({"<formula>": len(checkpoints.PIECES)}))
    with pytest.raises(UnreadableInput, match="1 tokens whose ids are beyond the 103 embeddings, first '<formula>'"):
        imported(tmp_path / "none", folder)


def test_a_tokenizer_that_gives_other_tokens_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert"), "Bert")
    monkeypatch.setattr("tools.models.importers.tokenizer_files.add_tokens", lambda *_: None)
    folder_with(folder, {"special_tokens_map.json": {"additional_special_tokens": ["galaxies"]}})
    with pytest.raises(UnreadableInput, match="give other tokens than transformers"):
        imported(tmp_path / "none", folder)


def test_code_that_the_configuration_names_is_not_looked_at(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert"), "Bert")
    changed(folder, auto_map={"AutoModelForSequenceClassification": "owned.Owned", "AutoConfig": "owned.Owned"})
    (folder / "owned.py").write_text("raise SystemExit('owned')")
    model, _ = imported(tmp_path, folder, quantize="none")
    assert model.manifest.provenance["kind"] == "Hugging Face"


def test_a_tokenizer_that_is_not_the_checkpoint_s_is_told(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path / "source", checkpoints.model("Bert"), "Bert")
    model, report = imported(tmp_path, folder, quantize="none", tokenizer=folder)
    assert not any("WARNING" in line for line in report)
    assert model.manifest.text.tokenizer == "tokenizer.json"
