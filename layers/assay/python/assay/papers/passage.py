"""The lines of an abstract, from first to last, on one page or over columns and pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from assay.papers.headings import (
    begins,
    ends,
    ends_sentence,
    is_list,
    is_note,
    is_notice,
    is_section,
    opens,
    structure,
)
from assay.papers.reading_order import TextBlock, same_size
from assay.papers.rows import TextRow

_MOST_LINES: Final = 400
"""An abstract of 5,000 characters has fewer lines; so no page is walked again and again."""
_LONGEST_NOTICE: Final = 600
"""Characters of a disclaimer; in a longer paragraph it is a part of the abstract."""
_LOOKED_BACK: Final = 40
_ENOUGH: Final = 150
"""Characters after which a heading such as "Background" that stands alone begins the main text."""

_ITEM: Final = re.compile(r"[\u2022\u25cf\u25aa\u2013*-]\s|\(?(?:\d|[a-e]|[ivx]{1,4})[.)]\s")


@dataclass(frozen=True, slots=True)
class Line:
    """A row in reading order, and its block."""

    row: TextRow
    block: TextBlock

    @property
    def text(self) -> str:
        """The row's text."""
        return self.row.text


def lines_of(pages: Sequence[Sequence[TextBlock]]) -> list[Line]:
    """Return the lines of pages whose blocks are in reading order."""
    return [Line(row, block) for page in pages for block in page for row in by_baseline(block.rows)]


def by_baseline(found: Sequence[TextRow]) -> list[TextRow]:
    """Return a block's rows from the top down, those on one baseline from left to right."""
    return sorted(found, key=lambda row: (-round(row.y / max(row.size, 1) * 2), row.x0))


def take_passage(lines: Sequence[Line], start: int) -> Iterator[Line]:
    """Yield lines from the first of an abstract to its last, over the end of a column or page where need be."""
    taken: list[Line] = []
    labels: set[str] = set()
    at = _past_preface(lines, start)
    while at < len(lines) and len(taken) < _MOST_LINES:
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


def _past_preface(lines: Sequence[Line], start: int) -> int:
    """Return where the text begins: behind keywords, dates or a disclaimer between it and its heading."""
    at = start
    for _ in range(3):
        if at >= len(lines) or structure(lines[at].text):
            return at
        if is_notice(lines[at].block.text) and len(lines[at].block.text) < _LONGEST_NOTICE:
            at = next_block(lines, at)
        elif is_list(lines[at].text) or is_note(lines[at].text):
            at = _past_paragraph(lines, at)
    return at


def next_block(lines: Sequence[Line], at: int) -> int:
    """Return where the block of a line is left, in reading order."""
    return next((to for to in range(at, len(lines)) if lines[to].block is not lines[at].block), len(lines))


def _past_paragraph(lines: Sequence[Line], at: int) -> int:
    """Return where the next paragraph begins: behind a line that ends early, or in another block."""
    right = lines[at].block.edges[1]
    for to in range(at, len(lines)):
        if lines[to].block is not lines[at].block:
            return to
        if lines[to].row.x1 < right - 2 * lines[to].row.size:
            return to + 1
    return len(lines)


def _stops(taken: Sequence[Line], line: Line, label: str | None, labels: set[str]) -> bool:
    """Say whether a line is no longer the abstract's."""
    if not taken:
        return (ends(line.text) and not label) or is_note(line.text)
    if label and labels:
        return label in labels and label != "introduction"
    anew = line.block is not taken[-1].block
    within = not anew and not _finish(taken)  # a sentence goes on: "significance." is a word of it
    ended = ends(line.text) and not (within and line.text[:1].islower())
    return (
        ended
        or (is_note(line.text) and not within)
        or _heads(taken, line, label, anew)
        or (anew and _notes(taken, line))
    )


def _heads(taken: Sequence[Line], line: Line, label: str | None, anew: bool) -> bool:
    """Say whether a line is the heading of what follows."""
    short = line.row.width < 0.7 * max(each.row.width for each in taken[-_LOOKED_BACK:])
    if is_section(line.text) and (anew or (short and _finish(taken))):
        return True
    alone = label is not None and re.sub(r"\W+$", "", line.text).lower() == label
    if alone and short and _finish(taken) and sum(len(each.text) for each in taken[:20]) > _ENOUGH:
        return True
    another = short and begins(line.text, set_apart=False) == ("heading", len(line.text))
    return another or (anew and line.row.bold and not taken[-1].row.bold and len(line.text) < 70)


