"""Words on a page to rows: what stands on one baseline without a gap, so that two columns are two rows."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from assay.papers.margins import without_numbers, without_overlays
from assay.papers.words import Word

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
class Row:
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

    def beside(self, other: "Row") -> float:
        """Return how much of the narrower one's width both share, 0..1."""
        shared = min(self.x1, other.x1) - max(self.x0, other.x0)
        return max(shared, 0.0) / max(min(self.width, other.width), 1.0)

    def inside(self, other: "Row") -> bool:
        """Say whether it lies within the other's edges, give or take a letter."""
        return other.x0 - self.size <= self.x0 and self.x1 <= other.x1 + self.size


def rows(words: Iterable[Word], page: int = 1) -> list[Row]:
    """Return the rows of a page, from the top down; the column of line numbers in a manuscript is left out."""
    found: list[list[Word]] = []
    for word in without_numbers(tuple(words)):
        if found and _continues(found[-1], word):
            found[-1].append(word)
        else:
            found.append([word])
    kept = _without_line_numbers(_joined([_row(each, page) for each in found]))
    if len(kept) > _MOST_ROWS:
        kept = sorted(kept, key=lambda row: -len(row.text))[:_MOST_ROWS]
    return without_overlays(sorted(kept, key=lambda row: (-row.y, row.x0)))


def _continues(words: Sequence[Word], word: Word) -> bool:
    """Say whether a word stands on the line of those before it, an index or exponent among them."""
    largest = max(words[-8:], key=lambda each: each.size)
    size = max(largest.size, word.size)
    near = -_OVERLAP * size <= word.x0 - words[-1].x1 <= GAP * size
    return near and abs(word.y - largest.y) <= (0.25 if word.size > 0.85 * largest.size else _RAISED) * size


def _row(words: Sequence[Word], page: int) -> Row:
    ordered = tuple(words)
    sizes: Counter[float] = Counter()
    for word in ordered:
        sizes[round(word.size, 1)] += len(word.text)
    size = max(sizes, key=lambda each: (sizes[each], each))
    main = [word for word in ordered if round(word.size, 1) == size]
    bold = sum(len(word.text) for word in ordered if word.bold) * 2 > sum(len(word.text) for word in ordered)
    return Row(
        ordered,
        " ".join(word.text for word in ordered),
        min(word.x0 for word in ordered),
        max(word.x1 for word in ordered),
        median(word.y for word in main),
        size,
        bold,
        page,
    )


def _joined(found: list[Row]) -> list[Row]:
    """Put rows together that were drawn apart and touch: a bold word drawn after the rest of its line."""
    joined: list[list[Row]] = []
    for row in sorted(found, key=lambda each: (-round(each.y), each.x0)):
        last = joined[-1][-1] if joined else None
        if last and abs(last.y - row.y) <= 0.25 * row.size and -1 <= row.x0 - last.x1 <= 0.5 * row.size:
            joined[-1].append(row)
        else:
            joined.append([row])
    return [
        each[0] if len(each) == 1 else _row([word for row in each for word in row.words], row.page) for each in joined
    ]


def _without_line_numbers(found: list[Row]) -> list[Row]:
    """Drop the numbers beside the lines of a manuscript: many rows of digits alone, each one row's neighbour."""
    numbers = [row for row in found if len(row.words) == 1 and row.text.isdigit() and len(row.text) <= 4]
    edges = Counter(round(row.x1 / 4) for row in numbers)
    column = {edge for edge, count in edges.items() if count + edges[edge + 1] + edges[edge - 1] >= _LINE_NUMBERS}
    gone = {id(row) for row in numbers if round(row.x1 / 4) in column}
    return [row for row in found if id(row) not in gone]


def sized_as(row: Row, other: Row) -> Row | None:
    """Return a row in the size of another, where a part of its words is set as most of that one's are, else None.

    An address in the type of a typewriter, or a formula, may fill most of a line of text.
    """
    main = {word.font for word in other.words if abs(word.size - other.size) < _ALIKE}
    letters = sum(len(word.text) for word in row.words if word.font in main and abs(word.size - other.size) < _ALIKE)
    enough = letters >= _PART * sum(len(word.text) for word in row.words)
    return replace(row, size=other.size) if enough and letters >= _FEW_LETTERS else None


def moved(row: Row, words: Sequence[Word]) -> Row:
    """Return a row without its first words: what follows a heading on the same line."""
    return replace(row, words=tuple(words), text=" ".join(word.text for word in words))
