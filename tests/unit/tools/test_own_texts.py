"""What texts are like, learned from a user's own: few of them are told as odd, and others are."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.abstracts.classification import NOT_PROSE, TOO_LONG
from assay.models.loading import load_folder
from assay.models.manifest import read_manifest
from assay.models.reference import REFERENCE
from assay.models.text_classifier import TextClassifier
from assay.models.text_reference import parse_usual_texts
from tests.conftest import DATA, ROOT
from tests.models_command import main
from tests.references import abstracts, bundle, content, write_abstracts
from tools.models import own_texts
from tools.models.shipped import newest_model
from tools.models.text_statistics import PERCENT, EncodedText, Vocabulary, count_notices, learn_usual_texts

KNOWN = Vocabulary(8, (0,), (1, 2), (3,))
ENCODED = st.builds(
    EncodedText,
    st.text("ab", min_size=1, max_size=9),
    st.lists(st.integers(1, 7), min_size=1, max_size=9).map(lambda ids: np.array([0, *ids], np.int32)),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A classifier's bundle of the user's own."""
    target = tmp_path / "tiny-text" / "1"
    shutil.copytree(DATA / "tiny-text" / "1", target)
    return target


def written(folder: Path, texts: list[str]) -> str:
    return str(write_abstracts(folder.parent / "mine.jsonl", texts))


@given(st.lists(ENCODED, min_size=1, max_size=30), st.lists(ENCODED, min_size=1, max_size=30))
def test_no_more_texts_lie_beyond_a_limit_than_were_asked_for(
    training: list[EncodedText], held_out: list[EncodedText]
) -> None:
    loose = 1e-3  # limits are rounded
    found = learn_usual_texts(KNOWN, training, held_out, dict.fromkeys(PERCENT, 20.0))
    ids = [each.ids[1:] for each in held_out]
    most = 0.2 * len(held_out)
    assert sum(found.likelihoods[each].mean() < found.least_likelihood - loose for each in ids) <= most
    assert sum(found.small_words[each].mean() < found.least_small_words - loose for each in ids) <= most
    assert sum(found.signs[each].mean() > found.most_signs + loose for each in ids) <= most
    assert sum(len(text) < found.shortest for text, _ in training) <= 0.2 * len(training)
    assert np.isnan(found.likelihoods).tolist() == [True] + [False] * 7
    assert count_notices(found, held_out)["rows"] == len(held_out)


def test_the_words_of_the_shipped_reference_are_those_that_are_learned_for_anyone() -> None:
    model = newest_model(ROOT / "models", "arxiv-archives", 1)
    known = Vocabulary.of(model.tokenizer, model.text.pad_id)
    shipped = parse_usual_texts((model.folder / REFERENCE).read_bytes())
    assert known.small_words == tuple(np.flatnonzero(shipped.small_words))
    assert known.signs == tuple(np.flatnonzero(shipped.signs))
    assert known.special == tuple(np.flatnonzero(np.isnan(shipped.likelihoods)))


def test_a_users_classifier_tells_what_is_unlike_the_users_texts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / REFERENCE).write_text('{"schema": 1, "kept": 7}')
    given = written(folder, [*abstracts(1_200), "short", abstracts(1)[0]])
    assert main(["reference", str(folder), "--texts", given]) == 0
    said = capsys.readouterr().out
    assert "texts: 1,200 of mine.jsonl; 1 records" in said
    measured = read_manifest(folder).metrics["notices"]["test"]
    assert f"false alarms: {measured['noticed']:.1%}" in said
    assert measured["rows"] == 1_200
    assert measured["noticed"] <= 0.02
    document = json.loads((folder / REFERENCE).read_text())
    assert document["kept"] == 7
    assert document["texts"]["about"] == "1,200 texts of mine.jsonl"
    classifier = TextClassifier(load_folder(folder, 1))
    odd = ["x = [1]; y = [2]; " * 9, f"{abstracts(1)[0]} " * 20]
    assert [each.notice for each in classifier.classify(odd)] == [NOT_PROSE, TOO_LONG]
    fresh = classifier.classify(abstracts(1_300)[1_200:])
    assert sum(bool(each.notice) for each in fresh) <= 3


def test_what_will_not_do_is_refused_and_the_bundle_stays(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def refused(*words: str, of: Path = folder) -> str:
        assert main(["reference", str(of), *words]) == 1
        return capsys.readouterr().err

    few, many = abstracts(999), written(folder, abstracts(1_000))
    assert "at least 1,000" in refused("--texts", written(folder, few))
    assert "no column" in refused("--texts", str(table(folder)), "--column", "other")
    assert "--texts is for classifiers" in refused("--texts", many, "--set", "a=b")
    assert "--texts is for classifiers" in refused("--texts", many, of=bundle(tmp_path / "sequences", content()))
    assert "--measured is for models of sequences" in refused("--measured", many)
    written(folder, abstracts(1_000))
    monkeypatch.setattr(own_texts, "MOST_ALARMS", -1.0)
    assert "would be told as odd" in refused("--texts", many)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def table(folder: Path) -> Path:
    path = folder.parent / "mine.csv"
    path.write_text("id,abstract\n" + "".join(f"{at},{text}\n" for at, text in enumerate(abstracts(3))))
    return path
