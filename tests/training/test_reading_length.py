"""A bundle reads more of a text with the same weights: limits and figures are measured anew, nothing else changes."""

import gzip
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from assay.models.manifest import MANIFEST, read_manifest
from tests.conftest import ROOT
from tools.models.shipped import newest
from tools.training.abstracts import reading_length
from tools.training.abstracts.labelled_abstracts import LABELS, load_splits

SHIPPED = newest(ROOT / "models", "arxiv-archives")


def write_abstracts(folder: Path) -> None:
    """Write a row and more of each label, of many lengths; the ids spread them over the splits."""
    rows = [
        {
            "id": f"2000.{at:05}",
            "abstract": f"We study the properties of {LABELS[at % len(LABELS)]} in detail. " * (1 + at % 60),
            "archives": [LABELS[at % len(LABELS)]],
            "primary": LABELS[at % len(LABELS)],
        }
        for at in range(600)
    ]
    with gzip.open(folder / "abstracts.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    with gzip.open(folder / "pool.jsonl.gz", "wt", encoding="utf-8"):
        pass


def test_the_weights_stay_and_what_is_said_of_them_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_abstracts(tmp_path)
    new = tmp_path / "arxiv-archives" / "99"
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path), str(SHIPPED), str(new), "--tokens", "96"])
    reading_length.main()
    before, after = (json.loads((folder / MANIFEST).read_text("utf-8")) for folder in (SHIPPED, new))
    assert read_manifest(new).version == "99"
    assert (after["text"]["max_tokens"], after["files"]) == (96, before["files"])
    assert after["metrics"]["test_rows"] == len(load_splits(tmp_path, 0).test)
    assert after["metrics"]["test_float32"] == before["metrics"]["test_float32"]
    assert after["text"]["thresholds"] != before["text"]["thresholds"]
    card = (new.parent / "README.md").read_text("utf-8")
    assert f"first {before['text']['max_tokens']} tokens of a text. Since version 99 it reads 96" in card
