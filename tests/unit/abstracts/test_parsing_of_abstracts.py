"""Abstracts out of files: one pass against any cut of it, and what each kind of bad record is called."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.abstracts.abstract_records import Found, Layout, TableCut, read_records
from assay.abstracts.cleaning import SHORTEST
from assay.errors import UnreadableInput
from assay.text.csv_rows import OpenRow
from assay.text.records import Limits, Notice, Reject

LIMITS = Limits(block_bytes=16, block_records=3, record_bytes=40)
TEXTS = st.sampled_from(
    ["", " ", "plain text", '"quoted"', "Größe", "x" * 60, '{"text": "a"}', '{"id": 1, "text": "b"}']
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
FILES = st.lists(st.tuples(TEXTS, ENDS), max_size=12)


def said(found: Found) -> tuple[object, ...]:
    if isinstance(found, Notice):
        return (found.code, found.lines)
    return (found.line, found.reason) if isinstance(found, Reject) else (found.line, found.id, found.text)


def parsed(
    body: bytes, layout: Layout, cut: TableCut | None = None, column: str | None = None
) -> list[tuple[object, ...]]:
    return [said(each) for each in read_records([body], layout, column, cut, LIMITS)]


@given(FILES, st.sampled_from([Layout.LINES, Layout.JSONL]), st.integers(0, 12), st.booleans())
def test_a_file_read_in_two_is_a_file_read_at_once(
    file: list[tuple[str, str]], layout: Layout, at: int, mark: bool
) -> None:
    first, second = ("".join(text + end for text, end in part).encode() for part in (file[:at], file[at:]))
    if first.endswith(b"\r") and second.startswith(b"\n"):
        return  # a cut never falls within a line's end
    first = b"\xef\xbb\xbf" * mark + first
    head = parsed(first, layout, TableCut(ends=False))
    tail = parsed(second, layout, TableCut(len(head) + 1, begins=not at and not mark))
    assert head + tail == parsed(first + second, layout)


@given(st.binary(max_size=60), st.sampled_from([Layout.LINES, Layout.JSONL]))
def test_any_bytes_are_a_record_or_a_reject_a_line(body: bytes, layout: Layout) -> None:
    lines = [each[0] for each in parsed(body, layout)]
    assert lines == list(range(1, len(lines) + 1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "malformed"),
        (b'{"text": "a", "text": "b"}', "malformed"),
        (b"7", "malformed"),
        (b'{"title": "x"}', "malformed"),
        (b"\xff", "encoding"),
        (b"\t ", "empty"),
        (b'"' + b"x" * 99 + b'"', "too_long_line"),
        (b"1" * 39, "malformed"),
    ],
)
def test_lines_of_json_that_hold_no_abstract(text: bytes, reason: str) -> None:
    assert parsed(text + b"\n", Layout.JSONL) == [(1, reason)]


def test_numbers_of_json_too_long_to_be_read_are_rejects() -> None:
    [found] = read_records([b"1" * 5000], Layout.JSONL)
    assert isinstance(found, Reject)
    assert found.reason == "malformed"


def test_the_field_may_be_named_and_abstract_goes_before_text() -> None:
    body = json.dumps({"text": "t", "abstract": "a"}).encode()
    assert parsed(body, Layout.JSONL) == [(1, None, "a")]
    assert parsed(body, Layout.JSONL, column="text") == [(1, None, "t")]
    assert parsed(body, Layout.JSONL, column="other") == [(1, "malformed")]


def test_rows_of_a_csv() -> None:
    body = b'id,Text\n1,"a\nb"\n\n2\n3,' + b"x" * 60 + b"\n4,\xff\n\xff,c\n"
    assert parsed(body, Layout.CSV) == [
        (2, "1", "a\nb"),
        (5, "empty"),
        (6, "too_long_line"),
        (7, "encoding"),
        (8, "\ufffd", "c"),
    ]


def test_lines_within_a_cell_that_look_like_rows_are_noticed_of_tables_of_several_columns() -> None:
    long = "An abstract of more than fifty characters as real ones are"
    inside = f"{long}\n2,{long}\nthe end"
    two = [said(each) for each in read_records([f'id,text\n1,"{inside}"\n'.encode()], Layout.CSV)]
    one = [said(each) for each in read_records([f'text\n"{long}\n{long}"\n'.encode()], Layout.CSV)]
    short = [said(each) for each in read_records([b'id,text\n1,"a\n2,b\nc"\n'], Layout.CSV)]
    assert two == [(2, "1", inside), ("quoted_lines", (3,))]
    assert one == [(2, None, f"{long}\n{long}")]
    assert short == [(2, "1", "a\n2,b\nc")]


@pytest.mark.parametrize(("body", "column"), [(b"a,b\n1,2\n", None), (b"text\nx\n", "b"), (b"x" * 60 + b"\n1\n", None)])
def test_a_csv_without_its_column_cannot_be_read(body: bytes, column: str | None) -> None:
    with pytest.raises(UnreadableInput):
        parsed(body, Layout.CSV, column=column)


def test_a_csv_cut_within_a_cell_says_so() -> None:
    with pytest.raises(OpenRow):
        parsed(b'text\n"a\n', Layout.CSV, TableCut(ends=False))


@pytest.mark.parametrize("blank", [b"", b"\n", b"\n\n", b"\n\n\n"])
def test_the_header_row_is_the_first_that_is_not_blank(blank: bytes) -> None:
    at = len(blank)
    assert parsed(blank + b"id,text\n1,a\n2,b\n", Layout.CSV) == [(at + 2, "1", "a"), (at + 3, "2", "b")]


def test_a_row_that_ends_before_the_texts_column_has_none() -> None:
    assert parsed(b"id,x,text\n1\n2,y\n3,y,t\n", Layout.CSV) == [(2, "empty"), (3, "empty"), (4, "3", "t")]


@pytest.mark.parametrize("layout", [Layout.LINES, Layout.JSONL])
def test_a_byte_order_mark_is_no_text_at_a_files_start_alone(layout: Layout) -> None:
    body = b'\xef\xbb\xbf"a"\n'
    assert parsed(body, layout) == parsed(body[3:], layout)
    assert parsed(body, layout, TableCut(2)) != [(2, *said[1:]) for said in parsed(body[3:], layout)]


@pytest.mark.parametrize("before", ["ab", "abc"])
def test_the_reason_names_the_first_character_that_is_not_utf8(before: str) -> None:
    [found] = read_records([f"text\n{before}".encode() + b"\xff\n"], Layout.CSV)
    assert isinstance(found, Reject)
    assert found.detail == f"the text is not UTF-8 from character {len(before) + 1}"


@pytest.mark.parametrize(("characters", "noticed"), [(SHORTEST - 1, False), (SHORTEST, True)])
def test_lines_too_short_to_be_abstracts_are_not_noticed(characters: int, noticed: bool) -> None:
    row = "a" * characters
    found = parsed_long(f'id,text\n1,"{row}\n2,{row}\nb"\n')
    assert (("quoted_lines", (3,)) in found) is noticed


def parsed_long(text: str) -> list[tuple[object, ...]]:
    return [said(each) for each in read_records([text.encode()], Layout.CSV)]


@pytest.mark.parametrize(("given", "kept"), [('"a"', "a"), ("7", "7"), ('""', None), ("true", None), ("null", None)])
def test_ids_of_json_are_words_and_numbers(given: str, kept: str | None) -> None:
    assert parsed(f'{{"id": {given}, "text": "t"}}\n'.encode(), Layout.JSONL) == [(1, kept, "t")]


@pytest.mark.parametrize("mark", [";", "\t", ","])
def test_cells_are_separated_by_what_separates_the_headers_names(mark: str) -> None:
    other = ";" if mark == "," else ","
    assert parsed(f"id{mark}text\n1{mark}a{other}b\n".encode(), Layout.CSV) == [(2, "1", f"a{other}b")]


@pytest.mark.parametrize("before", [b"", b"a", b"abcd"])
def test_the_reason_names_the_first_byte_that_is_not_utf8(before: bytes) -> None:
    [found] = read_records([before + b"\xfe\xff\n"], Layout.LINES)
    assert isinstance(found, Reject)
    assert found.detail == f"byte 0xFE at position {len(before) + 1} is not UTF-8"
