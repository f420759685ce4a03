"""CSV rows from blocks of lines: quoted cells may hold line ends, and a stray quote costs only its own row.

RFC 4180 says what a row is, whatever separates its cells. A row whose quote is not closed, or that has text behind a
closing quote, is rejected, and reading goes on at its next line: so each line is looked at once as the beginning of a
row, and once as the middle of a cell.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from assay.text.delimiters import Wanted, choose_delimiter, named_delimiter
from assay.text.lines import Frame
from assay.text.records import MALFORMED, Limits, Reject, too_long

# The module's own bound on a field (128 KiB) is global; `Limits.record_bytes` is the one that holds here.
csv.field_size_limit(1 << 30)

_WHOLE, _OPEN, _STRAY = range(3)
"""How a line ends: with its row complete, within a quoted cell, or wrong, for text follows a closing quote."""
_TWICE: Final = "write a quote that belongs to the text twice, in a quoted cell"
_BEHIND: Final = f"text follows a closing quote: {_TWICE}"


class Spanned(NamedTuple):
    """A line within a quoted cell that would be a row by itself, and that row's cells."""

    line: int
    cells: list[str]


class RowBatch(NamedTuple):
    """Rows in order: the first line of each, and its cells (no cells for a blank line); and lines that are not rows.

    No row has more than `longest` bytes.
    """

    lines: Sequence[int]
    cells: Sequence[Sequence[str]]
    rejects: Sequence[Reject] = ()
    spanned: Sequence[Spanned] = ()
    longest: int = 0


class OpenRow(Exception):
    """Input was cut within a row: one of its cells holds a line end."""


def read_rows(
    framed: Iterable[Frame], limits: Limits, line: int, wanted: Wanted, *, ends: bool = True
) -> Iterator[RowBatch]:
    """Yield the rows, some at a time; bytes that are not UTF-8 come as lone surrogates.

    The cells are separated by the mark by which the header has the column that is `wanted`, or that a first line
    `sep=;` names, which is then a blank one. Raises `OpenRow` where the last row goes on behind input that does not end
    here.
    """
    reader = _Reader(limits, line, wanted)
    for frame in framed:
        if frame.overlong:
            yield from reader.skip()
        else:
            yield from reader.feed(frame.data.decode("utf-8", "surrogateescape"))
    if reader.lines and not ends:
        raise OpenRow
    yield from reader.finish()


