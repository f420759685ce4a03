"""What a score means: the probability of an event, the percentile in a reference set, and whether to trust it at all.

All are functions of one row alone, its score and its sequence, so that a request, a job and any of its shards agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from assay.sequences.carried_columns import REFERENCE_COLUMNS
from assay.sequences.contract import Contract
from assay.sequences.familiarity import Likeness, name_notices

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
