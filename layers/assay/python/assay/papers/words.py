"""The words on a page, as the PDF reader returns them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its left and right edge, baseline (growing upwards) and font size, in points, and its font's name."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    font: str = ""
    bold: bool = False