def _notes(taken: Sequence[Line], line: Line) -> bool:
    """Say whether a new block is a footnote or a notice."""
    numbered = re.match(r"\d{1,2}\s?[A-Z][a-z]", line.text) is not None
    return _finish(taken) and (numbered or is_notice(line.block.text))


def _finish(taken: Sequence[Line]) -> bool:
    return ends_sentence(taken[-1].text)


def _goes_on(taken: Sequence[Line], line: Line) -> bool:
    """Say whether a new block is a further part of the abstract: under it, as wide, as large, and not far off."""
    last, row, recent = taken[-1].row, line.row, taken[-_LOOKED_BACK:]
    if row.page != last.page or not last.y - row.y > 0:
        return False
    steps = [one.row.y - two.row.y for one, two in pairwise(recent)]
    usual = max(steps[-1] if len(steps) == 1 else sorted(steps)[len(steps) // 2], last.size) if steps else last.size
    widest = max(recent, key=lambda each: each.row.width).row
    near = last.y - row.y <= 2.3 * usual and same_size(last.size, row.size) and row.inside(widest)
    flows = row.text[:1].islower() and not _finish(taken)
    listed = _ITEM.match(row.text) is not None or last.text.endswith(":")
    formula = not _finish(taken) and _is_formula(row, widest)
    return near and (structure(line.text) is not None or flows or listed or formula or _alike(recent, line))


def _is_formula(row: TextRow, widest: TextRow) -> bool:
    """Say whether a row is displayed, off both edges of the text and without the small words of sentences."""
    centred = min(row.x0 - widest.x0, widest.x1 - row.x1) > row.size or row.text.endswith(")")
    signs = sum(not character.isalpha() for character in row.text if not character.isspace())
    return centred and row.x0 > widest.x0 + row.size and signs > 0.2 * len(row.text.replace(" ", ""))


def _alike(taken: Sequence[Line], line: Line) -> bool:
    """Say whether a new block is set in the font of one before it, and is not a column of a page that was spanned."""
    fonts = {each.font for each in {id(each.block): each.block for each in taken}.values()}
    left, right = line.block.edges
    widest = max(each.row.width for each in taken)
    return line.block.font in fonts and (len(line.block.rows) < 3 or right - left > 0.7 * widest)


def _continuation(lines: Sequence[Line], at: int, taken: Sequence[Line]) -> int | None:
    """Return where a text continues in the next column or page, or None."""
    last = taken[-1].row
    if _finish(taken):
        return at if _turns_page(lines, at, taken) else None
    for number in range(at, min(at + 40, len(lines))):
        row = lines[number].row
        if opens(row.text) or row.page > last.page + 1:
            return None
        elsewhere = row.page != last.page or row.y > last.y or row.beside(last) == 0
        alike = same_size(row.size, last.size) and row.bold == last.bold and not is_notice(lines[number].block.text)
        if elsewhere and alike and (row.text[:1].islower() or last.text[-1:].isalnum() or last.text[-1:] in "-,"):
            return number
    return None


def _turns_page(lines: Sequence[Line], at: int, taken: Sequence[Line]) -> bool:
    """Say whether a page ends with a full line of the abstract, and the next one begins like it.

    A sentence that ends with its page may be the abstract's last one: it is, unless both pages are full of the same.
    """
    last, row = taken[-1].row, lines[at].row
    widest = max((each.row for each in taken[-_LOOKED_BACK:]), key=lambda each: each.width)
    closed = at + 1 < len(lines) and opens(lines[at + 1].text)
    full = last.x1 >= widest.x1 - last.size and (closed or row.x1 >= widest.x1 - 2 * last.size)
    if row.page != last.page + 1 or not full or not same_size(row.size, last.size) or row.bold != last.bold:
        return False
    if opens(row.text) or begins(row.text, set_apart=False) or structure(row.text) or not row.inside(widest):
        return False
    feet = [each.row.y for each in lines[at : at + _MOST_LINES] if each.row.page == row.page]
    return last.y <= min(feet) + 4 * last.size and lines[at].block.font == taken[-1].block.font
