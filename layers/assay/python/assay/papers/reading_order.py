"""Rows to blocks, and blocks to the order in which they are read, columns included.

The order is T. Breuel's ("High performance document layout analysis", 2003): a block comes before another that it
stands above in the same column, and before another to its right unless something wide stands between them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, NamedTuple

from assay.papers.rows import TextRow, match_size

_LOOSE: Final = 1.35
_SAME_SIZE: Final = 0.06
_DEFAULT_LEADING: Final = 1.2
_MOST_ORDERED: Final = 120
"""Ordering takes time that grows with the third power; what a page has more is labels in drawings."""


class _Box(NamedTuple):
    left: float
    right: float
    top: float
    bottom: float


@dataclass(slots=True)
class TextBlock:
    """Rows of one column that follow each other at the page's usual distance, in one size and weight."""

    rows: list[TextRow]
    _edges: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        """Take the edges of its rows."""
        self._edges = min(row.x0 for row in self.rows), max(row.x1 for row in self.rows)

    def add(self, row: TextRow) -> None:
        """Take a row at the bottom."""
        self.rows.append(row)
        self._edges = min(self._edges[0], row.x0), max(self._edges[1], row.x1)

    @property
    def last(self) -> TextRow:
        """The lowest row."""
        return self.rows[-1]

    @property
    def edges(self) -> tuple[float, float]:
        """The leftmost and rightmost point."""
        return self._edges

    @property
    def top(self) -> float:
        """The baseline of the first row."""
        return self.rows[0].y

    @property
    def bottom(self) -> float:
        """The baseline of the last row."""
        return self.last.y

    @property
    def text(self) -> str:
        """The rows' texts, a line each."""
        return "\n".join(row.text for row in self.rows)

    @property
    def font(self) -> str:
        """The name of the font that most of its first rows are set in."""
        letters: Counter[str] = Counter()
        for row in self.rows[:6]:
            for word in row.words:
                letters[word.font] += len(word.text)
        return max(letters, key=lambda font: letters[font])


def same_size(one: float, other: float) -> bool:
    """Say whether two font sizes are the same to the eye."""
    return abs(one - other) <= _SAME_SIZE * max(one, other)


def order_blocks(rows: Sequence[TextRow]) -> list[TextBlock]:
    """Return the blocks of a page's rows (from the top down), in reading order."""
    leading = _LOOSE * _measure_leading(rows)
    found: list[TextBlock] = []
    for row in rows:
        above = [(block, same) for block in found[-60:] if (same := _fit_row(block, row, leading))]
        if above:
            block, same = min(above, key=lambda each: each[0].bottom)
            block.add(same)
        else:
            found.append(TextBlock([row]))
    return _order(found)


def _measure_leading(rows: Sequence[TextRow]) -> float:
    """Return the usual distance between baselines, in sizes of the font."""
    steps = []
    for at, row in enumerate(rows):
        below = next((each for each in rows[at + 1 : at + 6] if each.y < row.y - 1 and row.beside(each) > 0.5), None)
        sized = below and row.size > 0 and same_size(row.size, below.size)
        if below and sized and len(below.words) > 3:
            steps.append((row.y - below.y) / row.size)
    close = [step for step in steps if step < 3]
    return max(median(close), 1.0) if len(close) > 4 else _DEFAULT_LEADING


def _fit_row(block: TextBlock, row: TextRow, leading: float) -> TextRow | None:
    """Return a row as a block takes it, or None if it does not."""
    last = block.last
    if abs(last.y - row.y) < 0.3 * row.size:
        left, right = block.edges
        fits = len(block.rows) > 1 and left - row.size <= row.x0 and row.x1 <= right + row.size
        return row if fits else None
    near = 0 < last.y - row.y <= leading * max(row.size, last.size)
    if not near or last.bold != row.bold or last.beside(row) <= 0.5:
        return None
    if same_size(last.size, row.size):
        return row
    return match_size(row, last) or (row if match_size(last, row) else None)


def _order(found: list[TextBlock]) -> list[TextBlock]:
    """Return the blocks so that each comes after all that are to be read before it, else from the top down."""
    if len(found) > _MOST_ORDERED:
        longest = sorted(found, key=lambda block: -len(block.text))[:_MOST_ORDERED]
        kept = {id(block) for block in longest}
        first = [block for block in found if id(block) in kept]
        return [*_order(first), *(block for block in found if id(block) not in kept)]
    boxes = [_Box(*block.edges, block.top, block.bottom) for block in found]
    places = range(len(boxes))
    before = [{at for at in places if at != to and _first(boxes, boxes[at], boxes[to])} for to in places]
    left, order = dict.fromkeys(places), list[TextBlock]()
    while left:
        free = next((at for at in left if before[at].isdisjoint(left)), next(iter(left)))
        del left[free]
        order.append(found[free])
    return order


def _first(boxes: Sequence[_Box], one: _Box, other: _Box) -> bool:
    """Say whether `one` is read before `other`."""
    if one.left < other.right - 1 and other.left < one.right - 1:
        return one.top > other.top
    return one.right <= other.left + 1 and not _is_parted(boxes, one, other)


def _is_parted(boxes: Sequence[_Box], one: _Box, other: _Box) -> bool:
    """Say whether one that spans both stands between them in height."""
    high, low = max(one.bottom, other.bottom), min(one.top, other.top)
    right, left = one.right, other.left
    return low < high and any(low < top < high and x0 < right and x1 > left for x0, x1, top, _ in boxes)
