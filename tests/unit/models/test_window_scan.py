"""Windows that overlap have the bits that each has alone, wherever they stand and whatever stands between them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.tools import flatbuffer_utils
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.errors import BundleInvalid
from assay.models.loading import SequenceScorer, load_folder
from assay.models.manifest import MANIFEST, Manifest, read_manifest
from assay.models.window_scan import WindowScan, find_overlap
from assay.options import RankOptions
from assay.ranking.ranker import Scorer, rank_blocks
from assay.ranking.ranking import PartialRanking
from assay.sequences.contract import DEFAULT
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.records import Limits, Reject
from tests.conftest import DATA
from tools.models.build import build_manifest
from tools.models.publish import require_publishable
from tools.models.scan_graph import make_scan

TINY = DATA / "tiny-scan" / "1"
LENGTH = 50
Codes = NDArray[np.uint8]


@pytest.fixture(scope="module")
def scorer() -> SequenceScorer:
    return SequenceScorer(load_folder(TINY, 1))


def windows(text: Codes, step: int) -> Codes:
    return np.lib.stride_tricks.sliding_window_view(text, LENGTH)[::step]


@st.composite
def inputs(draw: st.DrawFn) -> Codes:
    """Windows of proteins, some of few kinds of residues; rows are left out, and others stand between."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        letters = draw(st.sampled_from([1, 2, 20]))
        text = random.integers(0, letters, draw(st.integers(LENGTH, 300))).astype(np.uint8)
        found = windows(text, draw(st.sampled_from([1, 1, 2, 3, 7, 8, 60])))
        parts.append(found[random.random(len(found)) < draw(st.sampled_from([1.0, 0.9, 0.3]))])
        parts.append(random.integers(0, letters, (draw(st.integers(0, 3)), LENGTH)).astype(np.uint8))
    return np.concatenate(parts)


@settings(max_examples=60, deadline=None)
@given(codes=inputs())
def test_scores_are_the_same_bits_as_one_by_one(scorer: SequenceScorer, codes: Codes) -> None:
    assert scorer.score(codes).tobytes() == scorer.score_singly(codes).tobytes()


class Singly:
    """The same model, each window by itself."""

    def __init__(self, scorer: SequenceScorer) -> None:
        self.batch, self.score = scorer.batch, scorer.score_singly


def ranked(document: bytes, model: Scorer, options: RankOptions) -> tuple[PartialRanking, list[Reject]]:
    rejects: list[Reject] = []
    blocks = parse([document], Format.FASTA, DEFAULT, windows=options.windows, limits=Limits(block_records=64))
    return rank_blocks(blocks, model, model, options, deduplicate=True, on_rejects=rejects.extend), rejects


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ACDEFGHIKLMNPQRSTVWY", max_size=200), max_size=4), st.integers(0, 2**32), st.integers(1, 9))
def test_a_proteome_has_the_same_ranking_counts_and_rejects(
    scorer: SequenceScorer, proteins: list[str], seed: int, step: int
) -> None:
    random = np.random.default_rng(seed)
    drawn = ["".join(random.choice(list("AACDEFGHIKLMNPQRSTVWYX" if at else "GS"), 300)) for at in range(3)]
    document = "".join(f">{at} a protein\n{text}\n" for at, text in enumerate([*proteins, *drawn])).encode()
    options = RankOptions(window=LENGTH, step=step, top_k=40, threshold=0.0)
    assert ranked(document, scorer, options) == ranked(document, Singly(scorer), options)


@settings(max_examples=60, deadline=None)
@given(codes=inputs())
def test_what_overlaps_is_found_where_it_stands(codes: Codes) -> None:
    found = find_overlap(codes)
    if found is not None:
        view = np.lib.stride_tricks.sliding_window_view(found.text, LENGTH)
        np.testing.assert_array_equal(view[found.places], codes[found.rows])


@pytest.mark.parametrize(("step", "most"), [(1, 1100), (2, 2100), (4, 4100)])
def test_neighbours_share_their_residues(step: int, most: int) -> None:
    text = np.random.default_rng(0).integers(0, 20, 1000 * step + LENGTH).astype(np.uint8)
    codes = windows(text, step)
    found = find_overlap(codes)
    assert found is not None
    assert len(found.rows) == len(codes)
    assert len(found.text) <= most


