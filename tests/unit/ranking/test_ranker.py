"""The way of the rows through queues and models: what is held, what is handed on, what is said of it."""

import csv
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.errors import StrictReject
from assay.options import RankOptions
from assay.ranking.ranker import Rows, _Queue, _rows, _weight, rank_blocks, weigh
from assay.ranking.ranking import (
    Counts,
    PartialRanking,
    PlacedRow,
    RankedRow,
    carried_cells,
    merge,
    ranking_csv,
    require_no_rejects,
    with_row_notices,
)
from assay.sequences.blocks import decode
from assay.sequences.composition import DNA
from assay.sequences.contract import Contract, Windows
from assay.sequences.formats import Format
from assay.sequences.json_items import parse_items
from assay.sequences.parsing import parse
from assay.text.csv_writer import PIECE
from assay.text.records import Limits, Notice, Reject
from tests.unit.reference import SMALL, Fake

HEAVY = 64 << 20
"""Bytes of labels that wait at once, as its documentation has it."""
FEED = 1 << 15
"""Rows that wait for a call of a model at most, where its batch is no larger."""
ONE = Contract("ABCDEFGH", 1)


def numbered(start: int, count: int) -> Rows:
    values = np.zeros(count, np.float32)
    return Rows(np.zeros((count, 1), np.uint8), np.arange(start, start + count), values, values)


