"""What a terminal shows: tables, bars, errors in words, and no control characters."""

import re
from collections.abc import Sequence

_NUMERIC = frozenset("0123456789.+-%")


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under a header, numbers to the right, indented by two spaces."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (header, ["-" * width for width in widths], *rows)
    return "\n".join("  " + "  ".join(map(_cell, line, widths)).rstrip() for line in lines)


def _cell(text: str, width: int) -> str:
    return text.rjust(width) if text and set(text) <= _NUMERIC else text.ljust(width)


def bar(share: float, width: int = 24, block: str = "█") -> str:
    """Draw a probability from 0 to 1."""
    return (block * max(1, round(share * width))).ljust(width, " " if block == "#" else "·")


def explain(error: BaseException) -> str:
    """Return what an error says in words: which file and why, and never a bare number or class name."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    said = str(error)
    if said and not said.isdecimal():
        return said
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return f"it failed ({words.removesuffix(' error') or words})"


def printable(text: str) -> str:
    """Return what others wrote (keys, reasons, a service's words) without what a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
