from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.errors import AssayError, UnreadableInput
from assay.sequences.formats import Format
from assay.sequences.json_items import parse_items
from assay.sequences.parsing import parse
from assay.text.records import Limits
from tests.unit import reference
from tests.unit.reference import SMALL, Record, flat
from tests.unit.strategies import chunked, documents, limits

ROOMY = Limits(block_bytes=1 << 10, block_records=100, record_bytes=1 << 10)
Chunked = tuple[bytes, list[bytes]]


def parsed(chunks: list[bytes], fmt: Format, bounds: Limits) -> list[Record]:
    return flat(parse(chunks, fmt, SMALL, limits=bounds))


@given(chunked(), limits)
def test_lines_agree_with_the_plain_parser(pair: Chunked, bounds: Limits) -> None:
    assert parsed(pair[1], Format.LINES, bounds) == reference.parse_lines(pair[0], SMALL, bounds)


@given(chunked(), limits)
def test_fasta_agrees_with_the_plain_parser(pair: Chunked, bounds: Limits) -> None:
    assert parsed(pair[1], Format.FASTA, bounds) == reference.parse_fasta(pair[0], SMALL, bounds)


HEADERS = st.sampled_from([b"id,sequence,note", b"sequence", b"note,sequence"])
ROWS = [
    b"ACD",
    b'"ACD"',
    b'a,ACD,"x',
    b'b,ACD,y"',
    b'c,"ACD",z',
    b'","',
    b'a","',
    b'""',
    b'"x" y',
    b"\n",
    b"\n",
    b",",
]


@given(st.one_of(chunked(), chunked(st.lists(st.sampled_from(ROWS), max_size=40).map(b"".join))), limits, HEADERS)
def test_csv_agrees_with_the_plain_parser(pair: Chunked, bounds: Limits, header: bytes) -> None:
    bounds = replace(bounds, record_bytes=bounds.record_bytes + len(header))
    expected = reference.parse_csv(header + b"\n" + pair[0], SMALL, bounds.record_bytes)
    found = parsed([header, b"\r", b"\n", *pair[1]], Format.CSV, bounds)
    own = ("malformed", "too_long_line")
    width = len(set(header.split(b",")) - {b"id", b"sequence"})
    assert [_plain(each, width, *own) for each in found] == expected


def _plain(record: reference.Record, width: int, *own: str) -> reference.Record:
    """Return a record as the reference has it: a short row's missing cells are empty when they are written."""
    if record.reason:
        return record._replace(text="") if record.reason in own else record
    return record._replace(extra=(*record.extra, *("",) * (width - len(record.extra))))


@pytest.mark.parametrize("fmt", [Format.LINES, Format.FASTA, Format.CSV, Format.JSONL, Format.WRAPPED])
@given(pair=chunked(), bounds=limits, block_bytes=st.integers(1, 300))
@example(pair=(b"A" * 44 + b" \n", [b"A" * 44 + b" \n"]), bounds=Limits(1, 1, 44), block_bytes=300)
@example(pair=(b" " * 45 + b"\n", [b" " * 45 + b"\n"]), bounds=Limits(1, 1, 44), block_bytes=300)
def test_neither_chunks_nor_blocks_change_what_is_read(
    fmt: Format, pair: Chunked, bounds: Limits, block_bytes: int
) -> None:
    data = b"sequence,note\n" + pair[0] if fmt is Format.CSV else pair[0]
    chunks = [b"sequence,note\n", *pair[1]] if fmt is Format.CSV else pair[1]
    other = Limits(block_bytes, 1 << 10, bounds.record_bytes)
    try:
        expected = parsed([data], fmt, other)
    except UnreadableInput as error:
        with pytest.raises(UnreadableInput, match=str(error)):
            parsed(chunks, fmt, bounds)
    else:
        assert parsed(chunks, fmt, bounds) == expected


@pytest.mark.parametrize("fmt", Format)
@given(data=documents)
def test_any_bytes_give_blocks_or_an_assay_error(fmt: Format, data: bytes) -> None:
    try:
        blocks = list(parse([data], fmt, SMALL, limits=ROOMY))
    except AssayError:
        return
    for block in blocks:
        assert block.codes.shape == (len(block.lines), 3)
        assert block.codes.dtype == np.uint8
        assert block.received == len(block.codes) + len(block.rejects)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("ACD"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "sequence", "x"]), inner),
    max_leaves=5,
)


@given(st.lists(json_values, max_size=5))
def test_any_json_items_give_a_block_or_an_assay_error(items: list[object]) -> None:
    try:
        block = parse_items(items, SMALL)
    except AssayError:
        return
    assert block.received == len(items)


@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from("ACDacd \t*"), max_size=6), max_size=20))
def test_json_texts_agree_with_the_plain_parser(texts: list[str]) -> None:
    stripped = [text.strip(" \t\r\n").encode("utf-8", "surrogatepass") for text in texts]
    expected = [Record(line, *reference.judge(text, SMALL)) for line, text in enumerate(stripped, 1)]
    assert sorted(flat([parse_items(texts, SMALL)])) == expected
