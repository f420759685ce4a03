"""FASTA: records over many lines, assembled across blocks and encoded a block at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import InvalidOption
from assay.sequences.blocks import (
    BLANK,
    NEWLINE,
    REMOVED,
    STRIPPED,
    Block,
    Checked,
    Index,
    Spans,
    WindowIds,
    check_texts_of,
    copy_rows,
    encode,
    line_bounds,
    rejected_block,
    tell_tidied,
)
from assay.sequences.carried_columns import CarriedCells
from assay.sequences.contract import Contract, Windows
from assay.sequences.fasta_repairs import mend
from assay.sequences.formats import Format
from assay.text.delimiters import has_residues
from assay.text.lines import Frame
from assay.text.records import EMPTY, ENCODING, MALFORMED, RESIDUE, Limits, Notice, Reject, notice, too_long


def require_windows_fit(windows: Windows, fmt: Format, contract: Contract) -> None:
    """Raise InvalidOption where windows make no sense: for models of another length, or along anything but FASTA."""
    if fmt is not Format.FASTA:
        raise InvalidOption(
            f"window is for FASTA, but this is read as {fmt.value}: send FASTA, or leave window out",
            option="window",
            format=fmt.value,
        )
    if windows.size != contract.length:
        message = f"window is {windows.size}, but the models read sequences of {contract.length} residues"
        raise InvalidOption(message, option="window", length=contract.length)


class WindowCut(NamedTuple):
    """Windows as spans, the record of each [N], and the residue of its record that each begins with [N], from 0."""

    spans: Spans
    record: Index
    first: Index

    def place(self, at: int) -> str:
        """Return the first and the last residue of a window, counted from 1."""
        first = int(self.first[at])
        return f"{first + 1}-{first + int(self.spans.stops[at] - self.spans.starts[at])}"

    def part(self, start: int, stop: int) -> "WindowCut":
        """Return the windows [start, stop)."""
        return WindowCut(self.spans.part(start, stop), self.record[start:stop], self.first[start:stop])

    def locate(self, reject: Reject, at: int) -> Reject:
        """Return a reject for a residue that says which window it is of."""
        if reject.reason not in (RESIDUE, ENCODING):
            return reject
        return reject._replace(detail=f"residues {self.place(at)}: {reject.detail}")


def cut_windows(spans: Spans, sizes: Index, windows: Windows, limits: Limits) -> WindowCut:
    """Cut records into windows; one that is too short, or too long to be read, stays whole and will be rejected."""
    widths = spans.stops - spans.starts
    fitting = (widths >= windows.size) & (sizes <= limits.record_bytes)
    counts = np.where(fitting, (widths - windows.size) // windows.step + 1, 1)
    record = np.repeat(np.arange(len(counts)), counts)
    first = (np.arange(len(record)) - np.repeat(np.cumsum(counts) - counts, counts)) * windows.step
    starts = spans.starts[record] + first
    stops = np.where(fitting[record], starts + windows.size, spans.stops[record])
    return WindowCut(spans._replace(starts=starts, stops=stops, lines=spans.lines[record]), record, first)


_HEADER = ord(">")
_STRAY = "text before the first '>' header"
COLUMNS = ("description",)
"""What is carried of a record: its whole header."""
MAX_ID = 255
"""Characters of an id: longer words of a header, and ids of windows, are cut."""
MAX_DESCRIPTION = 1000
_RUN = 20
_STRUCTURES = frozenset(("ss_pred", "ss_conf", "ss_dssp", "sa_dssp"))
"""Rows of HH-suite's alignments that hold no sequence."""
_STRUCTURE = "a row of structure, not a sequence: leave it out"
_IN_HEADER = "no residues, but some in the header: line ends were lost (curl keeps them with --data-binary)"
_GLUED = "records begin within a line, because the line end before their '>' is missing: each was read as a record"
_LONG = f"headers were cut: an id has at most {MAX_ID} characters, a description {MAX_DESCRIPTION:,}"


