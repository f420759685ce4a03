"""The paragraph that is most likely the abstract of a paper without a heading for it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from assay.papers.headings import ends, is_entry, is_note, is_notice, is_prose, opens
from assay.papers.passage import Line, by_baseline, lines_of, take_passage
from assay.papers.reading_order import TextBlock, same_size

PARAGRAPH: Final = 150
"""Characters of the shortest paragraph that is taken without a heading."""
_BEGINNING: Final = 250
"""Characters of the first paragraphs after which a heading ends them."""
_ENOUGH: Final = 2_000
_PAGES: Final = 3
_GUESSES: Final = 3
_BACK: Final = re.compile(
    r"(?:\d\.?\s*)?(?:references|bibliography|acknowledge?ments?|literatur|r\u00e9f\u00e9rences)\W*", re.IGNORECASE
)
_CAPTION: Final = re.compile(r"(?:fig(?:ure|\.)?|table|tab\.|abbildung|tableau)\s*\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Guess:
    """Lines that may be an abstract, and whether they are set apart from the body."""

    lines: Sequence[Line]
    apart: bool


def by_layout(pages: Sequence[Sequence[TextBlock]]) -> Iterator[Guess]:
    """Yield the first paragraphs of prose that are set apart from the body: by size, weight, width, or a heading."""
    body = _body(pages)
    for block in islice(_paragraphs(pages[:_PAGES]), _GUESSES):
        lines = lines_of(pages[block.last.page - 1 : block.last.page + 1])
        start = next(number for number, line in enumerate(lines) if line.block is block)
        taken = list(take_passage(lines, start))
        following = lines[start + len(taken)] if start + len(taken) < len(lines) else None
        apart = (body is not None and _apart(block, body)) or (following is not None and opens(following.text))
        yield Guess(taken, apart)


def first_page(pages: Sequence[Sequence[TextBlock]], whole: bool) -> list[TextBlock]:
    """Return the first paragraphs of the first page that has text, from the first prose on.

    `whole`: all paragraphs of prose, for an abstract that fills a page.
    """
    for page in pages:
        prose = list(_paragraphs([page]))
        start = next((at for at, block in enumerate(page) if prose and block is prose[0]), 0)
        found = list(_whole(page[start:]) if whole and prose else _take_beginning(page[start:]))
        if found:
            return found
    return []


def _take_beginning(page: Sequence[TextBlock]) -> Iterator[TextBlock]:
    length = 0
    for block in page:
        size = sum(len(row.text) + 1 for row in block.rows)
        if length >= _BEGINNING and (ends(block.text) or length + size > _ENOUGH):
            return
        length += size
        yield block


def _whole(page: Sequence[TextBlock]) -> Iterator[TextBlock]:
    """Yield the paragraphs of a page up to its references, without captions and labels of drawings."""
    sizes = Counter[float]()
    for block in page:
        sizes[round(block.last.size, 1)] += len(block.text)
    usual = max(sizes, key=lambda size: sizes[size])
    for number, block in enumerate(page):
        if number and _BACK.match(block.text):
            return
        if (
            same_size(block.last.size, usual)
            and not _CAPTION.match(block.text)
            and (is_prose(block.text) or not number)
        ):
            yield block


def _paragraphs(pages: Sequence[Sequence[TextBlock]]) -> Iterator[TextBlock]:
    """Yield paragraphs of prose; one that begins within a sentence, as the end of another text, comes last."""
    late = []
    for page in pages:
        for block in page:
            if not _is_paragraph(block):
                continue
            if by_baseline(block.rows)[0].text[:1].islower():
                late.append(block)
            else:
                yield block
    yield from late


def _is_paragraph(block: TextBlock) -> bool:
    """Say whether a block is a paragraph of running text, not affiliations, an address, a notice or contents."""
    text = block.text
    if len(text) < PARAGRAPH or "@" in text or is_note(text) or is_entry(text) or is_notice(text):
        return False
    return is_prose(text)


def _body(pages: Sequence[Sequence[TextBlock]]) -> TextBlock | None:
    """Return the longest block of what most of the paper is set in."""
    every = [block for page in pages for block in page if len(block.rows) > 3]
    sizes: Counter[tuple[float, bool]] = Counter()
    for block in every:
        sizes[round(block.last.size, 1), block.last.bold] += len(block.text)
    usual = max(sizes, key=lambda each: sizes[each], default=None)
    same = [block for block in every if (round(block.last.size, 1), block.last.bold) == usual]
    return max(same, key=lambda block: len(block.text), default=None)


def _apart(block: TextBlock, body: TextBlock) -> bool:
    """Say whether a block differs from the body in size, weight or width; ragged lines make no difference."""
    (left, right), (inner, outer) = block.edges, body.edges
    alike = same_size(block.last.size, body.last.size) and block.last.bold == body.last.bold
    inset = left > inner + 0.8 * body.last.size and right < outer - 0.8 * body.last.size
    return not alike or inset or right - left > 1.3 * (outer - inner)