@dataclass(slots=True)
class _Reader:
    """The lines of rows that may go on, `sizes` their bytes summed up, and what is known of them as cells' middles.

    Begun within a quoted cell, all lines before `within` end within it; `fate` is how the line `within` ends, None
    where that has yet to be looked at. Both hold for any row that is open at a line before.
    """

    limits: Limits
    line: int
    wanted: Wanted
    delimiter: str = ""
    lines: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=lambda: [0])
    within: int = 0
    fate: int | None = None

    def feed(self, text: str) -> Iterator[RowBatch]:
        """Take whole lines; give the rows that are complete."""
        fresh = text.split("\n")[:-1]
        if not self.delimiter:
            self._begin(fresh)
        longest = 4 * max(map(len, fresh))
        step = self.limits.block_records if longest <= self.limits.record_bytes else 0
        while fresh and step and not self.lines and (cells := self._plain(fresh[:step])) is not None:
            yield RowBatch(range(self.line, self.line + len(cells)), cells, longest=longest)
            self.line += len(cells)
            fresh = fresh[step:]
        if fresh:
            self._hold(fresh)
            yield from self._read(final=False)

    def _begin(self, fresh: list[str]) -> None:
        """Find what separates the cells, once the first line that is not blank has come."""
        at = next((index for index, text in enumerate(fresh) if text), None)
        if at is None:
            return
        self.delimiter = named_delimiter(fresh[at])
        if self.delimiter:
            fresh[at] = ""
        else:
            self.delimiter = choose_delimiter(fresh[at], self.wanted)

    def skip(self) -> Iterator[RowBatch]:
        """Take a line that was skipped for its size: a row that is open before it has no end within the bounds."""
        yield from self._read(final=True)
        yield RowBatch((), [], [too_long(self.line, self.limits)])
        self.line += 1

    def finish(self) -> Iterator[RowBatch]:
        """Return the rest at the end of the input."""
        return self._read(final=True)

    def _plain(self, lines: list[str]) -> Sequence[Sequence[str]] | None:
        """Return the cells of lines that are a row each, None where one is not."""
        if (even := _split_even(lines, self.delimiter or ",")) is not None:
            return even
        try:
            cells = list(self._cells(lines))
        except csv.Error:
            return None
        return cells if len(cells) == len(lines) else None

    def _hold(self, fresh: list[str]) -> None:
        self.lines += fresh
        size = self.sizes[-1]
        for text in fresh:
            size += 1 + (len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape")))
            self.sizes.append(size)

    def _read(self, *, final: bool) -> Iterator[RowBatch]:
        """Read row by row, as quotes may join lines; leave the lines of a row that may go on."""
        at, count = 0, 1
        while at < len(self.lines) and count:
            lines: list[int] = []
            cells: list[list[str]] = []
            rejects: list[Reject] = []
            spanned: list[Spanned] = []
            while at < len(self.lines) and len(lines) + len(rejects) < self.limits.block_records:
                count, found = self._take(at, final)
                if isinstance(found, Reject):
                    rejects.append(found)
                elif count:
                    lines.append(self.line + at)
                    cells.append(found)
                    spanned += self._rows_within(at + 1, at + count)
                else:
                    break
                at += count
            yield RowBatch(lines, cells, rejects, spanned, self.sizes[at] - self.sizes[0])
        self._drop(at)

    def _drop(self, count: int) -> None:
        """Forget lines that were read."""
        del self.lines[:count], self.sizes[:count]
        self.within = max(self.within - count, 0)
        self.line += count

    def _take(self, at: int, final: bool) -> tuple[int, list[str] | Reject]:
        """Return how many lines the row that begins at a line took, and its cells; no lines where it may go on."""
        if self._size(at, at) > self.limits.record_bytes:
            return 1, too_long(self.line + at, self.limits)
        ending, cells = self._judge(self.lines[at])
        if ending == _WHOLE:
            return 1, cells
        if ending == _STRAY:
            return 1, Reject(self.line + at, MALFORMED, _BEHIND)
        fate = self._follow(at)
        if fate == _WHOLE:
            return self.within + 1 - at, self._join(at, self.within + 1)
        return (0, []) if fate is None and not final else (1, self._reject_unclosed(at))

    def _follow(self, at: int) -> int | None:
        """Return how a row ends that is open behind its first line: at the line `within`, or None: not known yet."""
        if self.within <= at:
            self.within, self.fate = at + 1, None
        while self.within < len(self.lines):
            if self._size(at, self.within) > self.limits.record_bytes:
                return _STRAY
            if self.fate is None:
                self.fate, _ = self._judge(f'"{self.lines[self.within]}')
            if self.fate != _OPEN:
                return self.fate
            self.within, self.fate = self.within + 1, None
        return None

    def _size(self, first: int, last: int) -> int:
        """Return the bytes of the lines [first, last] together, without the last line's end."""
        return self.sizes[last + 1] - self.sizes[first] - 1

    def _judge(self, line: str) -> tuple[int, list[str]]:
        """Return how a line ends that begins a row, and the row's cells where they are whole."""
        source = iter((f"{line}\n", ""))
        try:
            return _WHOLE, next(self._cells(source))
        except csv.Error:  # a reader that is within a cell has asked for the next line
            return (_OPEN if next(source, None) is None else _STRAY), []

    def _join(self, first: int, stop: int) -> list[str]:
        return next(self._cells(f"{line}\n" for line in self.lines[first:stop]))

    def _cells(self, lines: Iterable[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter or ",", strict=True)

    def _rows_within(self, first: int, stop: int) -> Iterator[Spanned]:
        """Yield those of a row's further lines that would be rows by themselves."""
        for at in range(first, stop):
            ending, cells = self._judge(self.lines[at])
            if ending == _WHOLE:
                yield Spanned(self.line + at, cells)

    def _reject_unclosed(self, at: int) -> Reject:
        """Return the reject of a row whose quote has no end."""
        column = len(next(csv.reader([self.lines[at]], delimiter=self.delimiter or ",")))
        return Reject(self.line + at, MALFORMED, f"the quote that opens column {column} is not closed: {_TWICE}")


def _split_even(lines: list[str], delimiter: str) -> list[tuple[str, ...]] | None:
    """Return the cells of lines without quotes that have one number of cells, of two or more; else None.

    What `csv.reader` returns of them, in a quarter of its time.
    """
    width = lines[0].count(delimiter) + 1
    text = f"{delimiter}\n{delimiter}".join(lines)
    if width < 2 or '"' in text or "\r" in text:
        return None
    flat = text.split(delimiter)
    if len(flat) != len(lines) * (width + 1) - 1 or not set(flat[width :: width + 1]) <= {"\n"}:
        return None
    return [*zip(*(flat[at :: width + 1] for at in range(width)), strict=True)]
