"""The best rows seen so far, distinct by sequence, in memory bounded by how many are wanted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp] | NDArray[np.bool_] | slice
_SLACK: Final = 1 << 14
HEAVY: Final = 64 << 20
"""Bytes of ids and carried cells that wait at once, for a model or for the next sorting of the best."""
_CELL: Final = 64
"""Bytes that Python takes for a cell beside its text."""


@dataclass(frozen=True, slots=True)
class Rows:
    """N sequences on their way through the models, in columns; `labels` holds (id, carried cells) or is None."""

    codes: NDArray[np.uint8]
    lines: NDArray[np.int64]
    gate: NDArray[np.float32]
    score: NDArray[np.float32]
    labels: NDArray[np.object_] | None = None

    def __len__(self) -> int:
        """Return N."""
        return len(self.lines)

    def pick(self, index: Index) -> Self:
        """Return the rows at `index`."""
        labels = None if self.labels is None else self.labels[index]
        gate, score = self.gate[index], self.score[index]
        return replace(self, codes=self.codes[index], lines=self.lines[index], gate=gate, score=score, labels=labels)


def concatenate(parts: list[Rows]) -> Rows:
    """Return the rows of all `parts` (at least one; all with labels or all without), in order."""
    if len(parts) == 1:
        return parts[0]
    labels = [part.labels for part in parts if part.labels is not None]
    return Rows(
        np.concatenate([part.codes for part in parts]),
        np.concatenate([part.lines for part in parts]),
        np.concatenate([part.gate for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate(labels) if labels else None,
    )


def weigh(labels: Iterable[tuple[str | None, Sequence[str]]]) -> int:
    """Return about how many bytes ids and carried cells take in memory."""
    return sum(len(name or "") + sum(map(len, cells)) + _CELL * (len(cells) + 1) for name, cells in labels)


class TopK:
    """Exact best `k` rows by score descending, then line, one per sequence (its first line).

    Rows must come with finite scores and ascending lines; the same sequence always has the same score. Where those
    that are held weigh more than `most` bytes, their labels are let go, and `shed` says so.
    """

    def __init__(self, k: int, most: int | None = None) -> None:
        """Begin with no rows; `k` >= 1."""
        self.shed = False
        self._k, self._most, self._weight = k, most, 0
        self._parts: list[Rows] = []
        self._held = 0
        self._floor = np.float32(-np.inf)

    def add(self, rows: Rows, weight: int = 0) -> None:
        """Keep those of `rows`, which weigh at most so many bytes, that may be among the best."""
        better = rows.score > self._floor  # a later row that ties with the k-th loses to it
        if better.any():
            rows = replace(rows, labels=None) if self.shed else rows
            self._parts.append(rows.pick(better))
            self._held += len(self._parts[-1])
            self._weight += 0 if self.shed else weight
        if self._held > self._k + _SLACK or self._weight > HEAVY:
            self._prune()

    def best(self) -> Rows | None:
        """Return the best rows in order, or None when none came."""
        if self._parts:
            self._prune()
        return self._parts[0] if self._parts else None

    def _prune(self) -> None:
        rows = concatenate(self._parts)
        rows = rows.pick(_distinct(rows.codes, np.argsort(-rows.score, kind="stable"), self._k))
        if self._most is not None and self._weight > HEAVY and rows.labels is not None:
            self.shed = weigh(rows.labels) > self._most
            rows = replace(rows, labels=None) if self.shed else rows
        self._parts, self._held, self._weight = [rows], len(rows), 0
        if len(rows) == self._k:
            self._floor = rows.score[-1]


def _distinct(codes: NDArray[np.uint8], order: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """Return the first `k` of `order` whose codes did not come before; looks no further than it must."""
    take = 2 * k
    while True:
        head = order[:take]
        first = np.sort(np.unique(pack(codes[head]), return_index=True)[1])
        if len(first) >= k or take >= len(order):
            return head[first[:k]]
        take *= 4


def pack(codes: NDArray[np.uint8]) -> NDArray[np.void]:
    """Return each row of [N, length] codes as one value that compares by its bytes: [N]."""
    return np.ascontiguousarray(codes).view(np.dtype((np.void, codes.shape[1]))).reshape(-1)
