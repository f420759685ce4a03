"""Ids and carried cells of rows that wait for the gate: pairs are made of those that pass it, and most do not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import numpy as np
from numpy.typing import NDArray

from assay.sequences.blocks import Block

Label = tuple[str | None, Sequence[str]]
"""An id and carried cells."""
Source = tuple[Sequence[str | None], Sequence[tuple[str, ...]]]
"""The ids and the carried cells of a block's rows."""
Index = NDArray[np.intp] | NDArray[np.bool_] | slice


@dataclass(frozen=True, eq=False, slots=True)
class Labels:
    """(id, carried cells) of N rows; `at` [N] says where each lies in the sources, counted through, ascending."""

    sources: tuple[Source, ...]
    at: NDArray[np.intp]

    @classmethod
    def of(cls, block: Block) -> Self | None:
        """Return a block's labels, None where it has neither ids nor carried cells."""
        if block.ids is None and block.extra is None:
            return None
        count = len(block.lines)
        ids: Sequence[str | None] = [None] * count if block.ids is None else block.ids
        cells: Sequence[tuple[str, ...]] = [()] * count if block.extra is None else block.extra
        return cls(((ids, cells),), np.arange(count))

    @classmethod
    def join(cls, parts: Sequence["Labels"]) -> Self:
        """Return the labels of all parts, in order."""
        starts = accumulate((part.held for part in parts), initial=0)
        at = np.concatenate([part.at + start for part, start in zip(parts, starts, strict=False)])
        return cls(tuple(source for part in parts for source in part.sources), at)

    @property
    def held(self) -> int:
        """Return how many labels the sources hold in memory."""
        return sum(len(ids) for ids, _ in self.sources)

    def __len__(self) -> int:
        """Return N."""
        return len(self.at)

    def __getitem__(self, index: Index) -> "Labels":
        """Return the labels at ascending places."""
        return Labels(self.sources, self.at[index])

    def __iter__(self) -> Iterator[Label]:
        """Return the label of each row, in order."""
        labels: list[Label] = []
        start = first = 0
        for ids, cells in self.sources:
            start, before = start + len(ids), start
            last = int(np.searchsorted(self.at, start))
            labels += [(ids[at], cells[at]) for at in (self.at[first:last] - before).tolist()]
            first = last
        return iter(labels)

    def settle(self) -> NDArray[np.object_]:
        """Return the labels [N] themselves, without what else the sources hold."""
        return np.fromiter(self, np.object_, len(self))

    def shrink(self) -> "Labels":
        """Return the same from a source of these labels alone."""
        pairs = [*self]
        return Labels((([name for name, _ in pairs], [cells for _, cells in pairs]),), np.arange(len(pairs)))