def parse_fasta(
    framed: Iterable[Frame], contract: Contract, limits: Limits, line: int, windows: Windows | None = None
) -> Iterator[Block]:
    """Yield a block for each stretch of records; a record's line is its header's, its id the header's first word.

    Words end at a space or a tab; the whole header is carried as `description`. Blanks within a record are dropped, so
    are blank lines, line numbers and comments (lines that begin with ";", before the first header also with "#"); each
    other line before the first header is rejected. PIR's records (">P1;") have a line of title, and end at "*". With
    `windows`, each window of a record is a sequence, its id the record's and its place: `P12345/101-150`.
    """
    reader, rest = _Reader(contract, limits, line, windows), iter(framed)
    frame = next(rest, None)
    while frame is not None:
        following = next(rest, None)  # so that a small file is one block: its last record need not be held
        yield from reader.overlong(frame.data) if frame.overlong else reader.feed(frame.data, last=following is None)
        frame = following
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

    def feed(self, data: bytes, *, last: bool) -> Iterator[Block]:
        """Take whole lines: finish the record that is held, give the whole records, hold one that may go on."""
        head = _first_header(data)
        before, count = data[:head], data.count(b"\n")
        if before and not self.begun:
            yield from self._stray(before)
        elif before and self.held:
            self._hold(self.held + before, self.held_line)
        if head < len(data):
            yield from self._records(data, head, count, len(data) if last else data.rfind(b"\n>") + 1)
        self.line += count
        yield from self._refuse_long()

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

    def _records(self, data: bytes, head: int, count: int, whole: int) -> Iterator[Block]:
        """Give what is held and the records of `count` lines that end before byte `whole`; hold what follows."""
        yield from self.finish()
        first_line = self.line + data.count(b"\n", 0, head)
        if whole > head:
            yield from self._blocks(data[head:whole], first_line)
        self._hold(data[whole:], self.line + count - data.count(b"\n", whole))
        self.begun = True

    def _blocks(self, data: bytes, line: int) -> Iterator[Block]:
        """Encode whole records, the first header being at `line`."""
        records = _records(data, self.contract, line, self.limits)
        if self.windows is None:
            return _whole(records, self.contract, self.limits)
        return _encode_windows(records, self.windows, self.contract, self.limits)

    def _hold(self, data: bytes, line: int) -> None:
        self.held, self.held_line = data, line

    def _refuse_long(self) -> Iterator[Block]:
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
        words = text.strip(b" \t")
        return [Reject(line, RESIDUE, _STRAY)] if words and not words.startswith((b";", b"#")) else []

    def _refuse(self, line: int) -> Block:
        return rejected_block([too_long(line, self.limits)], self.contract)


def _first_header(data: bytes) -> int:
    """Return where the first header of whole lines starts; their end if there is none."""
    if data.startswith(b">"):
        return 0
    return data.find(b"\n>") + 1 or len(data)


class _Records(NamedTuple):
    """Whole records: where their residues lie, their bytes, the words that name them, their whole headers."""

    spans: Spans
    sizes: Index
    words: list[str]
    titles: list[str]
    structured: bool
    """Whether some may be rows of structure."""
    longest: int
    """Bytes of the longest header."""
    notices: list[Notice]
    done: tuple[tuple[str, NDArray[np.bool_]], ...] = ()
    """What was done to records first, and to which [N]."""
    odd: bool = False
    """Whether a header or a number is among the residues."""

    def tell_done(self, which: Index) -> list[Notice]:
        """Return the notices of what was done to some of the records."""
        pairs = ((code, self.spans.lines[which[mask[which]]].tolist()) for code, mask in self.done)
        return [tell_tidied(code, lines) for code, lines in pairs if lines]

    def labels(self, start: int, stop: int, kept: Index) -> tuple[list[str], CarriedCells]:
        """Return the ids and carried cells of those records of [start, stop) that were kept."""
        if len(kept) == stop - start:
            return self.words[start:stop], CarriedCells([self.titles[start:stop]])
        which = (kept + start).tolist()
        return [self.words[at] for at in which], CarriedCells([[self.titles[at] for at in which]])


