"""What a score means: the probability of an event, the percentile in a reference set, and whether to trust it at all.

All are functions of one row alone, its score and its sequence, so that a request, a job and any of its shards agree.

And how gates and scores are spread over all that was scored: counts in bins that merge exactly, as counts do. A bin's
edges are multiples of its width, a power of two from 1/32 on, so that two bins of one width are one bin of the next.
The width is the least with which all values take at most so many bins: whatever way the values come, in shards or in
one pass, the same counts come out. A bin holds what is above its lower edge and up to its upper one, so that the bins
from a threshold on hold what is above it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from assay.sequences.carried_columns import REFERENCE_COLUMNS
from assay.sequences.composition import Likeness, name_notices
from assay.sequences.contract import Contract

ReferenceColumn = list[float] | list[str | None]
_DECIMALS: Final = {"probability": 4, "percentile": 3}


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """A line that never falls through (score, value) knots [K], and level beyond the first and the last."""

    scores: NDArray[np.float64]
    values: NDArray[np.float64]
    decimals: int

    @classmethod
    def through(cls, scores: Sequence[float], values: Sequence[float], decimals: int) -> Self:
        """Return the curve through knots in ascending order; of those of one score it takes the mean value."""
        levels, first = np.unique(np.asarray(scores, np.float64), return_index=True)
        ends = np.append(first[1:], len(scores))
        known = np.asarray(values, np.float64)
        return cls(levels, np.add.reduceat(known, first) / (ends - first), decimals)

    def at(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the values [N] of scores [N], rounded; NaN of NaN."""
        return np.round(np.interp(np.asarray(scores, np.float64), self.scores, self.values), self.decimals)


@dataclass(frozen=True, slots=True)
class ReferenceValues:
    """What is said of N rows, by column; None for a column that the reference does not have."""

    probability: list[float] | None
    percentile: list[float] | None
    notice: list[str | None]

    def rows(self) -> Iterator[tuple[float | None, float | None, str | None]]:
        """Yield (probability, percentile, notice) of each row."""
        none: list[None] = [None] * len(self.notice)
        return zip(self.probability or none, self.percentile or none, self.notice, strict=True)

    def columns(self) -> list[ReferenceColumn]:
        """Return the columns that there are, in order of `REFERENCE_COLUMNS`."""
        return [each for each in (self.probability, self.percentile, self.notice) if each is not None]


@dataclass(frozen=True, eq=False, slots=True)
class ReferenceScale:
    """The reference of one score model: the two curves that it may have, and what its training was like."""

    probability: Curve | None
    percentile: Curve | None
    likeness: Likeness | None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it adds to rows."""
        has = (self.probability is not None, self.percentile is not None, True)
        return tuple(name for name, there in zip(REFERENCE_COLUMNS, has, strict=True) if there)

    def read(self, codes: NDArray[np.uint8], scores: NDArray[np.float32], contract: Contract) -> ReferenceValues:
        """Return what is to say of rows: `codes` alphabet indices [N, length], `scores` the model's [N]."""
        probability, percentile = (
            curve.at(scores).tolist() if curve else None for curve in (self.probability, self.percentile)
        )
        return ReferenceValues(probability, percentile, name_notices(codes, contract, self.likeness))


def probability_curve(scores: Sequence[float], probabilities: Sequence[float]) -> Curve:
    """Return the curve from scores to probabilities, 0 to 1."""
    return Curve.through(scores, probabilities, _DECIMALS["probability"])


def percentile_curve(scores: Sequence[float], percents: Sequence[float]) -> Curve:
    """Return the curve from scores to percentiles, 0 to 100."""
    return Curve.through(scores, percents, _DECIMALS["percentile"])


_FINEST: Final = 32
"""Bins of the finest width from one integer to the next."""
_LIMIT: Final = 1024.0
"""What is further from zero is counted as if it were so far from it."""
MOST_BINS: Final = 256
"""Of one axis; of two together each has at most 32."""
_SINGLE: Final = (0, MOST_BINS)
_JOINT: Final = (3, 32)
"""How often the finest width is doubled at least, and how many bins an axis has at most."""

Bins = NDArray[np.int32]


def number_bins(values: NDArray[np.float32]) -> Bins:
    """Return [N] numbers of the finest bins of [N] finite values: bin i is above i / 32 and up to (i + 1) / 32."""
    uppers: NDArray[np.float32] = np.ceil(np.clip(values, -_LIMIT, _LIMIT) * np.float32(_FINEST))
    return uppers.astype(np.int32) - 1


