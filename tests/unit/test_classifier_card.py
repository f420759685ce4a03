import json

import pytest

from tests.conftest import ROOT
from tools.training.abstracts.card import render
from tools.training.abstracts.data import LABELS

FOLDER = ROOT / "models" / "arxiv-archives"
pytestmark = pytest.mark.skipif(not (FOLDER / "1").exists(), reason="the bundle is not in this checkout")


def test_the_card_says_what_the_manifest_says() -> None:
    manifest = json.loads((FOLDER / "1" / "manifest.json").read_text("utf-8"))
    assert (FOLDER / "README.md").read_text("utf-8") == render(manifest)


def test_the_labels_are_those_of_the_training() -> None:
    manifest = json.loads((FOLDER / "1" / "manifest.json").read_text("utf-8"))
    assert manifest["text"]["labels"] == LABELS
    assert manifest["text"]["thresholds"].keys() == set(LABELS)


def test_the_shipped_classifier_is_better_than_word_counts() -> None:
    metrics = json.loads((FOLDER / "1" / "manifest.json").read_text("utf-8"))["metrics"]
    for name in ("micro_f1", "map", "top1"):
        assert metrics["test"][name] > metrics["baseline"][name]


def test_the_tokenizer_neither_cuts_nor_pads_by_itself() -> None:
    tokenizer = json.loads((FOLDER / "1" / "tokenizer.json").read_text("utf-8"))
    assert tokenizer["truncation"] is None
    assert tokenizer["padding"] is None
