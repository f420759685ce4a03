"""A stray quote costs its own row and no other, whatever separates the cells and wherever the input is cut."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.abstracts.abstract_records import AbstractRecord, Layout, read_records
from assay.errors import UnreadableInput
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text import csv_rows
from assay.text.csv_rows import OpenRow
from assay.text.records import Limits, Notice, Reject
from tests.unit.reference import SMALL, flat

MARKS = [",", "\t", ";"]
GOOD, OTHER = "ACD", "DCA"
LONG = "We measure the production of dijets and compare it with calculations."


def table(rows: list[list[str]], mark: str) -> bytes:
    return "".join(f"{mark.join(row)}\n" for row in [["id", "sequence", "note"], *rows]).encode()


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("stray", ['"broken', '"broken" off', '"', '"a ""b'])
@given(before=st.integers(0, 3), after=st.integers(0, 3), chunk=st.integers(1, 40))
def test_a_stray_quote_costs_its_row_only(mark: str, stray: str, before: int, after: int, chunk: int) -> None:
    rows = [["a", GOOD, "ok"]] * before + [["b", GOOD, stray]] + [["c", OTHER, "ok"]] * after
    data = table(rows, mark)
    chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    found = flat(parse(chunks, Format.CSV, SMALL, limits=Limits(chunk, 2, 1 << 10)))
    assert [(each.line, each.reason) for each in found if each.reason] == [(2 + before, "malformed")]
    assert [each.line for each in found] == list(range(2, 3 + before + after))


@pytest.mark.parametrize("mark", MARKS)
def test_two_strays_far_apart_swallow_nothing(mark: str) -> None:
    rows = [["a", GOOD, '"5-prime end'], *[["b", GOOD, "ok"]] * 5, ["c", GOOD, '"last one'], ["d", GOOD, ""]]
    found = flat(parse([table(rows, mark)], Format.CSV, SMALL))
    assert [each.line for each in found if each.reason == "malformed"] == [2, 8]
    assert len(found) == 8


def test_what_was_wrong_and_what_to_do_is_said() -> None:
    [first, second] = flat(parse([table([["a", GOOD, '"x'], ["b", '"ACD"A', "y"]], ",")], Format.CSV, SMALL))
    assert first.text.startswith("the quote that opens column 3 is not closed: write a quote that belongs to the text")
    assert second.text.startswith("text follows a closing quote")


def test_a_quote_within_a_word_is_a_letter() -> None:
    [block] = parse([table([["a", GOOD, '5" tall'], ["b", GOOD, 'say "hi"']], ",")], Format.CSV, SMALL)
    assert block.extra == [('5" tall',), ('say "hi"',)]


def test_a_cell_over_whole_rows_is_taken_with_a_notice() -> None:
    rows = [["a", GOOD, '"x'], ["b", OTHER, "y"], ["c", "ACDA", "no sequence"], ["d", GOOD, 'z"'], ["e", GOOD, "ok"]]
    [block] = parse([table(rows, ",")], Format.CSV, SMALL)
    assert block.lines.tolist() == [2, 6]
    [notice] = block.notices
    assert (notice.code, notice.lines, notice.count) == ("quoted_lines", (3, 5), 2)


def test_a_cell_over_lines_that_are_no_rows_is_taken_without() -> None:
    [block] = parse([table([["a", GOOD, '"two\nlines, of text"']], ",")], Format.CSV, SMALL)
    assert block.extra == [("two\nlines, of text",)]
    assert not block.notices


@pytest.mark.parametrize("stray", ['a","\n', '"x\n', ',"\n', '"",""\n', '""a\n'])
def test_each_line_is_looked_at_twice_at_most(stray: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import csv

    fed = 0

    class Counting:
        Error = csv.Error

        @staticmethod
        def reader(lines: Iterable[str], **options: Any) -> Iterator[list[str]]:
            def counted() -> Iterator[str]:
                nonlocal fed
                for line in lines:
                    fed += len(line)
                    yield line

            return csv.reader(counted(), **options)

    monkeypatch.setattr(csv_rows, "csv", Counting)
    data = ("sequence,note\n" + stray * 4000).encode()
    sum(block.received for block in parse([data], Format.CSV, SMALL))
    assert fed < 6 * len(data)


@pytest.mark.parametrize("header", ['id,"sequence\n', '"id" x,sequence\n'])
def test_a_header_with_a_stray_quote_cannot_be_read(header: str) -> None:
    with pytest.raises(UnreadableInput, match="header row cannot be read"):
        list(parse([f"{header}a,ACD\n".encode()], Format.CSV, SMALL))
    with pytest.raises(UnreadableInput, match="header row cannot be read"):
        list(read_records([f"{header}a,ACD\n".encode()], Layout.CSV))


def test_a_cut_behind_an_open_quote_says_so_and_one_behind_a_wrong_row_does_not() -> None:
    with pytest.raises(OpenRow):
        list(parse([table([["a", GOOD, '"x']], ",")], Format.CSV, SMALL, ends=False))
    [block] = parse([table([["a", GOOD, '"x" y']], ",")], Format.CSV, SMALL, ends=False)
    assert [reject.reason for reject in block.rejects] == ["malformed"]


@pytest.mark.parametrize("mark", MARKS)
def test_abstracts_lose_nothing_either(mark: str) -> None:
    rows = [["1", f'"Sparse: {LONG}'], ["2", LONG], ["3", LONG]]
    body = "".join(f"{mark.join(row)}\n" for row in [["id", "abstract"], *rows]).encode()
    found = list(read_records([body], Layout.CSV))
    assert [type(each) for each in found] == [Reject, AbstractRecord, AbstractRecord]
    assert [each.line for each in found if not isinstance(each, Notice)] == [2, 3, 4]


def test_abstracts_within_a_cell_are_noticed_where_there_are_columns() -> None:
    body = f'id,abstract\n1,"{LONG}\n2,{LONG}\n3,{LONG}"\n4,{LONG}\n'.encode()
    [_, _, notice] = read_records([body], Layout.CSV)
    assert isinstance(notice, Notice)
    assert notice.lines == (3, 4)
    [only] = read_records([f'abstract\n"{LONG}\n{LONG}"\n'.encode()], Layout.CSV)
    assert isinstance(only, AbstractRecord)


lines_of_cells = st.lists(
    st.one_of(
        st.lists(st.text('ab,;\t\n "\r\0é', max_size=3), min_size=1, max_size=4).map(",".join),
        st.just("a,b"),
        st.just("a,b,c"),
    ).map(lambda line: line.replace("\n", "")),
    min_size=1,
    max_size=6,
)


@given(lines_of_cells, st.sampled_from(",;\t"))
def test_lines_split_at_once_have_the_cells_that_a_reader_finds(lines: list[str], delimiter: str) -> None:
    found = csv_rows._split_even(lines, delimiter)
    assert found is None or [*map(list, found)] == list(csv.reader(lines, delimiter=delimiter, strict=True))


@given(st.lists(st.tuples(st.text("ab é", max_size=3), st.text("cd", max_size=3)), min_size=1, max_size=6))
def test_even_lines_without_quotes_are_split_at_once(rows: list[tuple[str, str]]) -> None:
    assert csv_rows._split_even([",".join(row) for row in rows], ",") == rows
