"""Texts longer than a model reads: cut, or scored in overlapping windows where the manifest says so."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from assay.abstracts.tokens import TextTokenizer
from assay.errors import BundleInvalid
from assay.models.loading import load_folder
from assay.models.manifest import MANIFEST, Manifest
from assay.models.text_classifier import TextClassifier
from tests.conftest import DATA
from tools.models.build import build_manifest

TINY = DATA / "tiny-text" / "1"
LONG = "".join(np.random.default_rng(1).choice(list("abcdefgh "), 300)).strip()
SHORT = "a text that fits"


def bundle(tmp_path: Path, **text: int) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(TINY, folder)
    document = json.loads((TINY / MANIFEST).read_text())
    made = build_manifest(folder, {**document, "text": {**document["text"], **text}})
    (folder / MANIFEST).write_bytes(made.dumps())
    return folder


@pytest.mark.parametrize("overlap", [1, 5, 16])
def test_windows_cover_a_text_and_share_the_overlap(overlap: int) -> None:
    path = TINY / "tokenizer.json"
    (whole,), (cut,) = (TextTokenizer(path, most, overlap).encode([LONG]) for most in (4096, 32))
    windows = [ids[1:-1] for ids in (cut.ids, *cut.more)]
    assert all(len(ids) <= 30 for ids in windows)
    for before, after in itertools.pairwise(windows):
        assert before[-overlap:].tolist() == after[:overlap].tolist()
    joined = [*windows[0], *(each for ids in windows[1:] for each in ids[overlap:])]
    assert joined == whole.ids[1:-1].tolist()
    assert not whole.more
    assert not cut.truncated


def test_scores_are_those_of_the_windows_weighed_by_their_tokens(tmp_path: Path) -> None:
    classifier = TextClassifier(load_folder(bundle(tmp_path, overlap=8, max_tokens=32), 1))
    (tokens,) = TextTokenizer(TINY / "tokenizer.json", 32, 8).encode([LONG])
    windows = [tokens.ids, *tokens.more]
    assert len(windows) > 3
    each = [classifier._windows([ids])[0] for ids in windows]
    (prediction,) = classifier.classify([LONG])
    expected = np.average(each, axis=0, weights=[len(ids) for ids in windows])
    np.testing.assert_allclose(prediction.scores, expected, atol=1e-6)
    assert (prediction.tokens, prediction.truncated) == (sum(map(len, windows)), False)


def test_texts_that_fit_score_as_without_windows(tmp_path: Path) -> None:
    windowed = TextClassifier(load_folder(bundle(tmp_path, overlap=8), 1))
    plain = TextClassifier(load_folder(TINY, 1))
    (first, _), (second,) = windowed.classify([SHORT, LONG]), plain.classify([SHORT])
    assert first.scores.tobytes() == second.scores.tobytes()
    assert plain.classify([LONG])[0].truncated


def test_windows_that_overlap_by_more_than_half_are_refused() -> None:
    document = json.loads((TINY / MANIFEST).read_text())
    document["text"] |= {"max_tokens": 32, "overlap": 17}
    with pytest.raises(BundleInvalid, match="overlap"):
        Manifest.parse(json.dumps(document).encode())
