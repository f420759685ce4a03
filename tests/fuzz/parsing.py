"""Sequences and abstracts out of any bytes: only the error tree, counts that add up, chunks that change nothing."""

import gzip
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import chain

from assay.abstracts.abstract_records import Layout
from assay.abstracts.abstract_records import read_records as read_abstracts
from assay.errors import InputError, UnreadableInput
from assay.jobs.byte_ranges import LineCounter, cut_ranges, own_lines
from assay.sequences.contract import Windows
from assay.sequences.formats import Format, sniff_format
from assay.sequences.parsing import parse
from assay.text.compression import gunzip
from assay.text.csv_rows import OpenRow
from assay.text.records import Limits, Notice, Reject
from tests.unit.reference import SMALL, Record, count_lines, flat

Outcome = tuple[object, ...]
_KNOBS = 2


def knobs(data: bytes) -> tuple[int, Limits, bytes]:
    """Return the size of chunks, the limits, and the document that some bytes stand for."""
    head, body = data[:_KNOBS].ljust(_KNOBS, b"\0"), data[_KNOBS:]
    bounds = Limits(9 + head[1] % 61, 2 + head[1] % 5, 3 + head[1] % 97)
    return 3 + head[0] % 37, bounds, body


def cut(data: bytes, size: int) -> list[bytes]:
    """Return the same bytes in chunks of `size`."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def outcome(read: Callable[[Iterable[bytes]], object], chunks: Iterable[bytes]) -> Outcome:
    """Return what reading gave, or which error of the tree it raised and with which words."""
    try:
        return ("read", read(chunks))
    except (InputError, OpenRow) as error:
        return (type(error).__name__, str(error))


def agreed(read: Callable[[Iterable[bytes]], object], data: bytes, size: int) -> Outcome:
    """Read some bytes whole and in chunks; return the one outcome of both."""
    whole = outcome(read, [data])
    assert outcome(read, cut(data, size)) == whole
    return whole


def _records(fmt: Format, limits: Limits, windows: Windows | None = None) -> Callable[[Iterable[bytes]], list[Record]]:
    def read(chunks: Iterable[bytes]) -> list[Record]:
        blocks = list(parse(chunks, fmt, SMALL, windows=windows, limits=limits))
        found = list(flat(blocks)) if windows is None else []
        if windows is None:
            assert len(found) == sum(block.received for block in blocks)
        return found

    return read


def lines(data: bytes) -> None:
    """Every line is a record or a reject, however the bytes are cut into chunks or shards."""
    size, limits, body = knobs(data)
    _, found = agreed(_records(Format.LINES, limits), body, size)
    assert isinstance(found, list)
    assert len(found) == count_lines([body.removeprefix(b"\xef\xbb\xbf")])
    _sharded(body, size, b"")


def fasta(data: bytes) -> None:
    """A record is a record however the bytes are cut, with windows along it and without."""
    size, limits, body = knobs(data)
    agreed(_records(Format.FASTA, limits), body, size)
    agreed(_records(Format.FASTA, limits, Windows(SMALL.length, 1 + size % 3)), body, size)
    _sharded(body, size, b">")


def _sharded(body: bytes, size: int, mark: bytes) -> None:
    """Each byte is of one shard and no other, and the shards' lines add up."""
    counter, given = LineCounter(), []
    for shard in cut_ranges(len(body), size, splittable=True):
        part = list(own_lines(cut(body[shard.read_from :], 1 + size % 7), shard, mark))
        given += part
        counter.add(b"".join(part))
    assert b"".join(given) == body
    assert counter.lines == count_lines([body])


def table(data: bytes) -> None:
    """CSV: rows across lines, whatever is quoted; also one that is cut within a row."""
    size, limits, body = knobs(data)
    named = body if size % 2 else b"sequence,id,note\n" + body
    agreed(_records(Format.CSV, limits), named, size)
    agreed(lambda chunks: list(map(_plain, parse(chunks, Format.CSV, SMALL, ends=False))), named, size)


def _plain(block: object) -> str:
    return repr(getattr(block, "rejects", None))


def sniffed(data: bytes) -> None:
    """Some format is found for any beginning, type and name."""
    head, _, name = data.partition(b"\0")
    text = name.decode("utf-8", "replace")
    for called in ("", text):
        with suppress(UnreadableInput):
            assert sniff_format(head, called, called) in Format


def packed(data: bytes) -> None:
    """Gzip or not, cut anywhere: unpacked alike or refused alike; what was packed comes back."""
    size, _, body = knobs(data)
    agreed(lambda chunks: b"".join(gunzip(chunks, limit=1 << 16)), body, size)
    whole = gzip.compress(body, 1, mtime=0)
    assert b"".join(gunzip(cut(whole, size))) == body
    torn = bytearray(whole)
    torn[size % len(torn)] ^= 1 + size
    agreed(lambda chunks: b"".join(gunzip(chunks, limit=1 << 16)), bytes(torn), size)


def abstracts(data: bytes) -> None:
    """Abstracts in each layout: a record or a reject for each line or row, in order."""
    size, limits, body = knobs(data)
    for layout in (Layout.JSONL, Layout.LINES, Layout.CSV):
        found = agreed(partial(_read, layout=layout, limits=limits), body, size)
        if layout is not Layout.CSV:
            assert isinstance(found[1], list)
            assert len(found[1]) == count_lines([body.removeprefix(b"\xef\xbb\xbf")])


def _read(chunks: Iterable[bytes], layout: Layout, limits: Limits) -> list[object]:
    found = [each for each in read_abstracts(chunks, layout, limits=limits) if not isinstance(each, Notice)]
    places = [each.line for each in found]
    assert places == sorted(places)
    return [each if isinstance(each, Reject) else (each.line, each.id, repr(each.text)) for each in chain(found)]
