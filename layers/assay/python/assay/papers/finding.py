"""The abstract of a paper, from the words on its first pages."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from assay.abstracts.cleaning import clean
from assay.abstracts.prepare import LONGEST, SHORTEST
from assay.papers.headings import begins, ends, is_abstract, is_note, is_section, structure, without_rights
from assay.papers.joining import join
from assay.papers.order import Block, blocks, same_size
from assay.papers.rows import Row, Word, moved, rows

FoundBy = Literal["heading", "inline", "layout", "first_page"]
_PARAGRAPH: Final = 250
_ENOUGH: Final = 2_000
_SUMMARY_PAGES: Final = 2
"""A "Summary" further back sums up; it is no abstract."""
_SMALL_WORDS: Final = re.compile(
    r"\b(?:a|an|are|as|be|been|but|by|can|has|have|how|is|it|its|may|not|on|or|our|that|the|their|these|this|to|was|we|"
    r"were|which|with)\b"
)
"""Words of sentences; "of", "and" and "for" are as common in addresses."""


@dataclass(frozen=True, slots=True)
class Found:
    """An abstract, how it was found, and the page (from 1) where it begins.

    `heading`: under a heading; `inline`: after one on the same line; `layout`: no heading, but a paragraph set apart
    from the rest; `first_page`: none of these, so the first page's first paragraphs.
    """

    text: str
    found_by: FoundBy
    page: int


@dataclass(frozen=True, slots=True)
class _Line:
    """A row in reading order, and the number of its block."""

    row: Row
    block: int

    @property
    def text(self) -> str:
        return self.row.text


def find(pages: Sequence[Sequence[Word]]) -> Found | None:
    """Return the abstract of a paper, given the words of its first pages; None where there is no text to take."""
    read = [blocks(rows(words, number)) for number, words in enumerate(pages, 1)]
    lines = _lines(read)
    known = "\n".join(line.text for line in lines)
    return _by_heading(lines, known) or _by_layout(read, known) or _first_page(read, known)


def _lines(pages: Sequence[Sequence[Block]]) -> list[_Line]:
    numbered = enumerate(block for page in pages for block in page)
    return [_Line(row, number) for number, block in numbered for row in _by_baseline(block.rows)]


def _by_baseline(found: Sequence[Row]) -> list[Row]:
    """Return a block's rows from the top down, those on one baseline from left to right."""
    return sorted(found, key=lambda row: (-round(row.y / max(row.size, 1) * 2), row.x0))


def _by_heading(lines: Sequence[_Line], known: str) -> Found | None:
    """Return what follows the first heading that is followed by enough; "Abstract" counts before "Summary"."""
    starts = [(at, mark) for at, line in enumerate(lines) if (mark := begins(line.text, _set_apart(line.row)))]
    named = [start for start in starts if is_abstract(lines[start[0]].text)]
    others = [start for start in starts if start not in named and lines[start[0]].row.page <= _SUMMARY_PAGES]
    for at, (kind, length) in (*named, *others):
        taken = _after_heading(lines, at) if kind == "heading" else _after_inline(lines, at, length)
        text = _text([line.text for line in taken], known)
        if len(text) >= SHORTEST:
            return Found(text, kind, taken[0].row.page)
    return None


def _set_apart(row: Row) -> bool:
    return len(row.words) > 1 and row.words[0].font != row.words[1].font


def _after_heading(lines: Sequence[_Line], at: int) -> list[_Line]:
    start = _below(lines, at)
    return list(_taken(lines, start)) if start is not None else []


def _below(lines: Sequence[_Line], at: int) -> int | None:
    """Return the line under a heading: the nearest one below it in its column, else the next to be read."""
    heading = lines[at].row
    reach = heading.y - 8 * heading.size
    under = [
        number
        for number, line in enumerate(lines)
        if line.row.page == heading.page and reach < line.row.y < heading.y - 1 and line.row.beside(heading) > 0.3
    ]
    if under:
        return min(under, key=lambda number: heading.y - lines[number].row.y)
    return at + 1 if at + 1 < len(lines) else None


def _after_inline(lines: Sequence[_Line], at: int, length: int) -> list[_Line]:
    row = lines[at].row
    skipped = len(row.text[:length].split())
    rest = row.text[length:]
    words = row.words[skipped:] if " ".join(word.text for word in row.words[skipped:]) == rest else None
    first = _Line(moved(row, words or (_only(row, rest),)), lines[at].block)
    return list(_taken([*lines[:at], first, *lines[at + 1 :]], at))


def _only(row: Row, text: str) -> Word:
    return Word(text, row.x0, row.x1, row.y, row.size)


def _taken(lines: Sequence[_Line], start: int) -> Iterator[_Line]:
    """Yield lines from the first of an abstract to its last, over the end of a column or page where need be."""
    taken: list[_Line] = []
    labels: set[str] = set()
    at = start
    while at < len(lines):
        line = lines[at]
        if taken and line.block != taken[-1].block and not _goes_on(taken, line):
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


