"""Notices: those of one kind become one, however the input was cut, and keep the first lines and their number."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assay.ranking.ranking import Counts, PartialRanking, merge
from assay.text.records import LINES_NAMED, Notice, gather, notice
from tools.cli.output import describe_notice

LINES = st.lists(st.integers(1, 200), unique=True, max_size=60).map(sorted)


@given(LINES, st.lists(st.integers(0, 60), max_size=4))
def test_parts_gathered_are_the_whole(lines: list[int], cuts: list[int]) -> None:
    ends = sorted({*cuts, 0, 60})
    parts = [notice("a", "said", lines[start:stop]) for start, stop in pairwise(ends)]
    assert gather(parts) == (notice("a", "said", lines),)


def test_only_the_first_lines_are_named_and_all_are_counted() -> None:
    found = notice("a", "said", range(1, 1001))
    assert found.lines == tuple(range(1, LINES_NAMED + 1))
    assert found.count == 1000


def test_kinds_stay_apart_and_come_in_one_order() -> None:
    found = gather([notice("b", "two", [1]), notice("a", "one"), notice("a", "other"), notice("a", "one")])
    assert [(each.code, each.message, each.count) for each in found] == [
        ("a", "one", 0),
        ("a", "other", 0),
        ("b", "two", 1),
    ]


def test_a_body_is_read_as_it_was_written() -> None:
    for each in (Notice("a", "said"), notice("b", "said", [3, 9])):
        assert Notice.from_body(each.to_body()) == each
    assert Notice("a", "said").to_body() == {"code": "a", "message": "said"}


def test_a_partial_carries_them_through_json_and_merging() -> None:
    first = PartialRanking(counts=Counts(2), notices=(notice("a", "said", [2]),))
    second = PartialRanking(counts=Counts(2), notices=(notice("a", "said", [1]), notice("b", "whole")))
    again = PartialRanking.from_body(second.to_body()).shift(2)
    assert merge([first, again], 5).notices == (notice("a", "said", [2, 3]), notice("b", "whole"))


def test_a_partial_of_before_there_were_notices_is_read() -> None:
    body = PartialRanking(counts=Counts(2)).to_body()
    assert "notices" not in body
    assert PartialRanking.from_body(body).notices == ()


def test_a_terminal_is_told_what_and_where() -> None:
    assert describe_notice(Notice("a", "said").to_body()) == "note: said"
    assert describe_notice(notice("a", "said", [7]).to_body()) == "note: said (line 7)"
    assert describe_notice(notice("a", "said", [7, 9]).to_body()) == "note: said (lines 7, 9)"
    assert describe_notice(notice("a", "said", range(1, 31)).to_body()).startswith("note: said (30 lines: 1, 2, ")
    assert describe_notice(Notice("a", "said", count=3).to_body()) == "note: said (3 times)"
