"""Addresses in running text: what belongs to one, and what is glued to it."""

import re
from typing import Final

_SCHEME: Final = r"(?:https?://|ftp://|www\.)"
# RFC 3986's characters, and those of them that LaTeX writes with a backslash.
_CHARACTERS: Final = r"(?:[\w.~:/?#\[\]@!$&'()*+,;=%-]|\\[_~%#&$])"
_RUN: Final = re.compile(rf"{_SCHEME}{_CHARACTERS}+", re.IGNORECASE | re.ASCII)
# Marks of full width that NFKC makes marks of RFC 3986: a comma between Chinese words is no comma of an address.
_WIDE: Final = re.compile(
    rf"({_SCHEME}{_CHARACTERS}+)([\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]?)", re.IGNORECASE | re.ASCII
)
_BRACKET: Final = re.compile(r"[()\[\]]")
_OPENS: Final = {")": "(", "]": "["}
_CLOSING: Final = ".,;:!?'"


def drop_links(text: str) -> str:
    """Return a text with a blank for each URL; the punctuation behind it and unmatched brackets stay."""
    return _RUN.sub(lambda run: " " + run[0][_length(run[0]) :], text)


def part_wide_marks(text: str) -> str:
    """Return a text with a blank between a URL and a mark of full width, which normalising would make a part of it."""
    return _WIDE.sub(lambda run: f"{run[1]} {run[2]}" if run[2] else run[0], text)


def _length(run: str) -> int:
    """Return how many characters of a run are the URL: up to an unmatched bracket, without closing punctuation."""
    whole = run[: _unmatched(run)]
    return len(whole.rstrip(_CLOSING)) or len(whole)


def _unmatched(run: str) -> int:
    """Return where the first bracket stands that has no partner, or the length."""
    opened: list[tuple[str, int]] = []
    for bracket in _BRACKET.finditer(run):
        if bracket[0] in "([":
            opened.append((bracket[0], bracket.start()))
        elif opened and opened[-1][0] == _OPENS[bracket[0]]:
            opened.pop()
        else:
            return opened[0][1] if opened else bracket.start()
    return opened[0][1] if opened else len(run)