def _stops(taken: Sequence[_Line], line: _Line, label: str | None, labels: set[str]) -> bool:
    """Say whether a line is no longer the abstract's."""
    if not taken:
        return (ends(line.text) and not label) or is_note(line.text)
    if label and labels:
        return label in labels and label != "introduction"
    anew = line.block != taken[-1].block
    heading = anew and (line.row.bold and not taken[-1].row.bold) and len(line.text) < 70
    return ends(line.text) or is_note(line.text) or (anew and is_section(line.text)) or heading


def _goes_on(taken: Sequence[_Line], line: _Line) -> bool:
    """Say whether a new block is a further part of the abstract: under it, as wide, as large, and not far off."""
    last, row = taken[-1].row, line.row
    if row.page != last.page or not last.y - row.y > 0:
        return False
    steps = [one.row.y - two.row.y for one, two in pairwise(taken)]
    usual = max(steps[-1] if len(steps) == 1 else sorted(steps)[len(steps) // 2], last.size) if steps else last.size
    widest = max(taken, key=lambda each: each.row.width).row
    return last.y - row.y <= 2.3 * usual and same_size(last.size, row.size) and row.inside(widest)


def _continuation(lines: Sequence[_Line], at: int, taken: Sequence[_Line]) -> int | None:
    """Return where an unfinished sentence goes on in the next column or page; None where it does not."""
    last = taken[-1].row
    if re.search(r"[.!?][\"')\]\u201d]?\d*$", last.text):
        return None
    for number in range(at, min(at + 40, len(lines))):
        row = lines[number].row
        if _opens(row.text):
            return None
        elsewhere = row.page != last.page or row.y > last.y or row.beside(last) == 0
        alike = same_size(row.size, last.size) and row.bold == last.bold
        if elsewhere and alike and (row.text[:1].islower() or last.text[-1:].isalnum() or last.text.endswith("-")):
            return number
    return None


def _by_layout(pages: Sequence[Sequence[Block]], known: str) -> Found | None:
    """Return the first paragraph of prose where it is set apart from the body: by size, weight, width, or a heading."""
    body = _body(pages)
    for page in pages[:2]:
        for at, block in enumerate(page):
            if not _is_prose(block):
                continue
            lines = _lines(pages[block.last.page - 1 : block.last.page + 1])
            start = next(number for number, line in enumerate(lines) if line.block == at)
            taken = list(_taken(lines, start))
            following = lines[start + len(taken)] if start + len(taken) < len(lines) else None
            apart = body is None or _apart(block, body) or (following is not None and _opens(following.text))
            text = _text([line.text for line in taken], known)
            return Found(text, "layout", block.last.page) if apart and len(text) >= _PARAGRAPH else None
    return None


def _opens(text: str) -> bool:
    return ends(text) or is_section(text)


def _body(pages: Sequence[Sequence[Block]]) -> Block | None:
    """Return the longest block of what most of the paper is set in."""
    every = [block for page in pages for block in page if len(block.rows) > 3]
    sizes: Counter[tuple[float, bool]] = Counter()
    for block in every:
        sizes[round(block.last.size, 1), block.last.bold] += len(block.text)
    usual = max(sizes, key=lambda each: sizes[each], default=None)
    same = [block for block in every if (round(block.last.size, 1), block.last.bold) == usual]
    return max(same, key=lambda block: len(block.text), default=None)


def _apart(block: Block, body: Block) -> bool:
    """Say whether a block differs from the body in size, weight or width."""
    wide, usual = (edges[1] - edges[0] for edges in (block.edges, body.edges))
    alike = same_size(block.last.size, body.last.size) and block.last.bold == body.last.bold
    return not alike or abs(wide - usual) > 0.08 * usual


def _is_prose(block: Block) -> bool:
    """Say whether a block is a paragraph of running text, not affiliations, an address or a notice."""
    words = re.findall(r"[a-z]+", block.text.lower())
    small = len(_SMALL_WORDS.findall(block.text.lower()))
    plain = "@" not in block.text and not is_note(block.text)
    return plain and len(block.text) >= _PARAGRAPH and small >= 0.12 * len(words)


def _first_page(pages: Sequence[Sequence[Block]], known: str) -> Found | None:
    """Return the first paragraphs of the first page that has text, from the first prose on."""
    for page in pages:
        prose = next((at for at, block in enumerate(page) if _is_prose(block)), 0)
        text = ""
        for block in page[prose:]:
            if len(text) >= _PARAGRAPH and (ends(block.text) or len(text) + len(block.text) > _ENOUGH):
                break
            text = f"{text} {_text([row.text for row in _by_baseline(block.rows)], known)}".strip()
        if text:
            return Found(_cut(text), "first_page", page[0].last.page)
    return None


def _text(lines: Sequence[str], known: str) -> str:
    return _cut(clean(without_rights(join(lines, known))))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0]
