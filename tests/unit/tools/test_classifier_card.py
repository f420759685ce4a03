import json
import shutil
from pathlib import Path

import pytest

from assay.models.manifest import read_manifest
from tests.conftest import ROOT
from tools.models.shipped import newest
from tools.training.abstracts.card import render, write_described
from tools.training.abstracts.labelled_abstracts import LABELS, TITLES

FOLDER = newest(ROOT / "models", "arxiv-archives")


def test_the_card_says_what_the_manifest_says() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
    assert (FOLDER.parent / "README.md").read_text("utf-8") == render(manifest)


@pytest.mark.parametrize("noticed", [False, True])
def test_a_card_waits_for_the_notices_that_it_tells(tmp_path: Path, noticed: bool) -> None:
    bundle = tmp_path / "arxiv-archives" / FOLDER.name
    shutil.copytree(FOLDER, bundle, ignore=shutil.ignore_patterns("manifest.json"))
    header = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
    if not noticed:
        del header["metrics"]["notices"]
    write_described(bundle, header)
    assert read_manifest(bundle).version == FOLDER.name
    assert (bundle.parent / "README.md").exists() is noticed


def test_the_labels_are_those_of_the_training() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
    assert manifest["text"]["labels"] == LABELS
    assert manifest["text"]["thresholds"].keys() == set(LABELS)
    assert manifest["text"]["titles"] == TITLES


def test_the_shipped_classifier_is_better_than_word_counts() -> None:
    metrics = json.loads((FOLDER / "manifest.json").read_text("utf-8"))["metrics"]
    for name in ("micro_f1", "map", "top1"):
        assert metrics["test"][name] > metrics["baseline"][name]


def test_the_tokenizer_neither_cuts_nor_pads_by_itself() -> None:
    tokenizer = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))
    assert tokenizer["truncation"] is None
    assert tokenizer["padding"] is None
