"""Words on a page to rows: words on one baseline without a gap, so two columns are two rows."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final

from assay.papers.headings import begins, is_contents, opens
from assay.papers.words import Word

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
        chain = _find_line_numbers(column)
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


def _find_line_numbers(column: Sequence[Word]) -> list[Word]:
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


def without_overlays(page: Sequence["TextRow"]) -> list["TextRow"]:
    """Return rows, from the top down, without those that lie over two others, as text that nobody sees does."""
    return [row for at, row in enumerate(page) if len(row.words) < _FEWEST or not _lies_over(page, at)]


def _lies_over(page: Sequence["TextRow"], at: int) -> bool:
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


def without_heads(pages: Sequence[list["TextRow"]]) -> list[list["TextRow"]]:
    """Return the rows of pages, from the top down, without running heads and feet and the numbers of pages."""
    known = Counter(key for page in pages for key in {_key(row) for row in _edge_rows(page)})
    return [_without_heads(page, known, first=number == 0) for number, page in enumerate(pages)]


def _without_heads(page: list["TextRow"], known: Counter[tuple[str, int]], first: bool) -> list["TextRow"]:
    edges = _edge_rows(page)
    gone = {id(row) for row in edges if _is_head(row, known)}
    left = Counter(round(row.y) for row in edges if id(row) not in gone and not _NUMBER.fullmatch(row.text))
    gone |= {id(row) for row in edges if _NUMBER.fullmatch(row.text) and not left[round(row.y)]}
    if not first and not any(id(row) in gone for row in page[:_HEADS]):
        gone |= {id(row) for row in _lone_heads(page)}
    return [row for row in page if id(row) not in gone]


def _edge_rows(page: Sequence["TextRow"]) -> list["TextRow"]:
    heights = sorted({round(row.y) for row in page}, reverse=True)
    edges = {*heights[:_HEADS], *heights[-_HEADS:]}
    return [row for row in page if round(row.y) in edges]


def _key(row: "TextRow") -> tuple[str, int]:
    return re.sub(r"[\W\d_]+", " ", row.text).strip().lower(), round(row.y / 6)


def _is_head(row: "TextRow", known: Counter[tuple[str, int]]) -> bool:
    """Say whether a row at the edge of a page stands on other pages too."""
    text, height = _key(row)
    return len(text) > 3 and not _is_heading(row) and sum(known[text, height + by] for by in (-1, 0, 1)) > 1


def _lone_heads(page: Sequence["TextRow"]) -> list["TextRow"]:
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


def _is_heading(row: "TextRow") -> bool:
    return opens(row.text) or begins(row.text, set_apart=False) is not None or is_contents(row.text)


GAP: Final = 1.4
"""The widest space between two words of a row, in sizes of the font; columns are further apart."""
_OVERLAP: Final = 0.6
_RAISED: Final = 0.6
_LINE_NUMBERS: Final = 8
_ALIKE: Final = 0.1
"""Points by which one size may differ from itself: files round them."""
_PART: Final = 0.1
_FEW_LETTERS: Final = 6
_MOST_ROWS: Final = 2_000
"""Blocks take time that grows with rows times blocks; what a page has more is labels in drawings."""


@dataclass(frozen=True, slots=True)
class TextRow:
    """Words of one line of one column, with what most of its characters are set in; `page` counts from 1."""

    words: tuple[Word, ...]
    text: str
    """The words with spaces between them."""
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    page: int = 1

    @property
    def width(self) -> float:
        """The distance between its edges."""
        return self.x1 - self.x0

    def beside(self, other: "TextRow") -> float:
        """Return how much of the narrower one's width both share, 0..1."""
        shared = min(self.x1, other.x1) - max(self.x0, other.x0)
        return max(shared, 0.0) / max(min(self.width, other.width), 1.0)

    def inside(self, other: "TextRow") -> bool:
        """Say whether it lies within the other's edges, give or take a letter."""
        return other.x0 - self.size <= self.x0 and self.x1 <= other.x1 + self.size