@dataclass(frozen=True, eq=False, slots=True)
class Grid:
    """Counts of bins on one axis or more; bin [0, ...] is number `lows`, of a width doubled `shifts` times, by axis."""

    shifts: tuple[int, ...]
    lows: tuple[int, ...]
    counts: NDArray[np.int64]

    @classmethod
    def count(cls, axes: Sequence[Bins], shape: tuple[int, int]) -> Self:
        """Return the grid of the finest bins [N] of each axis; `shape` is its least shift and most bins."""
        bounds = [(int(each.min()), int(each.max())) for each in axes]
        shifts = [_choose_shift(*each, *shape) for each in bounds]
        lows = [low >> shift for (low, _), shift in zip(bounds, shifts, strict=True)]
        sizes = [(high >> by) - low + 1 for (_, high), by, low in zip(bounds, shifts, lows, strict=True)]
        at = 0 * axes[0]
        for bins, shift, low, size in zip(axes, shifts, lows, sizes, strict=True):
            at = at * size + ((bins >> shift) - low)
        return cls(tuple(shifts), tuple(lows), np.bincount(at, minlength=prod(sizes)).reshape(sizes))

    def plus(self, other: "Grid", shape: tuple[int, int]) -> "Grid":
        """Return the grid of all that both count."""
        first, second = self, other
        for axis in range(self.counts.ndim):
            shift = max(first.shifts[axis], second.shifts[axis])
            lows, highs = zip(*(each.coarsen(axis, shift).bounds(axis) for each in (first, second)), strict=True)
            shift += _choose_shift(min(lows), max(highs), 0, shape[1])
            first, second = (each.coarsen(axis, shift) for each in (first, second))
        starts = tuple(map(min, first.lows, second.lows))
        ends = [max(first.bounds(axis)[1], second.bounds(axis)[1]) for axis in range(len(starts))]
        counts = np.zeros([end - start + 1 for start, end in zip(starts, ends, strict=True)], np.int64)
        for each in (first, second):
            counts[tuple(slice(at - start, at - start + size) for at, start, size in each.places(starts))] += (
                each.counts
            )
        return Grid(first.shifts, starts, counts)

    def bounds(self, axis: int) -> tuple[int, int]:
        """Return the numbers of an axis' first and last bin."""
        return self.lows[axis], self.lows[axis] + self.counts.shape[axis] - 1

    def places(self, lows: Sequence[int]) -> list[tuple[int, int, int]]:
        """Return where each axis begins, where those of another grid do, and its bins."""
        return list(zip(self.lows, lows, self.counts.shape, strict=True))

    def coarsen(self, axis: int, shift: int) -> "Grid":
        """Return the same with an axis' width doubled `shift` times in all."""
        by = shift - self.shifts[axis]
        if not by:
            return self
        numbers = (self.lows[axis] + np.arange(self.counts.shape[axis])) >> by
        starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        counts = np.add.reduceat(self.counts, starts, axis=axis)
        return Grid(_put(self.shifts, axis, shift), _put(self.lows, axis, int(numbers[0])), counts)

    @property
    def widths(self) -> list[float]:
        """The width of a bin, by axis."""
        return [(1 << shift) / _FINEST for shift in self.shifts]


def _choose_shift(low: int, high: int, least: int, most: int) -> int:
    """Return the least shift, from `least` on, with which bins `low` to `high` are at most so many."""
    shift = least
    while (high >> shift) - (low >> shift) >= most:
        shift += 1
    return shift


def _put(values: tuple[int, ...], at: int, value: int) -> tuple[int, ...]:
    return (*values[:at], value, *values[at + 1 :])


class Histograms:
    """The gates of all that is scored, the scores of what passes, and both of what passes on a coarser grid."""

    def __init__(self) -> None:
        """Begin with no values."""
        self._grids: dict[str, Grid] = {}

    def count_filtered(self, gates: NDArray[np.float32]) -> None:
        """Count rows that do not pass, by their gates."""
        if len(gates):
            self._add("gate", Grid.count([number_bins(gates)], _SINGLE))

    def count_passed(self, gates: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
        """Count rows that pass, by their gates and scores."""
        if len(gates):
            bins = [number_bins(gates), number_bins(scores)]
            self._add("gate", Grid.count(bins[:1], _SINGLE))
            self._add("score", Grid.count(bins[1:], _SINGLE))
            self._add("joint", Grid.count(bins, _JOINT))

    def _add(self, name: str, grid: Grid) -> None:
        known = self._grids.get(name)
        self._grids[name] = known.plus(grid, _JOINT if name == "joint" else _SINGLE) if known else grid

    def add_body(self, body: Mapping[str, Any]) -> None:
        """Add what `to_body` gave of other rows."""
        for name, each in body.items():
            self._add(name, _read_joint(each) if name == "joint" else _read_single(each))

    def to_body(self) -> dict[str, Any]:
        """Return plain values, JSON's. `low` is a bin's number: bin i holds what is above i widths, up to i + 1.

        `joint` has cells [gate's bin, score's bin, count] of those that hold something.
        """
        return {
            name: _write_joint(grid) if name == "joint" else _write_single(grid) for name, grid in self._grids.items()
        }


def _write_single(grid: Grid) -> dict[str, Any]:
    return {"width": grid.widths[0], "low": grid.lows[0], "counts": grid.counts.tolist()}


def _read_single(body: Mapping[str, Any]) -> Grid:
    return Grid((_read_shift(body["width"]),), (body["low"],), np.asarray(body["counts"], np.int64))


def _write_joint(grid: Grid) -> dict[str, Any]:
    rows, columns = np.nonzero(grid.counts)
    cells = np.stack([rows + grid.lows[0], columns + grid.lows[1], grid.counts[rows, columns]], axis=1)
    return {"widths": grid.widths, "cells": cells.tolist()}


def _read_joint(body: Mapping[str, Any]) -> Grid:
    cells = np.asarray(body["cells"], np.int64)
    lows = cells[:, :2].min(axis=0)
    at = cells[:, :2] - lows
    counts = np.zeros(at.max(axis=0) + 1, np.int64)
    counts[at[:, 0], at[:, 1]] = cells[:, 2]
    first, second = map(_read_shift, body["widths"])
    return Grid((first, second), (int(lows[0]), int(lows[1])), counts)


def _read_shift(width: float) -> int:
    return int(width * _FINEST).bit_length() - 1
