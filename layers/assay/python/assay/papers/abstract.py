"""The abstract of a paper, from the words on its first pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from assay.abstracts.cleaning import LONGEST, SHORTEST, clean
from assay.papers.headings import (
    Kind,
    begins,
    is_abstract,
    is_contents,
    is_entry,
    is_foreign_heading,
    is_notice,
    is_prose,
    opens,
    without_rights,
)
from assay.papers.paragraphs import PARAGRAPH, by_layout, first_page
from assay.papers.passage import Line, by_baseline, lines_of, next_block, take_passage
from assay.papers.reading_order import TextBlock, order_blocks, same_size
from assay.papers.rows import TextRow, group_rows, move_rows, without_heads
from assay.papers.running_text import join_lines, letters, vocabulary
from assay.papers.words import Word

Source = Literal["heading", "inline", "layout", "first_page"]
_SUMMARY_PAGES: Final = 2
"""A "Summary" further back sums up; it is no abstract."""
_MOST_TITLES: Final = 8
"""Blocks of a title, authors and advisers between a heading and its text."""
_SENTENCE: Final = re.compile(r"[a-z\d)]{3}[.!?]\W*$")
_MOST_STARTS: Final = 30
_MOST_CANDIDATES: Final = 5
SURE: Final = 0.7
"""The confidence from which no further pages are looked at."""
_PAGE_NUMBER: Final = re.compile(r"\d{1,3}|[ivxlc]{1,6}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may be the abstract, how it was found, the page (from 1) where it begins, and how sure that is, 0..1.

    `heading`: under a heading; `inline`: after one on the same line; `layout`: no heading, but a paragraph set apart
    from the rest; `first_page`: neither, so the first page's first paragraphs. The confidence is a rule of
    thumb: higher is likelier, no share of anything.
    """

    text: str
    source: Source
    page: int
    confidence: float


def find_abstract(pages: Sequence[Sequence[Word]], total: int | None = None) -> list[Candidate]:
    """Return what may be the abstract of a paper, likeliest first, given the words of its first pages.

    `total` is how many pages it has. Empty if there is no text to take.
    """
    kept = without_heads([group_rows(words, number) for number, words in enumerate(pages, 1)])
    read = [order_blocks(page) for page in kept]
    lines = lines_of(read)
    known = vocabulary("\n".join(line.text for line in lines))
    found = [*_by_heading(lines, known), *_by_layout(read, known), *_by_page(read, known, whole=total == 1)]
    return _best(found)


def _best(found: Sequence[Candidate]) -> list[Candidate]:
    """Return the likeliest candidates, without those whose text begins like a likelier one."""
    kept: dict[str, Candidate] = {}
    for each in sorted(found, key=lambda each: -each.confidence):
        kept.setdefault(each.text[:100], each)
    return list(kept.values())[:_MOST_CANDIDATES]


def _by_heading(lines: Sequence[Line], known: frozenset[str]) -> Iterator[Candidate]:
    """Yield what follows headings; "Abstract" counts more than "Summary", and that more than other languages' words."""
    starts = [(at, mark) for at, line in enumerate(lines) if (mark := _begins(line.row)) and not _is_listed(lines, at)]
    for at, (kind, length) in starts[:_MOST_STARTS]:
        text = letters(lines[at].text)
        if not is_abstract(text) and not is_foreign_heading(text) and lines[at].row.page > _SUMMARY_PAGES:
            continue
        taken = _after_heading(lines, at) if kind == "heading" else _after_inline(lines, at, length)
        found = _text([line.text for line in taken], known)
        if len(found) >= SHORTEST:
            base = 0.95 if is_abstract(text) else 0.75 if is_foreign_heading(text) else 0.85
            yield Candidate(found, kind, taken[0].row.page, _confidence(base, found, lines[at].row.page))


def _confidence(base: float, text: str, page: int) -> float:
    """Return how sure it is that a text is the abstract, from what its heading or place promises and how it reads."""
    doubts = (
        0.35 * (not is_prose(text)),
        0.6 * is_entry(text),
        0.3 * is_notice(text[:400]),
        0.2 * (len(text) < 150),
        0.3 * (len(text) > 0.7 * LONGEST),
        0.1 * (text[-1:] not in ".!?)]\"'\u201d\u3002"),
        0.1 * text[:1].islower(),
        0.05 * (page > _SUMMARY_PAGES + 1),
    )
    return round(max(base - sum(doubts), 0.05), 2)


