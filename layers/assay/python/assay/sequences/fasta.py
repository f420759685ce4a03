"""FASTA: records over many lines, assembled across blocks and encoded a block at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from assay.sequences.alphabet import BLANK, NEWLINE, Contract
from assay.sequences.framing import Frame
from assay.sequences.lines import line_bounds
from assay.sequences.records import RESIDUE, Block, Limits, Reject, rejected_block, too_long
from assay.sequences.validation import Index, Spans, check, coded
from assay.sequences.windows import Windows, cut

_HEADER = ord(">")
_STRAY = "text before the first '>' header"


def parse_fasta(
    framed: Iterable[Frame], contract: Contract, limits: Limits, line: int, windows: Windows | None = None
) -> Iterator[Block]:
    """Yield a block for each stretch of records; a record's line is its header's, its id the header's first word.

    Blanks within a record are dropped, blank lines too; each line of text before the first header is rejected. With
    `windows`, each window of a record is a sequence, its id the record's and its place: `P12345/101-150`.
    """
    reader = _Reader(contract, limits, line, windows)
    for frame in framed:
        yield from reader.overlong(frame.data) if frame.overlong else reader.feed(frame.data)
    yield from reader.finish()


@dataclass(slots=True)
class _Reader:
    """What is known between two blocks: the record that may go on, or that one too long is being skipped."""

    contract: Contract
    limits: Limits
    line: int
    windows: Windows | None = None
    held: bytes = b""
    held_line: int = 0
    begun: bool = False

    def feed(self, data: bytes) -> Iterator[Block]:
        """Take whole lines: finish the record that is held, give the whole records, hold the last."""
        head = _first_header(data)
        before = data[:head]
        if before and not self.begun:
            yield from self._stray(before)
        elif before and self.held:
            self._hold(self.held + before, self.held_line)
        if head < len(data):
            yield from self._records(data, head)
        self.line += data.count(b"\n")
        yield from self._bounded()

    def overlong(self, first: bytes) -> Iterator[Block]:
        """Take a line that was skipped for its size, of which `first` is the first byte."""
        header = first == b">"
        if header:
            yield from self.finish()
        if self.held or header or not self.begun:
            yield self._refuse(self.held_line if self.held else self.line)
        self.begun = self.begun or header
        self.held = b""
        self.line += 1

    def finish(self) -> Iterator[Block]:
        """Give the record that is held."""
        if self.held:
            yield from self._blocks(self.held, self.held_line)
        self.held = b""

    def _records(self, data: bytes, head: int) -> Iterator[Block]:
        """Give what is held and all records but the last, which is then held."""
        last = data.rfind(b"\n>") + 1
        yield from self.finish()
        first_line = self.line + data.count(b"\n", 0, head)
        if last > head:
            yield from self._blocks(data[head:last], first_line)
        self._hold(data[last:], self.line + data.count(b"\n", 0, last))
        self.begun = True

    def _blocks(self, data: bytes, line: int) -> Iterator[Block]:
        """Encode whole records, the first header being at `line`."""
        records = _records(data, self.contract, line)
        if self.windows is None:
            return _whole(records, self.contract, self.limits)
        return _windowed(records, self.windows, self.contract, self.limits)

    def _hold(self, data: bytes, line: int) -> None:
        self.held, self.held_line = data, line

    def _bounded(self) -> Iterator[Block]:
        """Refuse the held record when it is too long already; its other lines then belong to no record."""
        if len(self.held) > self.limits.record_bytes:
            yield self._refuse(self.held_line)
            self.held = b""

    def _stray(self, data: bytes) -> Iterator[Block]:
        """Reject each line that is not blank."""
        lines = data[:-1].split(b"\n")
        for first in range(0, len(lines), self.limits.block_records):
            numbered = enumerate(lines[first : first + self.limits.block_records], self.line + first)
            rejects = [reject for line, text in numbered for reject in self._stray_line(line, text)]
            yield rejected_block(rejects, self.contract)

    def _stray_line(self, line: int, text: bytes) -> list[Reject]:
        if len(text) > self.limits.record_bytes:
            return [too_long(line, self.limits)]
        return [Reject(line, RESIDUE, _STRAY)] if text.strip(b" \t") else []

    def _refuse(self, line: int) -> Block:
        return rejected_block([too_long(line, self.limits)], self.contract)


def _first_header(data: bytes) -> int:
    """Return where the first header of whole lines starts; their end where there is none."""
    if data.startswith(b">"):
        return 0
    return data.find(b"\n>") + 1 or len(data)


class _Records(NamedTuple):
    """Whole records: where their residues lie, their bytes, and the first words of their headers."""

    spans: Spans
    sizes: Index
    words: list[str]


def _records(data: bytes, contract: Contract, line: int) -> _Records:
    """Find the records in `data`, the first header being at `line`."""
    codes, text = coded(data, contract), np.frombuffer(data, np.uint8)
    starts, stops = line_bounds(codes)
    header = text[starts] == _HEADER
    heads = np.flatnonzero(header)
    within = np.repeat(header, stops - starts + 1)
    residues = ~within & (codes != NEWLINE) & (codes != BLANK)
    first = np.searchsorted(np.flatnonzero(residues), stops[heads])
    ends = np.append(first[1:], np.count_nonzero(residues))
    spans = Spans(text[residues], codes[residues], first, ends, heads + line)
    sizes = np.diff(np.append(starts[heads], len(data)))
    return _Records(spans, sizes, _words(text[within].tobytes()))


def _whole(records: _Records, contract: Contract, limits: Limits) -> Iterator[Block]:
    """Encode records as they are."""
    for at in range(0, len(records.words), limits.block_records):
        to = at + limits.block_records
        part = records.spans.part(at, to)
        found = check(part, contract, limits, records.sizes[at:to])
        ids = [records.words[index] for index in (found.kept + at).tolist()]
        yield Block(found.codes, part.lines[found.kept], ids, rejects=found.rejects, contract=contract)


def _windowed(records: _Records, windows: Windows, contract: Contract, limits: Limits) -> Iterator[Block]:
    """Encode the windows of records."""
    whole = cut(records.spans, records.sizes, windows, limits)
    for at in range(0, len(whole.record), limits.block_records):
        part = whole.part(at, at + limits.block_records)
        found = check(part.spans, contract, limits, records.sizes[part.record])
        kept = found.kept.tolist()
        ids = [part.label(records.words[part.record[index]], index) for index in kept]
        others = np.setdiff1d(np.arange(len(part.record)), found.kept).tolist()
        rejects = [part.named(reject, index) for reject, index in zip(found.rejects, others, strict=True)]
        yield Block(found.codes, part.spans.lines[found.kept], ids, rejects=rejects, contract=contract)


def _words(headers: bytes) -> list[str]:
    """Return the first word of each header, empty where it has none."""
    names = headers.decode("utf-8", "replace").split("\n")[:-1]
    if b" " in headers or b"\t" in headers:
        return ["".join(name[1:].split(None, 1)[:1]) for name in names]
    return [name[1:] for name in names]
