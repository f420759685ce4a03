"""From the first line of an abstract to its last: what still belongs to it, on one page or over columns and pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.papers.headings import ends, is_note, is_section, structure
from assay.papers.order import Block, same_size
from assay.papers.rows import Row


@dataclass(frozen=True, slots=True)
class Line:
    """A row in reading order, and its block."""

    row: Row
    block: Block

    @property
    def text(self) -> str:
        """The row's text."""
        return self.row.text


def lines_of(pages: Sequence[Sequence[Block]]) -> list[Line]:
    """Return the lines of pages whose blocks are in reading order."""
    return [Line(row, block) for page in pages for block in page for row in by_baseline(block.rows)]


def by_baseline(found: Sequence[Row]) -> list[Row]:
    """Return a block's rows from the top down, those on one baseline from left to right."""
    return sorted(found, key=lambda row: (-round(row.y / max(row.size, 1) * 2), row.x0))


def take(lines: Sequence[Line], start: int) -> Iterator[Line]:
    """Yield lines from the first of an abstract to its last, over the end of a column or page where need be."""
    taken: list[Line] = []
    labels: set[str] = set()
    at = start
    while at < len(lines):
        line = lines[at]
        if taken and line.block is not taken[-1].block and not _goes_on(taken, line):
            nearby = _continuation(lines, at, taken)
            if nearby is None:
                return
            at, line = nearby, lines[nearby]
        label = structure(line.text)
        if _stops(taken, line, label, labels):
            return
        labels |= {label} if label else set()
        taken.append(line)
        yield line
        at += 1


def _stops(taken: Sequence[Line], line: Line, label: str | None, labels: set[str]) -> bool:
    """Say whether a line is no longer the abstract's."""
    if not taken:
        return (ends(line.text) and not label) or is_note(line.text)
    if label and labels:
        return label in labels and label != "introduction"
    anew = line.block is not taken[-1].block
    heading = anew and (line.row.bold and not taken[-1].row.bold) and len(line.text) < 70
    footnote = anew and _finished(taken) and re.match(r"\d{1,2}\s?[A-Z][a-z]", line.text) is not None
    return ends(line.text) or is_note(line.text) or (anew and is_section(line.text)) or heading or footnote


def _finished(taken: Sequence[Line]) -> bool:
    return re.search(r"[.!?][\"')\]\u201d]?\s?\d*$", taken[-1].text) is not None


def _goes_on(taken: Sequence[Line], line: Line) -> bool:
    """Say whether a new block is a further part of the abstract: under it, as wide, as large, and not far off."""
    last, row = taken[-1].row, line.row
    if row.page != last.page or not last.y - row.y > 0:
        return False
    steps = [one.row.y - two.row.y for one, two in pairwise(taken)]
    usual = max(steps[-1] if len(steps) == 1 else sorted(steps)[len(steps) // 2], last.size) if steps else last.size
    widest = max(taken, key=lambda each: each.row.width).row
    near = last.y - row.y <= 2.3 * usual and same_size(last.size, row.size) and row.inside(widest)
    return near and (structure(line.text) is not None or _alike(taken, line))


def _alike(taken: Sequence[Line], line: Line) -> bool:
    """Say whether a new block is set in the font of one before it, and is not a column of a page that was spanned."""
    fonts = {each.block.font for each in taken}
    left, right = line.block.edges
    widest = max(each.row.width for each in taken)
    return line.block.font in fonts and (len(line.block.rows) < 3 or right - left > 0.7 * widest)


def _continuation(lines: Sequence[Line], at: int, taken: Sequence[Line]) -> int | None:
    """Return where an unfinished sentence goes on in the next column or page; None where it does not."""
    last = taken[-1].row
    if _finished(taken):
        return None
    for number in range(at, min(at + 40, len(lines))):
        row = lines[number].row
        if opens(row.text):
            return None
        elsewhere = row.page != last.page or row.y > last.y or row.beside(last) == 0
        alike = same_size(row.size, last.size) and row.bold == last.bold
        if elsewhere and alike and (row.text[:1].islower() or last.text[-1:].isalnum() or last.text.endswith("-")):
            return number
    return None


def opens(text: str) -> bool:
    """Say whether a line begins what comes after the abstract."""
    return ends(text) or is_section(text)