def _records(data: bytes, contract: Contract, line: int, limits: Limits) -> _Records:
    """Find the records in `data`, the first header being at `line`."""
    numbered = contract.numbered
    odd = b";" in data and (b"\n;" in data or b">P1;" in data or b">F1;" in data)
    found = None if odd else _find(data, contract, line)
    if found is None or found.odd:
        mended = mend(data, line, numbered=numbered, longest=limits.record_bytes)
        found = _find(mended.data, contract, line)
        spans = found.spans._replace(lines=np.array(mended.lines, np.int64))
        glued = [notice("glued_records", _GLUED, mended.glued)] if mended.glued else []
        found = found._replace(spans=spans, sizes=np.array(mended.sizes, np.intp), notices=glued)
    if contract.terminated:
        found = _strip_terminators(found)
    if found.structured and not _STRUCTURES.isdisjoint(found.words):
        found = _empty_structures(found)
    return _bound_headers(found) if found.longest > MAX_ID else found


def _strip_terminators(records: _Records) -> _Records:
    """Leave out the "*" that ends records, before they are cut into windows."""
    spans = records.spans
    some = spans.stops > spans.starts
    ended = some & (spans.text.take(spans.stops - 1, mode="clip") == ord("*")) if len(spans.text) else some
    if not ended.any():
        return records
    return records._replace(spans=spans._replace(stops=spans.stops - ended), done=(*records.done, (STRIPPED, ended)))


def _is_odd(spans: Spans, numbered: bool) -> bool:
    """Say whether a header or a number is among the residues."""
    if not spans.codes.size or spans.codes.max() < BLANK:
        return False
    odd = spans.text[spans.codes >= BLANK]
    return bool(((odd == _HEADER) | (numbered & (odd >= ord("0")) & (odd <= ord("9")))).any())


def _find(data: bytes, contract: Contract, line: int) -> _Records:
    codes, text = encode(data, contract), np.frombuffer(data, np.uint8)
    starts, stops = line_bounds(codes)
    header = text[starts] == _HEADER
    heads = np.flatnonzero(header)
    within = np.repeat(header, stops - starts + 1)
    sizes = np.diff(np.append(starts[heads], len(data)))
    longest = int((stops - starts)[heads].max(initial=0))
    edged = bool(((codes[starts[heads] + 1] == BLANK) | (codes[stops[heads] - 1] == BLANK)).any())
    names = _names(text[within].tobytes(), edged)
    if _is_even(codes, header, starts, stops, contract.length):
        spans = Spans(text, codes, starts[1::2], stops[1::2], heads + line)
        return _Records(spans, sizes, *names, longest, [])
    residues = ~within & (codes != NEWLINE) & (codes != BLANK)
    widths = np.add.reduceat(np.add.reduceat(residues, starts, dtype=np.intp), heads)
    ends = np.cumsum(widths)
    spans = Spans(text[residues], codes[residues], ends - widths, ends, heads + line)
    done = _find_gaps(text, within, starts[heads], contract)
    return _Records(spans, sizes, *names, longest, [], done, odd=_is_odd(spans, contract.numbered))


def _is_even(codes: NDArray[np.uint8], header: NDArray[np.bool_], starts: Index, stops: Index, length: int) -> bool:
    """Say whether each record has one line, of `length` residues and nothing else."""
    bodies = starts[1::2]
    if len(starts) % 2 or not header[0::2].all() or (stops[1::2] - bodies != length).any():
        return False
    return bool(copy_rows(codes, bodies, length).max(initial=0) < BLANK)


def _find_gaps(
    text: NDArray[np.uint8], within: NDArray[np.bool_], starts: Index, contract: Contract
) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    """Say which records, beginning at `starts`, have gaps that are removed."""
    if not contract.gaps:
        return ()
    gaps = np.isin(text, np.frombuffer(contract.gaps.encode(), np.uint8)) & ~within
    return ((REMOVED, np.logical_or.reduceat(gaps, starts)),)


def _empty_structures(records: _Records) -> _Records:
    """Leave no residues in rows that say how others are folded: their letters are those of residues too."""
    odd = np.array([word in _STRUCTURES for word in records.words])
    spans = records.spans
    emptied = spans._replace(stops=np.where(odd, spans.starts, spans.stops))
    return records._replace(spans=emptied, longest=max(records.longest, _RUN + 1))  # so that rejects are explained


