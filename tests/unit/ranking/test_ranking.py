import math

import numpy as np
import pytest

from assay.errors import InvalidOption
from assay.options import RankOptions
from assay.ranking.ranker import Scorer, rank_blocks
from assay.ranking.ranking import Counts, PartialRanking, RankedRow, merge
from assay.sequences.contract import Contract
from assay.sequences.formats import Format
from assay.sequences.json_items import parse_items
from assay.sequences.parsing import parse
from assay.text.records import Reject
from tests.unit.reference import SMALL, Fake

ONE = Contract("ABCDEFGH", 1)


def constant(_: str) -> float:
    return 1.0


def ranked(text: str, gate: Scorer, score: Scorer, *, deduplicate: bool = False, **choice: object) -> PartialRanking:
    blocks = [parse_items(text.split(), ONE)]
    options = RankOptions(**choice)  # type: ignore[arg-type]
    return rank_blocks(blocks, gate, score, options, deduplicate=deduplicate, on_rejects=lambda _: None)


def order(partial: PartialRanking) -> str:
    return "".join(row.sequence for row in partial.rows)


def test_the_highest_scores_come_first_and_ties_keep_the_order_of_the_input() -> None:
    values = {"A": 1.0, "B": 3.0, "C": 1.0, "D": -0.0, "E": 0.0}
    assert order(ranked("E D C B A", Fake(constant, ONE), Fake(values.__getitem__, ONE))) == "BCAED"


def test_the_gate_must_be_above_the_threshold() -> None:
    values = {"A": 0.5, "B": 0.1, "C": 0.1000001, "D": -1.0}
    partial = ranked("A B C D", Fake(values.__getitem__, ONE), Fake(values.__getitem__, ONE), threshold=0.1)
    assert order(partial) == "AC"
    assert partial.counts == Counts(received=4, scored=4, passed=2, returned=2)
    assert [row.gate for row in partial.rows] == [0.5, 0.1000001]


def test_a_threshold_beyond_float32_lets_nothing_pass() -> None:
    assert ranked("A", Fake(constant, ONE), Fake(constant, ONE), threshold=1e300).rows == []


def test_the_score_model_sees_only_what_passes_in_whole_batches() -> None:
    gate, score = Fake(lambda text: float(text[0] == "A"), batch=1000), Fake(constant, batch=512)
    blocks = parse([b"ACD\nCCC\n" * 100_000], Format.LINES, SMALL)
    partial = rank_blocks(blocks, gate, score, RankOptions(), deduplicate=False, on_rejects=lambda _: None)
    assert partial.counts.passed == sum(score.calls) == 100_000
    assert [calls % 1000 for calls in gate.calls[:-1]] == [0] * (len(gate.calls) - 1)
    assert [calls % 512 for calls in score.calls[:-1]] == [0] * (len(score.calls) - 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_rejected(value: float) -> None:
    seen: list[Reject] = []
    gate, score = Fake(lambda text: value if text == "A" else 1.0, ONE), Fake({"B": value, "C": 1.0}.__getitem__, ONE)
    blocks = [parse_items(["A", "B", "C", "A"], ONE)]
    partial = rank_blocks(blocks, gate, score, RankOptions(), deduplicate=True, on_rejects=seen.extend)
    gave = f"model gave {value}"
    assert seen == [Reject(1, "not_finite", f"the gate {gave}"), Reject(2, "not_finite", f"the score {gave}")]
    assert partial.counts == Counts(received=4, scored=1, passed=1, returned=1, rejected=2, duplicates=1)


def test_the_api_counts_duplicates_and_files_score_them() -> None:
    api = ranked("A B a A", Fake(constant, ONE), Fake(constant, ONE), deduplicate=True)
    file = ranked("A B a A", Fake(constant, ONE), Fake(constant, ONE))
    assert api.rows == file.rows == [RankedRow("A", 1.0, 1.0, 1), RankedRow("B", 1.0, 1.0, 2)]
    assert api.counts == Counts(received=4, scored=2, passed=2, returned=2, duplicates=2)
    assert file.counts == Counts(received=4, scored=4, passed=4, returned=2)


def test_ids_and_carried_columns_reach_the_ranking() -> None:
    data = b"id,note,sequence\n1,first,ACD\n2,bad,A\n3,last,DDD\n"
    partial = rank_blocks(
        parse([data], Format.CSV, SMALL),
        Fake(constant),
        Fake(lambda text: text.count("D")),
        RankOptions(),
        deduplicate=True,
        on_rejects=lambda _: None,
    )
    assert partial.columns == ("note",)
    assert [(row.id, row.extra, row.line) for row in partial.rows] == [("3", ("last",), 4), ("1", ("first",), 2)]


def test_scores_print_as_the_shortest_decimals_of_float32() -> None:
    (row,) = ranked("A", Fake(lambda _: 1 / 3, ONE), Fake(lambda _: 0.1, ONE)).rows
    assert (repr(row.score), repr(row.gate)) == ("0.1", "0.33333334")
    assert np.float32(row.gate) == np.float32(1 / 3)


def test_nothing_ranks_to_nothing() -> None:
    assert ranked("", Fake(constant, ONE), Fake(constant, ONE)) == PartialRanking()
    assert merge([], 5) == PartialRanking()


def test_merging_keeps_the_columns_and_the_first_line_of_a_sequence() -> None:
    left = PartialRanking([RankedRow("B", 2.0, 1.0, 3), RankedRow("A", 1.0, 1.0, 1)], Counts(3, 3, 2, 2), ())
    right = PartialRanking([RankedRow("B", 2.0, 1.0, 2), RankedRow("C", 1.0, 1.0, 9)], Counts(2, 2, 2, 2), ("note",))
    merged = merge([left, right], 2)
    assert [(row.sequence, row.line) for row in merged.rows] == [("B", 2), ("A", 1)]
    assert (merged.counts, merged.columns) == (Counts(5, 5, 4, 2), ("note",))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[("top_k", value) for value in (0, -1, 10_001, 1.0, "5", True, None)],
        *[("threshold", value) for value in (math.nan, math.inf, 10**400, "0", None, False)],
        *[("strict", value) for value in (1, "true", None)],
        *[("column", value) for value in ("", 3)],
    ],
)
def test_an_option_out_of_range_is_named(option: str, value: object) -> None:
    with pytest.raises(InvalidOption, match=option) as caught:
        RankOptions(**{option: value})  # type: ignore[arg-type]
    assert caught.value.details == {"option": option}


@pytest.mark.parametrize("choice", [{"top_k": 1}, {"top_k": 10_000}, {"threshold": -3}, {"column": "binder"}])
def test_options_in_range_are_taken(choice: dict[str, object]) -> None:
    assert RankOptions(**choice)  # type: ignore[arg-type]
