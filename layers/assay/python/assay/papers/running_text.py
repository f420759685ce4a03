"""Lines to running text: joins words hyphenated at line ends, and puts accents onto their letters."""

import re
import unicodedata
from collections.abc import Sequence, Set
from typing import Final

_ACCENTS: Final = {
    "\u00b4": "\u0301", "\u00a8": "\u0308", "\u02c6": "\u0302", "\u02dc": "\u0303",
    "\u02c7": "\u030c", "\u02d8": "\u0306", "\u02da": "\u030a", "\u00b8": "\u0327",
}  # fmt: skip
_ACCENTED: Final = re.compile(rf"([{''.join(_ACCENTS)}]) ?([A-Za-z\u0131])")
_LIGATURES: Final = str.maketrans({"\x0b": "ff", "\x0c": "fi", "\x0e": "ffi", "\x0f": "ffl"})
"""Where the fonts of TeX have ligatures, when a file does not say what its letters are."""
_DIVIDED: Final = re.compile(r"([^\W\d_]+)[-\u00ad\u2010]$")
_LONGEST_WORD: Final = 200
"""Letters of a text's end, and of a line's beginning, that are looked at for a divided word: time grows with these."""
_BEGINS: Final = re.compile(r"[^\W\d_]+")
_DASHES: Final = re.compile(r"(?<=\w)[\u2010\u2011](?=\w)")
_KEEP: Final = re.compile(
    r"(?:all|anti|full|half|high|ill|low|long|many|mid|multi|near|non|one|quasi|real|self|semi|short|single|so|state|"
    r"three|two|well|wide|zero)",
    re.IGNORECASE,
)
"""First halves after which a hyphen at a line's end is more often one of the word than one of the line."""

_SECOND: Final = re.compile(
    r"(?:based|oriented|like|ratio|specific|dependent|independent|free|valued|temporal|inflated|driven|known|called|term|"
    r"comparison|dimensional|level)",
    re.IGNORECASE,
)
"""Second halves before which it is more often one of the word, behind a first half that is a word."""
_PREFIX: Final = re.compile(r"(?:\w{1,2}|con|dis|inter|mis|pre|sub|trans|over|under)", re.IGNORECASE)


def vocabulary(text: str) -> frozenset[str]:
    """Return the words of a text in lower case, those with hyphens as they are."""
    return frozenset(re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower()))


def join_lines(lines: Sequence[str], words: Set[str] = frozenset()) -> str:
    """Return lines as one text, words divided at their ends made whole. `words` are those of the paper.

    A hyphen at a line's end goes when the paper has the word without it, stays when it has it with one; else it stays
    after a number, a capital, a hyphenated word or a first half such as "non", and goes otherwise.
    """
    done, text = list[str](), ""
    for line in (letters(each).strip() for each in lines):
        text = _append(text, line, words) if text else line
        done.append(text[:-_LONGEST_WORD])
        text = text[-_LONGEST_WORD:]
    return re.sub(r"\s+", " ", "".join((*done, text)))


def _append(text: str, line: str, words: Set[str]) -> str:
    first, second = _DIVIDED.search(text), _BEGINS.match(line[:_LONGEST_WORD])
    if first and second and not text[first.start() - 1 : first.start()].isdigit():
        return text[:-1] + ("-" if _stays(text, first[1], second[0], words) else "") + line
    return text + line if re.search(r"\w[-\u2010\u2013]$", text[-2:]) and line[:1].isalnum() else f"{text} {line}"


def _stays(text: str, first: str, second: str, words: Set[str]) -> bool:
    whole, divided = (first + second).lower(), f"{first}-{second}".lower()
    if (whole in words) != (divided in words):
        return divided in words
    before = text[: -len(first) - 1][-1:]
    if (before in "-/" and before != "") or second[0].isupper() or first.isupper():
        return True
    kept = _SECOND.fullmatch(second) is not None and _PREFIX.fullmatch(first) is None
    return kept or _KEEP.fullmatch(first) is not None


def letters(line: str) -> str:
    """Return a line with its ligatures spelled out, accents on their letters and plain hyphens."""
    line = _ACCENTED.sub(_compose, line.translate(_LIGATURES))
    return _DASHES.sub("-", line)


def _compose(found: re.Match[str]) -> str:
    letter = "i" if found[2] == "\u0131" else found[2]
    return unicodedata.normalize("NFC", letter + _ACCENTS[found[1]])
