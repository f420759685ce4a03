"""What a caller may choose about an answer."""

from dataclasses import dataclass

from assay.errors import InvalidOption

MOST_LABELS = 10_000


@dataclass(frozen=True, slots=True)
class ClassifyOptions:
    """`threshold` (0..1) stands for every label instead of the model's own; `top_k` caps the labels listed.

    Raises InvalidOption for a value out of its range.
    """

    threshold: float | None = None
    top_k: int | None = None

    def __post_init__(self) -> None:
        """Hold the options to their ranges."""
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InvalidOption("threshold must be from 0 to 1", option="threshold")
        if self.top_k is not None and not 1 <= self.top_k <= MOST_LABELS:
            raise InvalidOption(f"top_k must be from 1 to {MOST_LABELS:,}", option="top_k")
