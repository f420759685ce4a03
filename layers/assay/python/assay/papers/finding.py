"""The abstract of a paper, from the words on its first pages."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from assay.abstracts.cleaning import clean
from assay.abstracts.prepare import LONGEST, SHORTEST
from assay.papers.headings import begins, ends, is_abstract, is_note, without_rights
from assay.papers.joining import join
from assay.papers.order import Block, blocks, same_size
from assay.papers.rows import Row, Word, moved, rows
from assay.papers.taking import Line, by_baseline, lines_of, opens, take

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


def find(pages: Sequence[Sequence[Word]]) -> Found | None:
    """Return the abstract of a paper, given the words of its first pages; None where there is no text to take."""
    read = [blocks(rows(words, number)) for number, words in enumerate(pages, 1)]
    lines = lines_of(read)
    known = "\n".join(line.text for line in lines)
    return _by_heading(lines, known) or _by_layout(read, known) or _first_page(read, known)


def _by_heading(lines: Sequence[Line], known: str) -> Found | None:
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


def _after_heading(lines: Sequence[Line], at: int) -> list[Line]:
    start = _below(lines, at)
    if start is None:
        return []
    beside = _beside(lines, at, lines[start].row)
    return [*beside, *take(lines, start)]


def _beside(lines: Sequence[Line], at: int, below: Row) -> list[Line]:
    """Return the line that begins on the heading's own, after a wide space, where the line below spans both."""
    heading = lines[at].row
    return [
        line
        for line in lines
        if line.row.page == heading.page
        and abs(line.row.y - heading.y) < 0.3 * heading.size
        and heading.x1 < line.row.x0 < min(heading.x1 + 6 * heading.size, below.x1 - heading.size)
        and same_size(line.row.size, below.size)
    ]


def _below(lines: Sequence[Line], at: int) -> int | None:
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


def _after_inline(lines: Sequence[Line], at: int, length: int) -> list[Line]:
    row = lines[at].row
    skipped = len(row.text[:length].split())
    rest = row.text[length:]
    words = row.words[skipped:] if " ".join(word.text for word in row.words[skipped:]) == rest else None
    first = Line(moved(row, words or (_only(row, rest),)), lines[at].block)
    return list(take([*lines[:at], first, *lines[at + 1 :]], at))


def _only(row: Row, text: str) -> Word:
    return Word(text, row.x0, row.x1, row.y, row.size)


def _by_layout(pages: Sequence[Sequence[Block]], known: str) -> Found | None:
    """Return the first paragraph of prose where it is set apart from the body: by size, weight, width, or a heading."""
    body = _body(pages)
    for page in pages[:2]:
        for block in page:
            if not _is_prose(block):
                continue
            lines = lines_of(pages[block.last.page - 1 : block.last.page + 1])
            start = next(number for number, line in enumerate(lines) if line.block is block)
            taken = list(take(lines, start))
            following = lines[start + len(taken)] if start + len(taken) < len(lines) else None
            apart = body is None or _apart(block, body) or (following is not None and opens(following.text))
            text = _text([line.text for line in taken], known)
            return Found(text, "layout", block.last.page) if apart and len(text) >= _PARAGRAPH else None
    return None


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
            text = f"{text} {_text([row.text for row in by_baseline(block.rows)], known)}".strip()
        if text:
            return Found(_cut(text), "first_page", page[0].last.page)
    return None


def _text(lines: Sequence[str], known: str) -> str:
    return _cut(clean(without_rights(join(lines, known))))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0]
