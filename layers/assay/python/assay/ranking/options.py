"""What the caller of a ranking may choose."""

import sys
from dataclasses import dataclass

from assay.errors import InvalidOption, StrictReject
from assay.options import MAX_TOP_K
from assay.ranking.partial import Counts


@dataclass(frozen=True, slots=True)
class RankOptions:
    """What the caller may choose. Raises `InvalidOption` naming the option that is out of range.

    `strict` is held by `hold_strict`, after the ranking; `rank_blocks` ranks what it can either way.
    """

    top_k: int = 100
    threshold: float = 0.0
    strict: bool = False
    column: str | None = None

    def __post_init__(self) -> None:
        """Check types as well as ranges, since options come from JSON, queries and object metadata."""
        _require(type(self.top_k) is int and 1 <= self.top_k <= MAX_TOP_K, "top_k", f"an integer in 1..{MAX_TOP_K}")
        number = type(self.threshold) in (int, float) and abs(self.threshold) <= sys.float_info.max  # not NaN either
        _require(number, "threshold", "a finite number")
        _require(type(self.strict) is bool, "strict", "true or false")
        _require(self.column is None or (isinstance(self.column, str) and bool(self.column)), "column", "a name")


def _require(holds: bool, option: str, wanted: str) -> None:
    if not holds:
        raise InvalidOption(f"{option} must be {wanted}", option=option)


def hold_strict(options: RankOptions, counts: Counts, **details: object) -> None:
    """Raise StrictReject where `strict` was asked for and records were rejected."""
    if options.strict and counts.rejected:
        message = f"{counts.rejected} of {counts.received} records were rejected, and strict allows none"
        raise StrictReject(message, count=counts.rejected, **details)
