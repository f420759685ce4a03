"""Repairs of FASTA, a line at a time: glued records, PIR's titles, comments, numbered lines."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

_PIR: Final = re.compile(rb"(P1|F1);")
_NUMBER: Final = re.compile(rb"(?<![^ \t])\d+(?![^ \t])")


@dataclass(frozen=True, slots=True)
class Mended:
    """Plain FASTA, two lines a record; each record's line and its bytes as they were; the lines of glued ones."""

    data: bytes
    lines: list[int]
    sizes: list[int]
    glued: list[int]


@dataclass(slots=True)
class _Record:
    """A record while it is read; of PIR's the title is None until its line comes."""

    line: int
    header: bytes
    size: int
    glued: bool = False
    pir: bool = False
    title: bytes | None = b""
    ended: bool = False
    parts: list[bytes] = field(default_factory=list)

    def plain(self) -> bytes:
        """Return the record as two lines."""
        header = b" ".join(filter(None, (self.header, self.title)))
        return b">%b\n%b\n" % (header, b"".join(self.parts))


def mend(data: bytes, line: int, *, numbered: bool, longest: int) -> Mended:
    """Return whole records, the first header being at `line`, as plain FASTA; `numbered`: digits are no residues.

    A record of over `longest` bytes, with those that are glued to it, stays one: it is refused as a whole.
    """
    records = list(_join_glued(_records(data, line, numbered), longest))
    glued = [record.line for record in records if record.glued]
    plain = b"".join(record.plain() for record in records)
    return Mended(plain, [record.line for record in records], [record.size for record in records], glued)


def _join_glued(records: Iterable[_Record], longest: int) -> Iterator[_Record]:
    """Make one of records that are glued to each other and are too long together."""
    group: list[_Record] = []
    for record in chain(records, (None,)):
        if group and not (record and record.glued):
            size = sum(each.size for each in group)
            yield from [replace(group[0], size=size)] if size > longest else group
            group = []
        if record:
            group.append(record)


def _records(data: bytes, line: int, numbered: bool) -> Iterator[_Record]:
    record: _Record | None = None
    for number, text in enumerate(data[:-1].split(b"\n"), line):
        if text.startswith(b">"):
            if record:
                yield record
            record = _begin(number, text[1:])
            continue
        assert record is not None  # whole records begin with a header
        if record.title is None or text.startswith(b";"):
            record.title = text.strip(b" \t") if record.title is None else record.title
            record.size += len(text) + 1
            continue
        body, mark, rest = text.partition(b">")
        _add(record, body, numbered)
        record.size += 0 if mark else 1
        if mark:
            yield record
            record = _begin(number, rest)
            record.glued = True
    if record:
        yield record


def _begin(line: int, header: bytes) -> _Record:
    found = _PIR.match(header)
    if found is None:
        return _Record(line, header, len(header) + 2)
    return _Record(line, header[found.end() :].strip(b" \t"), len(header) + 2, pir=True, title=None)


def _add(record: _Record, body: bytes, numbered: bool) -> None:
    """Add a line of residues; of PIR nothing from the "*" that ends them."""
    record.size += len(body)
    text = _NUMBER.sub(b"", body) if numbered else body
    if record.pir:
        text, star, _ = (b"" if record.ended else text).partition(b"*")
        record.ended = record.ended or bool(star)
    record.parts.append(text)
