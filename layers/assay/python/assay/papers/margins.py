"""What stands beside, above and under the text of pages and is no part of it: line numbers, running heads."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from assay.papers.headings import begins, is_contents, opens
from assay.papers.words import Word

if TYPE_CHECKING:
    from assay.papers.rows import Row

_COLUMN: Final = 3.0
"""Points within which the edges of a column of numbers lie."""
_FEWEST: Final = 4
_NEAR: Final = 50.0
"""Points from the text within which its lines' numbers stand; the pages in a table of contents are further off."""
_STEPS: Final = frozenset({1, 2, 5, 10})
"""Every line is numbered, or every second, fifth, tenth."""
_HEADS: Final = 3
"""Rows at the top, and at the foot, of a page among which a running head is looked for."""
_NUMBER: Final = re.compile(
    r"\W{0,3}(?:p(?:age|\.)?\s*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:/|of)\s*\d{1,4})?\W{0,3}", re.IGNORECASE
)


def without_numbers(words: Sequence[Word]) -> Sequence[Word]:
    """Return a page's words without the numbers of its lines: a column that ascends, with no text beyond it."""
    numbers = [word for word in words if word.text.isascii() and word.text.isdigit() and len(word.text) <= 4]
    if len(numbers) < _FEWEST:
        return words
    lines = _Lines(words)
    gone: set[int] = set()
    for column in (*_columns(numbers, left=False), *_columns(numbers, left=True)):
        chain = _ascending(column)
        if len(chain) >= _FEWEST and lines.outermost(chain):
            gone.update(map(id, chain))
    return [word for word in words if id(word) not in gone] if gone else words


