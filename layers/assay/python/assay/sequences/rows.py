"""CSV rows out of blocks of lines: quoted fields may hold line ends, and a quote never closed costs no memory."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from assay.sequences.framing import Frame
from assay.sequences.records import Limits

# The module's own bound on a field (128 KiB) is global; `Limits.record_bytes` is the one that holds here.
csv.field_size_limit(1 << 30)


class Row(NamedTuple):
    """The first line of a row, and its cells: none of them for a blank line, None for a row too long to read."""

    line: int
    cells: list[str] | None


class OpenRow(Exception):
    """Input was cut within a row: one of its cells holds a line end."""


class _Unfinished(Exception):
    """The row goes on in the next block."""


class _Oversized(Exception):
    """The row is longer than the longest that is read."""


def rows(framed: Iterable[Frame], limits: Limits, line: int, *, ends: bool = True) -> Iterator[list[Row]]:
    """Yield the rows, some at a time; bytes that are not UTF-8 come as lone surrogates.

    Raises `OpenRow` where the last row goes on behind input that does not end here.
    """
    reader = _Reader(limits, line)
    for frame in framed:
        if frame.overlong:
            yield [reader.skip()]
        else:
            yield from reader.feed(frame.data.decode("utf-8", "surrogateescape"))
    if reader.lines and not ends:
        raise OpenRow
    yield from reader.finish()


@dataclass(slots=True)
class _Reader:
    """The lines of the row that is open, and, as an iterator, those that the csv module asks for."""

    limits: Limits
    line: int
    delimiter: str = ""
    lines: list[str] = field(default_factory=list)
    start: int = 0
    at: int = 0
    size: int = -1
    final: bool = False

    def feed(self, text: str) -> Iterator[list[Row]]:
        """Take whole lines; give the rows that are complete."""
        fresh = text.split("\n")[:-1]
        self.delimiter = self.delimiter or _delimiter(fresh)
        if self.lines or '"' in text or 4 * max(map(len, fresh)) > self.limits.record_bytes:
            self.lines += fresh
            yield from self._read()
            return
        for first in range(0, len(fresh), self.limits.block_records):
            cells = list(self._cells(fresh[first : first + self.limits.block_records]))
            yield list(map(Row, range(self.line, self.line + len(cells)), cells))
            self.line += len(cells)

    def skip(self) -> Row:
        """Take a line that was skipped for its size: the row it belongs to is too long."""
        row = Row(self.line, None)
        self.line += len(self.lines) + 1
        self.lines = []
        return row

    def finish(self) -> Iterator[list[Row]]:
        """Give the row left open at the end of the input."""
        self.final = True
        return self._read()

    def _read(self) -> Iterator[list[Row]]:
        """Read row by row, as quotes may join lines; leave the lines of a row that goes on."""
        source = self._cells(self)
        self.start = 0
        while found := list(islice(self._joined(source), self.limits.block_records)):
            yield found
        self.line += self.start
        self.lines = self.lines[self.start :]

    def _joined(self, source: Iterator[list[str]]) -> Iterator[Row]:
        """Give the rows that the lines complete."""
        while self.start < len(self.lines):
            first, self.at, self.size = self.start, self.start, -1
            try:
                cells = next(source)
            except _Oversized:
                cells = None
            except _Unfinished:
                return
            self.start = self.at
            yield Row(self.line + first, cells)

    def _cells(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter or ",")

    def __iter__(self) -> Iterator[str]:
        """Return itself: the csv module pulls lines from here."""
        return self

    def __next__(self) -> str:
        """Give the next line of the row being read."""
        if self.at == len(self.lines):
            raise StopIteration if self.final else _Unfinished
        text = self.lines[self.at]
        self.at += 1
        self.size += 1 + (len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape")))
        if self.size > self.limits.record_bytes:
            raise _Oversized
        return text + "\n"


def _delimiter(lines: list[str]) -> str:
    """Return what separates the header's cells: a comma, else a tab or a semicolon; nothing before a header came."""
    header = next((line for line in lines if line), "")
    return next((mark for mark in ",\t;" if mark in header), "," if header else "")
