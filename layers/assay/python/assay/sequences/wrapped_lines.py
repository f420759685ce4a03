"""Plain text without headers whose sequences continue over several lines, as an editor or a page wraps them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Final, NamedTuple

import numpy as np

from assay.sequences.blocks import Block, check_texts
from assay.sequences.contract import DEFAULT, Contract
from assay.text.lines import BOM, Frame
from assay.text.packing import HEAD
from assay.text.records import Limits, Reject, notice, too_long

_LINE: Final = re.compile(rb"(?:(\d{1,9})[ \t]+)?([A-Za-z*.-]+(?:[ \t]+[A-Za-z*.-]+)*)(?:[ \t]+(\d{1,9}))?")
_ENDED: Final = re.compile(rb"([^\r\n]*)(?:\r\n?|\n|\Z)")
_JOINED: Final = "sequences continue over several incomplete lines: the lines were joined"
_SHARE: Final = 0.9
"""Sequences that must come out whole where lines without numbers are taken for parts of them."""


class _Line(NamedTuple):
    """A line's residues, their number, and the numbers before and after them (0 if missing)."""

    text: bytes
    width: int = 0
    before: int = 0
    behind: int = 0


@dataclass(slots=True)
class _Paragraph:
    """Lines that are one sequence, so far as is known."""

    line: int
    first: int
    """Residues of its first line; a line that has fewer is its last."""
    numbered: bool
    apart: bool = True
    """Whether a blank line, or nothing, stands before it."""
    total: int = 0
    size: int = 0
    ended: bool = False
    parts: list[bytes] = field(default_factory=list)
    lines: int = 0

    def takes(self, line: _Line, length: int) -> bool:
        """Say whether a line goes on here: its number counts on, or there are no numbers and residues are lacking."""
        if line.before or line.behind:
            on = line.before == self.total + 1 or line.behind == self.total + line.width
            return self.numbered and on
        return not self.ended and not self.numbered and self.total < length and line.width > 0

    def is_whole(self, alone: bool) -> bool:
        """Say whether these lines are a sequence; `alone`: between blank lines."""
        if self.lines < 2:
            return False
        return self.numbered or (self.total == DEFAULT.length and (alone or self.total % self.first > 0))

    def add(self, line: _Line, size: int, longest: int) -> None:
        """Take a line of `size` bytes; of a sequence of over `longest` no residues are held."""
        self.lines += 1
        self.total += line.width
        self.size += size
        self.ended = line.width < self.first or not line.width or line.text.endswith(b"*")
        self.parts.append(line.text)
        if self.size > longest:
            self.parts.clear()


def is_wrapped(head: bytes) -> bool:
    """Say whether lines that begin so are parts of sequences, not whole sequences.

    They are where numbers count residues on from line to line; or where lines add up to the length that the usual
    models read, and a shorter last line or a blank one shows where each sequence ends. Lines of one width alone may be
    shorter sequences, and are left so.
    """
    text = head[:HEAD].removeprefix(BOM).rstrip()
    lines = (found[1] for found in _ENDED.finditer(text))
    found = _paragraphs(enumerate(lines, 1), DEFAULT.length, HEAD)
    good = count = 0
    for each, behind in pairwise(chain(found, (None,))):
        if each is None or (behind is None and len(head) >= HEAD):
            break  # what may go on behind the head
        alone = each.apart and (behind.apart if behind else count > 0)
        count += 1
        good += each.is_whole(alone)
        if not good:
            return False
    return good > 0 and good >= _SHARE * count


def parse_wrapped(framed: Iterable[Frame], contract: Contract, limits: Limits, line: int) -> Iterator[Block]:
    """Yield blocks of sequences that go on over lines; a sequence's line is its first.

    It ends at a blank line, at a line shorter than its first, or where it is as long as the contract wants; where lines
    are numbered, at a number that does not count on. What is no residues is a record, and so rejected.
    """
    some: list[_Paragraph] = []
    size = 0
    for each in _paragraphs(_lines(framed, limits, line), contract.length, limits.record_bytes):
        some.append(each)
        size += each.size
        if len(some) >= limits.block_records or size >= limits.block_bytes:
            yield _block(some, contract, limits)
            some, size = [], 0
    if some:
        yield _block(some, contract, limits)


def _lines(framed: Iterable[Frame], limits: Limits, line: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield numbered lines; None for one that was too long to be held."""
    for frame in framed:
        texts = frame.data[:-1].split(b"\n")
        for text in [None] if frame.overlong else texts:
            yield line, None if text is None or len(text) > limits.record_bytes else text
            line += 1


def _paragraphs(lines: Iterable[tuple[int, bytes | None]], length: int, longest: int) -> Iterator[_Paragraph]:
    """Join the lines of a sequence; a blank line is no record and ends the sequence before it."""
    held: _Paragraph | None = None
    apart = True
    for number, raw in lines:
        line = _read(raw)
        if held and not (line.text and held.takes(line, length)):
            yield held
            held = None
        if raw is None:
            yield _Paragraph(number, 0, False, apart, size=longest + 1)
        elif line.text:
            held = held or _Paragraph(number, line.width, bool(line.before or line.behind), apart)
            held.add(line, len(raw) + bool(held.lines), longest)
        apart = raw is not None and not line.text
    if held:
        yield held


def _read(raw: bytes | None) -> _Line:
    """Return what stands on a line. A word is a part of a sequence, if a wrong one; of other text the width is 0."""
    text = (raw or b"").strip(b" \t")
    found = _LINE.fullmatch(text)
    if found is None:
        return _Line(text, 0 if len(text.split()) > 1 or text[:1] in b">;#" else len(text))
    residues = found[2].translate(None, b" \t")
    return _Line(residues, len(residues.rstrip(b"*")), int(found[1] or 0), int(found[3] or 0))


def _block(some: list[_Paragraph], contract: Contract, limits: Limits) -> Block:
    long = [too_long(each.line, limits) for each in some if each.size > limits.record_bytes]
    whole = [each for each in some if each.size <= limits.record_bytes]
    texts = [b"".join(each.parts).decode("latin-1") for each in whole]
    lines = np.array([each.line for each in whole], np.int64)
    found = check_texts([*texts], lines, contract, limits, "latin-1")
    rejects: list[Reject] = sorted([*found.rejects, *long])
    block = Block(found.codes, lines[found.kept], rejects=rejects, contract=contract)
    joined = [whole[at].line for at in found.kept.tolist() if whole[at].lines > 1]
    block.notices.extend([*found.notices, *([notice("wrapped_lines", _JOINED, joined)] if joined else [])])
    return block