def _columns(numbers: Sequence[Word], left: bool) -> Iterator[list[Word]]:
    """Yield numbers whose left, or right, edges lie within a few points, from the top down."""
    strips: defaultdict[int, list[Word]] = defaultdict(list)
    for word in numbers:
        strip = int((word.x0 if left else word.x1) // _COLUMN)
        strips[strip].append(word)
        strips[strip + 1].append(word)
    for column in strips.values():
        if len(column) >= _FEWEST:
            yield sorted(column, key=lambda word: -word.y)


def _ascending(column: Sequence[Word]) -> list[Word]:
    """Return those of a column that count lines: each is the one above it and a step, or some steps, more."""
    gaps = [int(below.text) - int(above.text) for above, below in pairwise(column)]
    step = Counter(gap for gap in gaps if gap in _STEPS).most_common(1)
    if not step:
        return []
    fits = [0 < gap <= 10 * step[0][0] and gap % step[0][0] == 0 for gap in gaps]
    chain = [word for word, above, below in zip(column, [False, *fits], [*fits, False], strict=True) if above or below]
    return chain if sum(fits) >= 0.7 * len(gaps) else []


class _Lines:
    """The words of a page by their baselines."""

    def __init__(self, words: Sequence[Word]) -> None:
        self._at: defaultdict[int, list[Word]] = defaultdict(list)
        for word in words:
            self._at[round(word.y / 4)].append(word)

    def outermost(self, chain: Sequence[Word]) -> bool:
        """Say whether nearly all of them have text to one side, most of it near, and nothing to the other."""
        own = {id(each) for each in chain}
        gaps = [self._gaps(word, own) for word in chain]
        sides = [[gap[at] for gap in gaps if gap[at] is not None] for at in (0, 1)]
        for empty, full in (sides, reversed(sides)):
            if len(empty) <= 0.1 * len(full) and len(full) >= _FEWEST - 1:
                return sum(gap <= _NEAR for gap in full if gap is not None) >= 0.5 * len(full)
        return False

    def _gaps(self, word: Word, own: Collection[int]) -> tuple[float | None, float | None]:
        """Return how far the next words on its line are to the left and to the right of one, None where are none."""
        beside = [
            each
            for strip in (-1, 0, 1)
            for each in self._at.get(round(word.y / 4) + strip, ())[:200]
            if id(each) not in own and abs(each.y - word.y) <= 0.4 * max(each.size, word.size)
        ]
        before = [word.x0 - each.x1 for each in beside if each.x1 <= word.x0]
        behind = [each.x0 - word.x1 for each in beside if each.x0 >= word.x1]
        return min(before, default=None), min(behind, default=None)


def without_overlays(page: Sequence["Row"]) -> list["Row"]:
    """Return rows, from the top down, without those that lie over two others, as text that nobody sees does."""
    return [row for at, row in enumerate(page) if len(row.words) < _FEWEST or not _lies_over(page, at)]


def _lies_over(page: Sequence["Row"], at: int) -> bool:
    """Say whether a row is nearer to the one above it and to the one below it than lines of its size are set."""
    row = page[at]
    near = [
        other
        for other in (*page[max(at - 6, 0) : at], *page[at + 1 : at + 7])
        if 0.15 * row.size < abs(other.y - row.y) < 0.75 * row.size
        and abs(other.size - row.size) < 0.1 * row.size
        and len(other.words) >= _FEWEST
        and row.beside(other) > 0.5
    ]
    above, below = (max((other.y - row.y) * sign for other in near) if near else -1 for sign in (1, -1))
    return above > 0 and below > 0 and above + below > 0.9 * row.size


def without_heads(pages: Sequence[list["Row"]]) -> list[list["Row"]]:
    """Return the rows of pages, from the top down, without running heads and feet and the numbers of pages."""
    known = Counter(key for page in pages for key in {_key(row) for row in _edge_rows(page)})
    return [_without_heads(page, known, first=number == 0) for number, page in enumerate(pages)]


def _without_heads(page: list["Row"], known: Counter[tuple[str, int]], first: bool) -> list["Row"]:
    edges = _edge_rows(page)
    gone = {id(row) for row in edges if _is_head(row, known)}
    left = Counter(round(row.y) for row in edges if id(row) not in gone and not _NUMBER.fullmatch(row.text))
    gone |= {id(row) for row in edges if _NUMBER.fullmatch(row.text) and not left[round(row.y)]}
    if not first and not any(id(row) in gone for row in page[:_HEADS]):
        gone |= {id(row) for row in _lone_heads(page)}
    return [row for row in page if id(row) not in gone]


def _edge_rows(page: Sequence["Row"]) -> list["Row"]:
    heights = sorted({round(row.y) for row in page}, reverse=True)
    edges = {*heights[:_HEADS], *heights[-_HEADS:]}
    return [row for row in page if round(row.y) in edges]


def _key(row: "Row") -> tuple[str, int]:
    return re.sub(r"[\W\d_]+", " ", row.text).strip().lower(), round(row.y / 6)


def _is_head(row: "Row", known: Counter[tuple[str, int]]) -> bool:
    """Say whether a row at the edge of a page stands on other pages too."""
    text, height = _key(row)
    return len(text) > 3 and not _is_heading(row) and sum(known[text, height + by] for by in (-1, 0, 1)) > 1


def _lone_heads(page: Sequence["Row"]) -> list["Row"]:
    """Return the rows at the top of a page that stand further from what follows than lines do."""
    if len(page) < 6:
        return []
    top = page[0]
    line = [row for row in page[:4] if abs(row.y - top.y) < 0.5 * top.size]
    below = page[len(line) : len(line) + 12]
    steps = sorted(one.y - two.y for one, two in pairwise(below) if one.y - two.y > 1)
    if not below or not steps:
        return []
    usual = steps[len(steps) // 2]
    apart = top.y - below[0].y > 1.5 * usual and top.size < 1.1 * below[0].size
    short = sum(row.width for row in line) < 0.9 * max(row.width for row in below) or top.size < 0.95 * below[0].size
    return line if apart and short and not top.text[:1].islower() and not any(map(_is_heading, line)) else []


def _is_heading(row: "Row") -> bool:
    return opens(row.text) or begins(row.text, set_apart=False) is not None or is_contents(row.text)
