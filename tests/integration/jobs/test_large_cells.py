"""Files whose ids and carried cells are large: ranked in flat memory, their results written in parts and read again."""

import csv
import io
import random
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from assay.jobs import large_cells
from assay.models.loading import SequenceScorer, load_folder
from assay.options import RankOptions
from assay.ranking import ranker
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import ranking_csv
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from tests.conftest import DATA
from tests.integration.drops import Drop
from tests.integration.faults import Cut, desk
from tests.load.samples import RESIDUES

OPTIONS = {"threshold": "-1000000", "gate": "off"}


def sequences(count: int) -> Iterator[str]:
    """Yield sequences that differ."""
    chance = random.Random(count)
    yield from ("".join(chance.choices(RESIDUES, k=50)) for _ in range(count))


def table(count: int, size: int) -> bytes:
    """Return a CSV of so many rows, each with cells of so many letters, no two alike."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["id", "sequence", "note", "mark"])
    for at, text in enumerate(sequences(count)):
        rows.writerow([f"d{at}", text, f"{at:06d}" * (size // 6), 'é="quoted", ' if at % 3 else ""])
    return out.getvalue().encode()


def scorer() -> SequenceScorer:
    return SequenceScorer(load_folder(DATA / "tiny-index" / "1", 1))


def plainly(body: bytes, top_k: int) -> bytes:
    """Return the ranking of a file that is ranked in memory, in one piece."""
    model = scorer()
    options = RankOptions(threshold=-1e6, gate="off", top_k=top_k)
    blocks = parse([body], Format.CSV, model.contract)
    whole = rank_blocks(blocks, model, model, options, deduplicate=False, on_rejects=lambda _: None)
    return "".join(ranking_csv(whole)).encode()


@pytest.mark.parametrize(("inline", "most"), [(8 << 20, 64 << 20), (1000, 64 << 20), (1000, 20_000), (0, 0)])
@pytest.mark.parametrize("shard", [20_000, 1 << 24])
def test_cells_in_parts_give_the_same_ranking(
    drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch, inline: int, most: int, shard: int
) -> None:
    cut(shard)
    monkeypatch.setattr(large_cells, "INLINE", inline)
    monkeypatch.setattr(large_cells, "MOST", most)
    monkeypatch.setattr(large_cells, "_AT_ONCE", 5_000)
    monkeypatch.setattr("assay.ranking.ranker.HEAVY", 30_000 if most < 1 << 20 else 64 << 20)
    body = table(120, 600)
    job_id = drop.done("rank/a.csv", body, **{**OPTIONS, "top-k": "100"})
    assert drop.summary(job_id)["state"] == "SUCCEEDED"
    assert drop.result(job_id, "ranking.csv") == plainly(body, 100)
    apart = [key for key in drop.aws.results.keys(f"partials/{job_id}/") if key.endswith(large_cells.NAME)]
    assert bool(apart) == (inline < 1 << 20 and shard < len(body))  # a file of one shard keeps them in memory


def test_a_shards_result_is_never_larger_than_what_is_read(
    drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.jobs.workspace._MOST_BYTES", 200_000)
    monkeypatch.setattr(large_cells, "INLINE", 50_000)
    body = table(400, 3000)
    cut(len(body) - 1)
    job_id = drop.done("rank/a.csv", body, **{**OPTIONS, "top-k": "400"})
    assert drop.summary(job_id)["state"] == "SUCCEEDED"
    assert drop.result(job_id, "ranking.csv") == plainly(body, 400)
    assert desk().open_workspace(job_id).load(0).parts[large_cells.NAME] > 1_000_000


def test_memory_does_not_grow_with_the_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.ranking.ranker.HEAVY", 1 << 20)
    monkeypatch.setattr("assay.ranking.ranker._BLOCK", 1 << 18)
    peaks = []
    for count in (300, 1200):
        body, model = table(count, 30_000), scorer()
        blocks = parse((body[at : at + 65_536] for at in range(0, len(body), 65_536)), Format.CSV, model.contract)
        tracemalloc.start()
        found = rank_blocks(
            blocks, model, model, RankOptions(threshold=-1e6, gate="off", top_k=200), deduplicate=False,
            on_rejects=lambda _: None, most=1 << 20,
        )  # fmt: skip
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (found.shed, len(found.rows)) == (True, 200)
    assert peaks[1] < 1.5 * peaks[0]


def test_labels_that_were_let_go_leave_the_same_rows() -> None:
    chance = np.random.default_rng(1)
    kept, shed = ranker.TopK(5), ranker.TopK(5, most=10)
    for start in range(0, 60, 20):
        codes = chance.integers(0, 20, (20, 50), dtype=np.uint8)
        labels = np.fromiter(((f"id{at}", ("x" * 100,)) for at in range(20)), np.object_, 20)
        score = chance.random(20, dtype=np.float32)
        rows = ranker.Rows(codes, np.arange(start, start + 20), score, score, labels)
        kept.add(rows, 1 << 30)
        shed.add(rows, 1 << 30)
    first, second = kept.best(), shed.best()
    assert first is not None
    assert second is not None
    assert (kept.shed, shed.shed, second.labels) == (False, True, None)
    assert first.lines.tolist() == second.lines.tolist()