def _begins(row: TextRow) -> tuple[Kind, int] | None:
    one, two = (*row.words[:2], None, None)[:2]
    apart = one is not None and two is not None and (one.font != two.font or one.bold != two.bold)
    return begins(letters(row.text), apart)


def _is_listed(lines: Sequence[Line], at: int) -> bool:
    """Say whether a heading is in a table of contents: leaders or a page number follow it."""
    row = lines[at].row
    if is_entry(row.text):
        return True
    near = [line.row for line in lines[max(at - 60, 0) : at + 60] if line.row.page == row.page]
    numbers = [each for each in near if _PAGE_NUMBER.fullmatch(each.text)]
    entries = [each for each in near if is_entry(each.text)]
    led = any(abs(each.y - row.y) < 0.3 * row.size and each.x0 > row.x1 for each in (*numbers, *entries))
    below = sum(each.y < row.y for each in entries)  # else the contents end above it
    return led or (below > 2 and any(is_contents(each.text) and each.y > row.y for each in near))


def _after_heading(lines: Sequence[Line], at: int) -> list[Line]:
    start = _below(lines, at)
    if start is None:
        return []
    beside = _beside(lines, at, lines[start].row)
    return [*beside, *take_passage(lines, start if beside else _past_title(lines, start))]


def _past_title(lines: Sequence[Line], start: int) -> int:
    """Return where the text begins behind a title and authors that a thesis has between it and its heading."""
    between, at = list[TextBlock](), start
    while at < len(lines) and len(between) < _MOST_TITLES and not opens(lines[at].text):
        block = lines[at].block
        if len(block.text) >= PARAGRAPH and is_prose(block.text):
            return at if all(_is_title(each, block) for each in between) else start
        between.append(block)
        at = next_block(lines, at)
    return start


def _is_title(block: TextBlock, text: TextBlock) -> bool:
    """Say whether a block stands centred over a text and is no sentence."""
    (left, right), (inner, outer) = block.edges, text.edges
    size = text.last.size
    centred = abs(left + right - inner - outer) < 4 * size and min(left - inner, outer - right) > size
    above = block.last.page == text.last.page and block.bottom > text.top
    return centred and above and _SENTENCE.search(block.text) is None


def _beside(lines: Sequence[Line], at: int, below: TextRow) -> list[Line]:
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
    text = letters(row.text)
    skipped, rest = len(text[:length].split()), text[length:]
    words = row.words[skipped:] if " ".join(word.text for word in row.words[skipped:]) == rest else None
    first = Line(move_rows(row, words or (Word(rest, row.x0, row.x1, row.y, row.size),)), lines[at].block)
    return list(take_passage([*lines[:at], first, *lines[at + 1 :]], at))


def _by_layout(pages: Sequence[Sequence[TextBlock]], known: frozenset[str]) -> Iterator[Candidate]:
    """Yield paragraphs that are set apart, the first of them first."""
    for number, guess in enumerate(by_layout(pages)):
        text = _text([line.text for line in guess.lines], known)
        if guess.apart and len(text) >= PARAGRAPH:
            page = guess.lines[0].row.page
            yield Candidate(text, "layout", page, _confidence(0.6 if number == 0 else 0.4, text, page))


def _by_page(pages: Sequence[Sequence[TextBlock]], known: frozenset[str], whole: bool) -> Iterator[Candidate]:
    """Yield the first page's first paragraphs, or all of them where the paper has but one page."""
    found = first_page(pages, whole)
    text = _cut_end(" ".join(_text([row.text for row in by_baseline(block.rows)], known) for block in found))
    if text:
        yield Candidate(
            text, "first_page", found[0].last.page, _confidence(0.5 if whole else 0.3, text, found[0].last.page)
        )


def _text(lines: Sequence[str], known: frozenset[str]) -> str:
    return _cut_end(clean(without_rights(join_lines(lines, known))))


def _cut_end(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rpartition(" ")[0]