@pytest.mark.parametrize("step", [8, 25, 50])
def test_windows_far_apart_are_scored_one_by_one(step: int) -> None:
    text = np.random.default_rng(0).integers(0, 20, 100 * step + LENGTH).astype(np.uint8)
    assert find_overlap(windows(text, step)) is None


def test_rows_that_merely_begin_and_end_alike_are_no_windows(scorer: SequenceScorer) -> None:
    codes = np.random.default_rng(0).integers(0, 20, (300, LENGTH)).astype(np.uint8)
    codes[:, :12] = codes[:, -12:] = 7
    found = find_overlap(codes)
    assert found is not None
    assert len(found.rows) < 2
    assert scorer.score(codes).tobytes() == scorer.score_singly(codes).tobytes()


def test_a_scan_runs_where_windows_overlap_and_nowhere_else(
    scorer: SequenceScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned: list[int] = []
    score = WindowScan.score

    def count(self: WindowScan, text: Codes) -> NDArray[np.float32]:
        scanned.append(len(text))
        return score(self, text)

    monkeypatch.setattr(WindowScan, "score", count)
    random = np.random.default_rng(1)
    scorer.score(random.integers(0, 20, (500, LENGTH)).astype(np.uint8))
    assert scanned == []
    scorer.score(windows(random.integers(0, 20, 400).astype(np.uint8), 1))
    assert scanned == [400]


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_a_text_of_any_length_is_scanned(scorer: SequenceScorer, count: int) -> None:
    text = np.random.default_rng(2).integers(0, 20, count + LENGTH - 1).astype(np.uint8)
    scan = scorer.model.window_scan
    assert scan is not None
    assert scan.score(text).tobytes() == scorer.score_singly(windows(text, 1)).tobytes()


def test_the_scan_is_made_of_the_windows_file() -> None:
    content = (TINY / "model.tflite").read_bytes()
    assert make_scan(content, 64) == (TINY / "scan.tflite").read_bytes()


def size(buffer: Any) -> int:
    return 0 if buffer.data is None else len(buffer.data)


def bundle(tmp_path: Path, **scan: Any) -> Path:
    folder = tmp_path / "1"
    shutil.copytree(TINY, folder)
    document = json.loads((TINY / MANIFEST).read_text())
    made = build_manifest(folder, {**document, "scan": document["scan"] | scan})
    (folder / MANIFEST).write_bytes(made.dumps())
    return folder


@pytest.mark.parametrize("scan", [{"path": "none.tflite"}, {"length": 49}, {"length": "113"}])
def test_a_manifest_whose_scan_cannot_be_is_refused(tmp_path: Path, scan: dict[str, Any]) -> None:
    with pytest.raises(BundleInvalid):
        bundle(tmp_path, **scan)


@pytest.mark.parametrize("more", [{"quantization": "dynamic"}, {"quantization": "none"}])
def test_a_scan_is_of_integers(more: dict[str, str]) -> None:
    document = json.loads((TINY / MANIFEST).read_text()) | more
    with pytest.raises(BundleInvalid, match="static"):
        Manifest.parse(json.dumps(document).encode())


def test_a_bundle_without_a_scan_says_nothing_of_one() -> None:
    assert b'"scan"' not in read_manifest(DATA / "tiny-index" / "1").dumps()


def test_a_bundle_whose_scan_has_other_bits_is_not_published(tmp_path: Path) -> None:
    folder = bundle(tmp_path)
    assert require_publishable(folder).scan
    content = (folder / "scan.tflite").read_bytes()
    weights = max(flatbuffer_utils.read_model_from_bytearray(bytearray(content)).buffers, key=size)
    found = bytes(weights.data)
    (folder / "scan.tflite").write_bytes(content.replace(found, found[::-1]))
    document = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_bytes(build_manifest(folder, document).dumps())
    with pytest.raises(BundleInvalid, match="one by one"):
        require_publishable(folder)


@pytest.mark.parametrize("broken", [b"", b"not a model"])
def test_a_scan_that_does_not_load_is_refused(tmp_path: Path, broken: bytes) -> None:
    folder = bundle(tmp_path)
    (folder / "scan.tflite").write_bytes(broken)
    document = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_bytes(build_manifest(folder, document).dumps())
    with pytest.raises(BundleInvalid, match=r"scan\.tflite"):
        require_publishable(folder)