def group_rows(words: Iterable[Word], page: int = 1) -> list[TextRow]:
    """Return the rows of a page, from the top down; the column of line numbers in a manuscript is left out."""
    found: list[list[Word]] = []
    for word in without_numbers(tuple(words)):
        if found and _continues(found[-1], word):
            found[-1].append(word)
        else:
            found.append([word])
    kept = _without_line_numbers(_join([_row(each, page) for each in found]))
    if len(kept) > _MOST_ROWS:
        kept = sorted(kept, key=lambda row: -len(row.text))[:_MOST_ROWS]
    return without_overlays(sorted(kept, key=lambda row: (-row.y, row.x0)))


def _continues(words: Sequence[Word], word: Word) -> bool:
    """Say whether a word stands on the line of those before it, an index or exponent among them."""
    largest = max(words[-8:], key=lambda each: each.size)
    size = max(largest.size, word.size)
    near = -_OVERLAP * size <= word.x0 - words[-1].x1 <= GAP * size
    return near and abs(word.y - largest.y) <= (0.25 if word.size > 0.85 * largest.size else _RAISED) * size


def _row(words: Sequence[Word], page: int) -> TextRow:
    ordered = tuple(words)
    sizes: Counter[float] = Counter()
    for word in ordered:
        sizes[round(word.size, 1)] += len(word.text)
    size = max(sizes, key=lambda each: (sizes[each], each))
    main = [word for word in ordered if round(word.size, 1) == size]
    bold = sum(len(word.text) for word in ordered if word.bold) * 2 > sum(len(word.text) for word in ordered)
    return TextRow(
        ordered,
        " ".join(word.text for word in ordered),
        min(word.x0 for word in ordered),
        max(word.x1 for word in ordered),
        median(word.y for word in main),
        size,
        bold,
        page,
    )


def _join(found: list[TextRow]) -> list[TextRow]:
    """Put rows together that were drawn apart and touch: a bold word drawn after the rest of its line."""
    joined: list[list[TextRow]] = []
    for row in sorted(found, key=lambda each: (-round(each.y), each.x0)):
        last = joined[-1][-1] if joined else None
        if last and abs(last.y - row.y) <= 0.25 * row.size and -1 <= row.x0 - last.x1 <= 0.5 * row.size:
            joined[-1].append(row)
        else:
            joined.append([row])
    return [
        each[0] if len(each) == 1 else _row([word for row in each for word in row.words], row.page) for each in joined
    ]


def _without_line_numbers(found: list[TextRow]) -> list[TextRow]:
    """Drop the numbers beside the lines of a manuscript: many rows of digits alone, each one row's neighbour."""
    numbers = [row for row in found if len(row.words) == 1 and row.text.isdigit() and len(row.text) <= 4]
    edges = Counter(round(row.x1 / 4) for row in numbers)
    column = {edge for edge, count in edges.items() if count + edges[edge + 1] + edges[edge - 1] >= _LINE_NUMBERS}
    gone = {id(row) for row in numbers if round(row.x1 / 4) in column}
    return [row for row in found if id(row) not in gone]


def match_size(row: TextRow, other: TextRow) -> TextRow | None:
    """Return a row in the size of another, where a part of its words is set as most of that one's are, else None.

    An address in the type of a typewriter, or a formula, may fill most of a line of text.
    """
    main = {word.font for word in other.words if abs(word.size - other.size) < _ALIKE}
    letters = sum(len(word.text) for word in row.words if word.font in main and abs(word.size - other.size) < _ALIKE)
    enough = letters >= _PART * sum(len(word.text) for word in row.words)
    return replace(row, size=other.size) if enough and letters >= _FEW_LETTERS else None


def move_rows(row: TextRow, words: Sequence[Word]) -> TextRow:
    """Return a row without its first words: what follows a heading on the same line."""
    return replace(row, words=tuple(words), text=" ".join(word.text for word in words))
