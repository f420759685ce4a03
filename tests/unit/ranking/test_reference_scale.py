"""What a score means: never falling, within bounds, and the same in any company and however input is split."""

import csv
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.options import RankOptions
from assay.ranking.distributions import Curve, ReferenceScale, percentile_curve, probability_curve
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import PartialRanking, PlacedRow, RankedRow, merge, ranking_csv, with_row_notices
from assay.sequences.contract import Contract
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from tests.unit.reference import Fake

WIDE = Contract("ACDEFGHIKLMNPQRSTVWY", 4)
floats = st.floats(-1e6, 1e6, width=32)
knots = st.lists(st.tuples(floats, st.floats(0, 1)), min_size=2, max_size=12).map(
    lambda found: (sorted(score for score, _ in found), sorted(value for _, value in found))
)


@given(knots, st.lists(floats, min_size=1, max_size=20))
def test_a_curve_never_falls_and_never_leaves_its_bounds(
    known: tuple[list[float], list[float]], asked: list[float]
) -> None:
    curve = probability_curve(*known)
    found = curve.at(np.array(sorted(asked), np.float32)).tolist()
    assert all(0 <= value <= 1 for value in found)
    assert all(before <= after for before, after in pairwise(found))
    assert found == [curve.at(np.array([each], np.float32))[0] for each in sorted(asked)]
    assert found == [round(value, 4) for value in found]


@given(knots)
def test_a_curve_goes_through_its_knots_and_halfway_where_scores_are_equal(
    known: tuple[list[float], list[float]],
) -> None:
    scores, values = known
    curve = Curve.through(scores, values, 12)
    for score in set(scores):
        same = [value for each, value in zip(scores, values, strict=True) if each == score]
        assert curve.at(np.array([score], np.float32))[0] == pytest.approx(sum(same) / len(same), abs=1e-9)


def test_beyond_its_ends_a_curve_is_level_and_of_nothing_it_says_nothing() -> None:
    curve = percentile_curve([0.0, 1.0], [10.0, 90.0])
    assert curve.at(np.array([-np.inf, -5, 0.5, 5, np.inf], np.float32)).tolist() == [10, 10, 50, 90, 90]
    assert np.isnan(curve.at(np.array([np.nan], np.float32))).all()
    assert curve.at(np.zeros(0, np.float32)).tolist() == []


SCALE = ReferenceScale(probability_curve([0, 40], [0.1, 0.9]), percentile_curve([0, 10, 40], [0, 90, 100]), None)


class Known(Fake):
    """A model whose scores have a meaning."""

    reference = SCALE


def model(kind: type[Fake] = Known) -> Fake:
    return kind(lambda text: float(sum(map("ACDEFGHIKLMNPQRSTVWY".index, text))), WIDE)


def ranked(text: str, scorer: Fake, top_k: int = 100) -> PartialRanking:
    options = RankOptions(top_k=top_k, threshold=-1)
    blocks = parse([text.encode()], Format.LINES, WIDE)
    return rank_blocks(blocks, model(), scorer, options, deduplicate=False, on_rejects=lambda _: None)


lines = st.lists(st.text("ACDEWY", min_size=4, max_size=4), min_size=1, max_size=30)


@given(lines, st.integers(0, 30), st.integers(1, 10))
def test_parts_say_of_each_row_what_the_whole_says(texts: list[str], cut: int, top_k: int) -> None:
    whole = ranked("\n".join(texts), model(), top_k)
    halves = [ranked("\n".join(half), model(), top_k) for half in (texts[:cut], texts[cut:])]
    moved = [halves[0], halves[1].shift(len(texts[:cut]))]
    read = [PartialRanking.from_body(json.loads(json.dumps(each.to_body()))) for each in moved]
    assert "".join(ranking_csv(merge(read, top_k))) == "".join(ranking_csv(whole))
    assert with_row_notices(merge(read, top_k)).notices == with_row_notices(whole).notices
    assert read == moved
    assert all(row.probability is not None and row.percentile is not None for row in whole.rows)


@given(lines)
def test_a_model_without_a_reference_adds_nothing(texts: list[str]) -> None:
    bare = ranked("\n".join(texts), model(Fake))
    assert bare.reference_columns == ()
    assert "reference" not in bare.to_body()
    assert all(len(row) == 6 for row in bare.to_body()["rows"])
    table = [*csv.reader("".join(ranking_csv(bare)).splitlines())]
    assert table[0] == ["rank", "sequence", "score", "gate", "line", "id"]
    scored = [*csv.reader("".join(ranking_csv(ranked("\n".join(texts), model()))).splitlines())]
    assert [row[:6] for row in scored] == table
    assert scored[0][6:] == ["probability", "percentile", "notice"]


def test_bodies_that_were_written_before_are_read() -> None:
    old = {
        "columns": [],
        "counts": {"returned": 2},
        "rows": [["A", 1.0, 2.0, 3, None, []], ["C", 0.0, 2.0, 4, "x", [], [1, 2, 3]]],
    }
    found = PartialRanking.from_body(old)
    assert found.rows == [RankedRow("A", 1.0, 2.0, 3), PlacedRow("C", 0.0, 2.0, 4, "x", place=(1, 2, 3))]
    assert found.reference_columns == ()


def test_rows_with_a_code_are_counted_by_code_and_their_lines_named() -> None:
    found = with_row_notices(ranked("AAAA\nDEFG\nACGT\nAAAC", model()))
    said = {each.code: (each.lines, each.count) for each in found.notices}
    assert [(row.sequence, row.notice) for row in found.rows] == [
        ("ACGT", "looks_like_dna"),
        ("DEFG", "low_complexity"),  # four residues have two bits at most
        ("AAAC", "low_complexity"),
        ("AAAA", "low_complexity"),
    ]
    assert said == {"looks_like_dna": ((3,), 1), "low_complexity": ((1, 2, 4), 3)}
    assert "".join(ranking_csv(found)).splitlines()[1].endswith(",looks_like_dna")