class Fixed:
    """A model of fixed batches."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    def score(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise NotImplementedError


sizes = st.lists(st.sampled_from([0, 1, 100, FEED - 1, FEED, FEED + 1, 3 * FEED + 5]), max_size=6)


@given(sizes, st.sampled_from([1, 7, 512, FEED + 3, 2 * FEED]), st.integers(0, 9))
def test_a_queue_gives_whole_batches_in_order_and_all_at_last(counts: list[int], batch: int, heft: int) -> None:
    queue, given_out, start, pushed = _Queue(Fixed(batch)), [], 0, 0
    for count in counts:
        for rows, weight in queue.push(numbered(start, count), count * heft):
            assert len(rows) % batch == 0
            assert weight >= len(rows) * heft
            given_out.append(rows)
        start, pushed = start + count, pushed + count * heft
        assert queue._held < max(FEED, batch)
        assert queue._held == start - sum(map(len, given_out)) == sum(map(len, queue._parts))
        assert abs(queue._weight - queue._held * heft) <= 1
    given_out += [rows for rows, _ in queue.rest()]
    assert [line for rows in given_out for line in rows.lines.tolist()] == list(range(start))
    assert list(queue.rest()) == []
    assert (queue._held, queue._weight) == (0, 0)


def test_a_queue_waits_for_as_many_as_are_worth_a_call() -> None:
    queue = _Queue(Fixed(8))
    assert list(queue.push(numbered(0, FEED - 1), HEAVY)) == []
    ((rows, _),) = queue.push(numbered(0, 1), 0)
    assert len(rows) == FEED
    assert list(queue.push(numbered(0, 0), HEAVY + 1)) == []
    ((rows, weight),) = queue.push(numbered(0, 3), HEAVY + 1)
    assert (len(rows), weight) == (3, HEAVY + 1)
    assert (queue._held, queue._weight) == (0, 0)


def test_a_model_that_names_no_batch_has_one_of_one() -> None:
    bare: Any = object()
    assert _Queue(bare)._batch == 1
    assert _Queue(Fixed(5))._batch == 5


@given(st.lists(st.tuples(st.text("ACD", min_size=3, max_size=3), st.text("xyz", max_size=40)), max_size=30))
def test_a_block_is_said_to_weigh_at_least_what_it_does(records: list[tuple[str, str]]) -> None:
    document = "sequence,id,note\n" + "".join(f"{text},{note},{note}\n" for text, note in records)
    for block in parse([document.encode()], Format.CSV, SMALL, limits=Limits()):
        rows = _rows(block)
        said = _weight(rows, block)
        assert weigh(rows.labels if rows.labels is not None else []) <= said
        assert said in (0, (2 << 20) + 64 * len(rows) * 2)
        assert bool(said) is (rows.labels is not None)


def test_lines_without_labels_weigh_nothing() -> None:
    (block,) = parse([b"ACD\n"], Format.LINES, SMALL)
    assert _rows(block).labels is None
    assert _weight(_rows(block), block) == 0


@given(st.lists(st.tuples(st.text("pq", max_size=3), st.text("ACDX", max_size=40)), min_size=1, max_size=12))
def test_a_ranked_window_has_the_id_and_cells_that_its_block_gives(proteins: list[tuple[str, str]]) -> None:
    document = "".join(f">{name} of {name}\n{text}\n" for name, text in proteins).encode()
    blocks = list(parse([document], Format.FASTA, SMALL, limits=Limits(), windows=Windows(3)))
    given_ids = {
        (line, text): (name, tuple(cells))
        for block in blocks
        for line, text, name, cells in reversed(
            list(zip(block.lines.tolist(), decode(block.codes, SMALL), block.ids or [], block.extra or [], strict=True))
        )
    }
    model = Fake(lambda text: float(sum(map(ord, text))), SMALL)
    partial = rank_blocks(blocks, model, model, RankOptions(), deduplicate=False, on_rejects=lambda _: None)
    assert partial.counts.scored == sum(len(block.lines) for block in blocks)
    for row in partial.rows:
        assert (row.id, tuple(row.extra)) == given_ids[row.line, row.sequence]


def score(text: str) -> float:
    return float(ord(text))


def ranked(*texts: str, **choice: object) -> tuple[PartialRanking, list[tuple[list[int], tuple[str, ...]]]]:
    """Return the ranking of some blocks, with the lines and columns that were told as they were scored."""
    told: list[tuple[list[int], tuple[str, ...]]] = []
    blocks = (block for text in texts for block in parse([text.encode()], Format.CSV, ONE, limits=Limits()))
    options = RankOptions(**choice)  # type: ignore[arg-type]
    partial = rank_blocks(
        blocks,
        Fake(lambda text: 0.0 if text == "A" else 1.0, ONE),
        Fake(score, ONE),
        options,
        deduplicate=False,
        on_rejects=lambda _: None,
        on_scored=lambda rows, contract, columns: told.append((rows.lines.tolist(), columns)),
    )
    return partial, told


def test_what_passes_is_told_in_order_with_the_names_of_its_cells_and_nothing_of_nothing() -> None:
    partial, told = ranked("sequence,id,note\nB,1,x\nA,2,y\nH,3,z\n")
    assert told == [([2, 4], ("note",))]
    assert partial.columns == ("note",)
    assert (partial.counts.passed, partial.counts.scored) == (2, 3)
    assert ranked("sequence,id,note\nA,1,x\n")[1] == []


def test_the_first_columns_that_are_named_are_the_rankings() -> None:
    assert ranked("sequence,id,note\nZ,1,x\n", "sequence,id,other\nB,1,x\n")[0].columns == ("note",)


def test_without_the_gate_whatever_it_says_passes() -> None:
    partial, _ = ranked("sequence\nB\nA\nH\n", gate="off", threshold=5.0)
    assert [row.sequence for row in partial.rows] == ["H", "B", "A"]
    assert partial.counts == Counts(received=3, scored=3, passed=3, returned=3)
    assert ranked("sequence\nB\nA\n", gate="on", threshold=5.0)[0].rows == []


def test_rejects_are_told_once_and_never_none() -> None:
    told: list[list[Reject]] = []
    blocks = [parse_items(["A", "?"], ONE), parse_items(["B"], ONE), parse_items(["!"], ONE)]
    partial = rank_blocks(
        blocks, Fake(score, ONE), Fake(score, ONE), RankOptions(), deduplicate=False, on_rejects=told.append
    )
    assert [[each.line for each in rejects] for rejects in told] == [[2], [1]]
    assert partial.counts == Counts(received=4, scored=2, passed=2, returned=2, rejected=2)


def dna(lines: int = 0) -> Notice:
    return Notice(DNA, "is it DNA?", tuple(range(1, lines + 1)), lines)


def part(scored: int, *notices: Notice, shed: bool = False) -> PartialRanking:
    return PartialRanking([], Counts(scored, scored), ("note",), notices, shed)


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ([part(2, dna()), part(3, dna())], True),
        ([part(2, dna()), part(3)], False),
        ([part(2), part(3, dna())], False),
        ([part(2, dna()), part(0)], True),
        ([part(0), part(2, dna())], True),
        ([part(0, dna()), part(2)], False),
        ([part(0, dna()), part(0)], True),
        ([part(0), part(0, dna())], False),
    ],
)
def test_the_whole_is_of_bases_where_each_part_that_was_scored_is(parts: list[PartialRanking], kept: bool) -> None:
    others = [Notice(code, "stays", (1,), 1) for code in ("above", "lower", "zero")]
    whole = merge([*parts, part(0, *others)], 5)
    assert any(each.code == DNA for each in whole.notices) is kept
    assert [each for each in whole.notices if each.code != DNA] == others


def test_lines_are_moved_in_rows_and_notices_and_nothing_else() -> None:
    row = PlacedRow("ACD", 1.0, 2.0, 3, "a", ("x",), place=(1, 2, 3))
    whole = PartialRanking([row], Counts(1, 1, 1, 1), ("note",), (Notice("odd", "odd", (3, 4), 9),), shed=True)
    moved = whole.shift(10)
    assert moved.rows == [PlacedRow("ACD", 1.0, 2.0, 13, "a", ("x",), place=(1, 2, 3))]
    assert moved.notices == (Notice("odd", "odd", (13, 14), 9),)
    assert (moved.counts, moved.columns, moved.shed) == (whole.counts, whole.columns, True)
    assert whole.shift(0) is whole


def test_a_placed_row_survives_json_and_a_body_without_notices_has_no_such_field() -> None:
    placed = PlacedRow("ACD", 1.0, 2.0, 3, None, ("x",), place=(1, 2, 3))
    for rows in ([placed], [RankedRow("ACD", 1.0, 2.0, 3, "a", ("x",))]):
        whole = PartialRanking([*rows], Counts(1, 1, 1, 1), ("note",))
        assert "notices" not in whole.to_body()
        assert PartialRanking.from_body(whole.to_body()) == whole
        assert type(PartialRanking.from_body(whole.to_body()).rows[0]) is type(rows[0])


def test_rows_of_low_complexity_are_told_of() -> None:
    simple, mixed = RankedRow("AAAA", 2.0, 1.0, 7), RankedRow("ACDEFGHIKL", 1.0, 1.0, 3)
    told = with_row_notices(PartialRanking([simple, mixed], notices=(Notice("odd", "odd"),)))
    assert {each.code: each.lines for each in told.notices} == {"low_complexity": (7,), "odd": ()}
    plain = PartialRanking([mixed])
    assert with_row_notices(plain) is plain


def test_a_merge_takes_the_best_of_all_and_counts_what_it_returns() -> None:
    left = PartialRanking([RankedRow("B", 2.0, 1.0, 3), RankedRow("A", 1.0, 1.0, 1)], Counts(3, 2, 2, 2, 1), ("note",))
    right = PartialRanking([RankedRow("C", 1.5, 1.0, 9), RankedRow("D", 1.5, 1.0, 8)], Counts(4, 3, 2, 2, 0, 1))
    whole = merge([left, right], 3)
    assert [row.sequence for row in whole.rows] == ["B", "C", "D"]
    assert whole.counts == Counts(7, 5, 4, 3, 1, 1)
    assert len(merge([left, right], 9).rows) == 4
    assert merge([left, right], 1).rows == left.rows[:1]


@given(st.lists(st.text("ab", max_size=3), max_size=5), st.integers(0, 7))
def test_a_row_that_is_too_short_has_empty_cells_at_its_end(extra: list[str], more: int) -> None:
    assert carried_cells(extra, len(extra) + more) == (*extra, *[""] * more)


@pytest.mark.parametrize("count", [0, 1, PIECE, PIECE + 1, 2 * PIECE + 3])
def test_a_result_file_has_each_row_once_by_its_rank(count: int) -> None:
    rows = [RankedRow("ACD", float(-at), 1.0, at + 5, None, ("x",)) for at in range(count)]
    whole = PartialRanking(rows, Counts(), ("note", "other"))
    lots = [rows[:2], rows[2:]] if count > 2 else [rows]
    for found in (ranking_csv(whole), ranking_csv(whole, lots)):
        head, *lines = csv.reader("".join(found).splitlines())
        assert head == ["rank", "sequence", "score", "gate", "line", "id", "note", "other"]
        assert [line[0] for line in lines] == [str(at + 1) for at in range(count)]
        assert [line[4:] for line in lines] == [[str(at + 5), "", "x", ""] for at in range(count)]


@pytest.mark.parametrize(("strict", "rejected", "refused"), [(True, 1, True), (True, 0, False), (False, 1, False)])
def test_strict_refuses_what_has_rejects(strict: bool, rejected: int, refused: bool) -> None:
    options, counts = RankOptions(strict=strict), Counts(received=5, rejected=rejected)
    if not refused:
        require_no_rejects(options, counts)
        return
    with pytest.raises(StrictReject, match=r"^1 of 5 records were rejected, and strict allows none$") as told:
        require_no_rejects(options, counts, line=7)
    assert told.value.details == {"count": 1, "line": 7}
