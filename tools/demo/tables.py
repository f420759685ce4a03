"""Plain-text tables and bars for a terminal. Pure."""

from collections.abc import Sequence

_NUMERIC = frozenset("0123456789.+-%")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under a header, numbers to the right, indented by two spaces."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (header, ["-" * width for width in widths], *rows)
    return "\n".join("  " + "  ".join(map(_cell, line, widths)).rstrip() for line in lines)


def _cell(text: str, width: int) -> str:
    return text.rjust(width) if text and set(text) <= _NUMERIC else text.ljust(width)


def bar(share: float, width: int = 24, block: str = "█") -> str:
    """Draw a probability from 0 to 1."""
    return (block * max(1, round(share * width))).ljust(width, " " if block == "#" else "·")
