"""CSV rows out of blocks of lines: quoted fields may hold line ends, and a quote never closed costs no memory."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from assay.sequences.framing import Frame
from assay.sequences.records import Limits

# The module's own bound on a field (128 KiB) is global; `Limits.record_bytes` is the one that holds here.
csv.field_size_limit(1 << 30)


class Row(NamedTuple):
    """The first line of a row, and its cells: none of them for a blank line, None for a row too long to read."""

    line: int
    cells: list[str] | None


class _Unfinished(Exception):
    """The row goes on in the next block."""


class _Oversized(Exception):
    """The row is longer than the longest that is read."""


def rows(framed: Iterable[Frame], limits: Limits, line: int) -> Iterator[list[Row]]:
    """Yield the rows that each block completes; undecodable bytes come as lone surrogates."""
    reader = _Reader(limits.record_bytes, line)
    for frame in framed:
        yield [reader.skip()] if frame.overlong else reader.feed(frame.data.decode("utf-8", "surrogateescape"))
    yield reader.finish()


@dataclass(slots=True)
class _Reader:
    """The lines of the row that is open, and, as an iterator, those that the csv module asks for."""

    longest: int
    line: int
    delimiter: str = ""
    lines: list[str] = field(default_factory=list)
    start: int = 0
    at: int = 0
    size: int = -1
    final: bool = False

    def feed(self, text: str) -> list[Row]:
        """Take whole lines; return the rows that are complete."""
        fresh = text.split("\n")[:-1]
        self.delimiter = self.delimiter or _delimiter(fresh)
        if not self.lines and '"' not in text and 4 * max(map(len, fresh)) <= self.longest:
            first, self.line = self.line, self.line + len(fresh)
            return [Row(line, cells) for line, cells in enumerate(self._cells(fresh), first)]
        self.lines += fresh
        return self._read()

    def skip(self) -> Row:
        """Take a line that was skipped for its size: the row it belongs to is too long."""
        row = Row(self.line, None)
        self.line += len(self.lines) + 1
        self.lines = []
        return row

    def finish(self) -> list[Row]:
        """Return the row left open at the end of the input."""
        self.final = True
        return self._read()

    def _read(self) -> list[Row]:
        """Read row by row, as quotes may join lines."""
        found: list[Row] = []
        source = self._cells(self)
        self.start = 0
        while self.start < len(self.lines):
            self.at, self.size = self.start, -1
            try:
                found.append(Row(self.line + self.start, next(source)))
            except _Oversized:
                found.append(Row(self.line + self.start, None))
            except _Unfinished:
                break
            self.start = self.at
        self.line += self.start
        self.lines = self.lines[self.start :]
        return found

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
        if self.size > self.longest:
            raise _Oversized
        return text + "\n"


def _delimiter(lines: list[str]) -> str:
    """Return what separates the header's cells: a comma, else a tab or a semicolon; nothing before a header came."""
    header = next((line for line in lines if line), "")
    return next((mark for mark in ",\t;" if mark in header), "," if header else "")
