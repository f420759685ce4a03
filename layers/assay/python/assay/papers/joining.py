"""Lines to running text: words divided at line ends put together, accents set beside letters put onto them."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_ACCENTS: Final = {
    "\u00b4": "\u0301", "\u00a8": "\u0308", "\u02c6": "\u0302", "\u02dc": "\u0303",
    "\u02c7": "\u030c", "\u02d8": "\u0306", "\u02da": "\u030a", "\u00b8": "\u0327",
}  # fmt: skip
_ACCENTED: Final = re.compile(rf"([{''.join(_ACCENTS)}]) ?([A-Za-z\u0131])")
_LIGATURES: Final = str.maketrans({"\x0b": "ff", "\x0c": "fi", "\x0e": "ffi", "\x0f": "ffl"})
"""Where the fonts of TeX have ligatures, when a file does not say what its letters are."""
_DIVIDED: Final = re.compile(r"([^\W\d_]+)[-\u00ad\u2010]$")
_BEGINS: Final = re.compile(r"[^\W\d_]+")
_DASHES: Final = re.compile(r"(?<=\w)[\u2010\u2011](?=\w)")
_KEEP: Final = re.compile(
    r"(?:all|anti|ex|full|half|high|ill|low|long|many|mid|multi|near|non|one|quasi|real|self|semi|short|single|so|state|"
    r"three|two|well|wide|zero)",
    re.IGNORECASE,
)
"""First halves after which a hyphen at a line's end is more often one of the word than one of the line."""


def join(lines: Sequence[str], known: str = "") -> str:
    """Return lines as one text, words divided at their ends made whole. `known` is more text of the same paper.

    A hyphen at a line's end goes when the paper has the word without it, stays when it has it with one; else it stays
    after a number, a capital, a hyphenated word or a first half such as "non", and goes otherwise.
    """
    words = set(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", known.lower()))
    text = ""
    for line in (_letters(each).strip() for each in lines):
        text = _appended(text, line, words) if text else line
    return re.sub(r"\s+", " ", text)


def _appended(text: str, line: str, words: set[str]) -> str:
    first, second = _DIVIDED.search(text), _BEGINS.match(line)
    if first and second and not text[first.start() - 1 : first.start()].isdigit():
        return text[:-1] + ("-" if _stays(text, first[1], second[0], words) else "") + line
    return text + line if re.search(r"\w[-\u2010\u2013]$", text) and line[:1].isalnum() else f"{text} {line}"


def _stays(text: str, first: str, second: str, words: set[str]) -> bool:
    whole, divided = (first + second).lower(), f"{first}-{second}".lower()
    if (whole in words) != (divided in words):
        return divided in words
    before = text[: -len(first) - 1][-1:]
    return (before in "-/" and before != "") or second[0].isupper() or first.isupper() or bool(_KEEP.fullmatch(first))


def _letters(line: str) -> str:
    """Return a line with its ligatures spelled out, accents on their letters and plain hyphens."""
    line = _ACCENTED.sub(_composed, line.translate(_LIGATURES))
    return _DASHES.sub("-", line)


def _composed(found: re.Match[str]) -> str:
    letter = "i" if found[2] == "\u0131" else found[2]
    return unicodedata.normalize("NFC", letter + _ACCENTS[found[1]])
