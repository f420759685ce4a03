"""Byte ranges of a large object, and which lines belong to which."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assay.sequences.blocks import Block


@dataclass(frozen=True, slots=True)
class Shard:
    """The lines (or, unsplit, the bytes) that start in [start, stop)."""

    index: int
    start: int
    stop: int

    @property
    def read_from(self) -> int:
        """Return where to read from: one byte early, since the byte before decides whether a line starts."""
        return max(self.start - 1, 0)


def cut_ranges(size: int, shard_bytes: int, splittable: bool) -> list[Shard]:
    """Cut `size` bytes into shards of at most `shard_bytes`; one shard where the format cannot be split."""
    if size < 0 or shard_bytes < 1:
        raise ValueError(f"cannot cut {size} bytes into shards of {shard_bytes}")
    step = shard_bytes if splittable else max(size, 1)
    starts = range(0, max(size, 1), step)
    return [Shard(index, start, min(start + step, size)) for index, start in enumerate(starts)]


def own_lines(
    chunks: Iterable[bytes], shard: Shard, mark: bytes = b"", began: Callable[[int], None] = lambda _: None
) -> Iterator[bytes]:
    """Yield the bytes of the records that `shard` owns: those that start within it, each to its end.

    A record is a line, or, if there is a `mark` (`>` in FASTA), the line that begins with it and all up to the next
    such line; what stands before the first belongs to the first shard. `chunks` are the object's bytes from
    `shard.read_from` to its end, fetched lazily: reading stops with the last record owned. Lines end with LF, CRLF or
    a lone CR, as `assay.sequences.parsing` has it. `began` gets the byte at which the first record starts, if there is
    one.
    """
    source = _Source(iter(chunks), shard.read_from, mark)
    for _ in source.until_record(shard.start):
        if source.position >= shard.stop:
            return
    if source.position < shard.stop:
        began(source.position)
        yield from source.until_record(shard.stop)


class LineCounter:
    """Counts the lines of bytes as they pass; LF, CRLF and a lone CR end one."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._ends, self._last = 0, b"\n"

    def add(self, chunk: bytes) -> None:
        """Take the bytes that come next."""
        if chunk:
            text = self._last + chunk if self._last == b"\r" else chunk
            ends = text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")
            self._ends += ends - (self._last == b"\r")
            self._last = chunk[-1:]

    @property
    def lines(self) -> int:
        """Return how many lines there were, an unfinished last one included."""
        return self._ends + (self._last not in b"\r\n")


NOTE_SECONDS: Final = 2.0
"""So often is told what a shard has read; a shard that ends sooner says nothing."""
PIECE: Final = 1 << 20
Told = Callable[[int, int], None]


class Tally(LineCounter):
    """Counts what a shard reads: lines, records, and its `size` in bytes of the stored object, from `first`.

    `told` hears of size and records now and then. Bytes are given out in pieces of `piece`, so that they are counted
    about when they are used.
    """

    def __init__(self, told: Told | None = None, piece: int = PIECE) -> None:
        """Begin before the first byte."""
        super().__init__()
        self.first = self.size = self.records = 0
        self._told, self._piece = told, piece
        self._due = time.monotonic() + NOTE_SECONDS

    def begin(self, first: int) -> None:
        """Say at which byte of the object the shard's own begin."""
        self.first = first

    def weigh(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the object's own bytes and count them."""
        for chunk in chunks:
            for at in range(0, len(chunk), self._piece):
                piece = chunk[at : at + self._piece]
                self.size += len(piece)
                yield piece

    def pass_blocks(self, blocks: "Iterable[Block]") -> "Iterator[Block]":
        """Yield blocks of sequences, and count the records of each once it was taken."""
        for block in blocks:
            yield block
            self.pass_records(len(block.lines) + len(block.rejects))

    def pass_records(self, count: int) -> None:
        """Count records that are done."""
        self.records += count
        if self._told and time.monotonic() >= self._due:
            self._told(self.size, self.records)
            self._due = time.monotonic() + NOTE_SECONDS


@dataclass(slots=True)
class _Source:
    """Chunks and the place in the object of the first byte not yet given."""

    chunks: Iterator[bytes]
    position: int
    mark: bytes = b""
    held: bytes = b""

    def until_record(self, place: int) -> Iterator[bytes]:
        """Give the bytes up to the first record that starts at or after `place`."""
        yield from self.until_line(place)
        fresh = True
        while place and self.mark and self._fill() and not (fresh and self.held.startswith(self.mark)):
            given = self._give(_next_line(self.held, self.mark) or len(self.held))
            fresh = given[-1:] in b"\r\n"
            yield given

    def until_line(self, place: int) -> Iterator[bytes]:
        """Give the bytes up to the first line that starts at or after `place`."""
        while self.position < place - 1 and self._fill():
            yield self._give(place - 1 - self.position)
        found = not place
        while not found and self._fill():
            end, found = self._line_end()
            yield self._give(end)

    def _line_end(self) -> tuple[int, bool]:
        """Return how much of what is held belongs to the line, and whether the line ends there."""
        feed = self.held.find(b"\n")
        back = self.held.find(b"\r", 0, feed if feed >= 0 else None)
        if back < 0:
            return (feed + 1, True) if feed >= 0 else (len(self.held), False)
        if back + 1 == len(self.held):
            self.held += next(filter(None, self.chunks), b"")
        return back + 1 + (self.held[back + 1 : back + 2] == b"\n"), True

    def _fill(self) -> bool:
        """Hold something, unless the input is at its end."""
        self.held = self.held or next(filter(None, self.chunks), b"")
        return bool(self.held)

    def _give(self, count: int) -> bytes:
        """Give at most `count` bytes of what is held."""
        given, self.held = self.held[:count], self.held[count:]
        self.position += len(given)
        return given


def _next_line(held: bytes, mark: bytes) -> int:
    """Return where the next line begins that begins with `mark`, 0 where none does."""
    found = (held.find(end + mark) + 1 for end in (b"\n", b"\r"))
    return min(filter(None, found), default=0)