def _names(headers: bytes, edged: bool) -> tuple[list[str], list[str], bool]:
    """Return the first word of each header, empty where it has none, the whole headers, and whether some are odd.

    They may be `edged` by blanks; odd ones have the name of a row of structure in them.
    """
    structured = any(name.encode() in headers for name in _STRUCTURES)
    titles = headers[1:-1].decode("utf-8", "replace").split("\n>")
    if b" " not in headers and b"\t" not in headers:
        return titles, titles, structured
    titles = [title.strip(" \t") for title in titles] if edged else titles
    spaced = [title.replace("\t", " ") for title in titles] if b"\t" in headers else titles
    return [title.partition(" ")[0] for title in spaced], titles, structured


def _bound_headers(records: _Records) -> _Records:
    """Cut ids and descriptions that are too long."""
    pairs = zip(records.words, records.titles, strict=True)
    long = [at for at, pair in enumerate(pairs) if len(pair[0]) > MAX_ID or len(pair[1]) > MAX_DESCRIPTION]
    words = [word[:MAX_ID] for word in records.words]
    titles = [title[:MAX_DESCRIPTION] for title in records.titles]
    cut = [notice("cut_headers", _LONG, records.spans.lines[long].tolist())] if long else []
    return records._replace(words=words, titles=titles, notices=[*records.notices, *cut])


def _whole(records: _Records, contract: Contract, limits: Limits) -> Iterator[Block]:
    """Encode records as they are."""
    for at in range(0, len(records.words), limits.block_records):
        to = min(at + limits.block_records, len(records.words))
        part = records.spans.part(at, to)
        found = check_texts_of(part, contract, limits, records.sizes[at:to])
        rejects = _explain_all(found, records, at) if records.longest > _RUN else found.rejects
        notices = [*found.notices, *records.tell_done(found.kept + at), *([] if at else records.notices)]
        ids, extra = records.labels(at, to, found.kept)
        yield Block(found.codes, part.lines[found.kept], ids, extra, rejects, COLUMNS, contract, notices)


def _explain_all(found: Checked, records: _Records, at: int) -> list[Reject]:
    """Return the rejects, with a hint where a record's residues seem to stand in its header."""
    others = np.delete(np.arange(at, at + len(found.kept) + len(found.rejects)), found.kept).tolist()
    named = zip(others, found.rejects, strict=True)
    return [_explain(reject, records, index) if reject.reason == EMPTY else reject for index, reject in named]


def _explain(reject: Reject, records: _Records, index: int) -> Reject:
    """Say of a record without residues where they are, or what it is instead."""
    if records.words[index] in _STRUCTURES:
        return reject._replace(reason=MALFORMED, detail=_STRUCTURE)
    return reject._replace(detail=_IN_HEADER) if has_residues(records.titles[index]) else reject


def _encode_windows(records: _Records, windows: Windows, contract: Contract, limits: Limits) -> Iterator[Block]:
    """Encode the windows of records."""
    whole = cut_windows(records.spans, records.sizes, windows, limits)
    cells = np.fromiter(zip(records.titles), np.object_, len(records.titles))
    for at in range(0, len(whole.record), limits.block_records):
        part = whole.part(at, at + limits.block_records)
        found = check_texts_of(part.spans, contract, limits, records.sizes[part.record])
        ids = WindowIds(records.words, part.record[found.kept], part.first[found.kept], contract.length)
        extra = cells[ids.records].tolist()
        others = np.delete(np.arange(len(part.record)), found.kept).tolist()
        rejects = [
            _explain(reject, records, part.record[index]) if reject.reason == EMPTY else part.locate(reject, index)
            for reject, index in zip(found.rejects, others, strict=True)
        ]
        done = [] if at else [*records.tell_done(np.arange(len(records.words))), *records.notices]
        notices = [*found.notices, *done]
        yield Block(found.codes, part.spans.lines[found.kept], ids, extra, rejects, COLUMNS, contract, notices)
