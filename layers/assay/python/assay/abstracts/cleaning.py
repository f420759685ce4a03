"""Cleaning of abstracts, the same at training time and at run time."""

import html
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5
from time import thread_time
from typing import Final, Protocol

from assay.errors import InvalidAbstract
from assay.text.records import EMPTY, LENGTH, MALFORMED

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


class Editor(Protocol):
    """How cleaning changes a text: as plain text, or with a record of where each character comes from."""

    def sub(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Return a text with each match replaced."""

    def normalize(self, text: str) -> str:
        """Return a text in NFKC."""


class PlainEditor:
    """Changes a text and keeps no record."""

    def sub(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Return a text with each match replaced."""
        return pattern.sub(replacement, text)

    def normalize(self, text: str) -> str:
        """Return a text in NFKC."""
        return unicodedata.normalize("NFKC", text)


PLAIN: Final = PlainEditor()


def drop_links(text: str, editor: Editor = PLAIN) -> str:
    """Return a text with a blank for each URL; the punctuation after it and unmatched brackets stay."""
    return editor.sub(_RUN, lambda run: " " + run[0][_length(run[0]) :], text)


def part_wide_marks(text: str, editor: Editor = PLAIN) -> str:
    """Return a text with a blank between a URL and a mark of full width, which normalising would make a part of it."""
    return editor.sub(_WIDE, lambda run: f"{run[1]} {run[2]}" if run[2] else run[0], text)


def _length(run: str) -> int:
    """Return how many characters of a run are the URL: up to an unmatched bracket, without closing punctuation."""
    whole = run[: _find_unmatched(run)]
    return len(whole.rstrip(_CLOSING)) or len(whole)


def _find_unmatched(run: str) -> int:
    """Return the place of the first bracket without a partner, or the length."""
    opened: list[tuple[str, int]] = []
    for bracket in _BRACKET.finditer(run):
        if bracket[0] in "([":
            opened.append((bracket[0], bracket.start()))
        elif opened and opened[-1][0] == _OPENS[bracket[0]]:
            opened.pop()
        else:
            return opened[0][1] if opened else bracket.start()
    return opened[0][1] if opened else len(run)


MOST_MARKS: Final = 30
"""Combining marks in a row that are read: those of the Stream-Safe Text Format (Unicode Standard Annex 15)."""
_HIGH: Final = re.compile(r"[\u0300-\U0010ffff]{31,}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Marks without width: they say where a line may break and which way text runs, and stand within words.
_UNSEEN: Final = re.compile(r"[\u200b\u200e\u200f\u202a-\u202e\ufeff]")
# What joins or parts letters (Persian, Indic scripts, emoji) means something only between two of them.
_IDLE_JOINER: Final = re.compile(r"(?<!\S)[\u200c\u200d]+|[\u200c\u200d]+(?!\S)")
_ENTITY: Final = re.compile(
    r"&(?:(?:amp|#0{0,6}38|#x0{0,6}26);)*(#\d{1,8}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE
)
_TAG_NAMES: Final = (
    "abstract|article|blockquote|body|br|caption|center|code|div|em|figure|font|footer|h[1-6]|head|header|hr|html|"
    "img|italic|jats:[a-z-]+|li|link|meta|mml:[a-z]+|ol|pre|script|sec|section|small|span|strong|style|sub|sup|table|"
    "tbody|td|th|thead|title|tr|tt|ul"
)
_TAG: Final = re.compile(rf"</?(?:{_TAG_NAMES})(?:\s[^<>]{{0,500}})?/?>", re.IGNORECASE)
# One-letter tags look like inequalities in mathematics ($a<b>c$), so they count as HTML only where one is closed.
_LETTER_TAG: Final = re.compile(r"</?([abipqsu])(?:\s+[a-z-]+=[^<>]{0,500})?/?>", re.IGNORECASE)
_LETTER_CLOSED: Final = re.compile(r"</([abipqsu])>", re.IGNORECASE)
_SPACE: Final = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return `text` as the models read it: NFKC, one line, entities decoded, no URLs, no HTML tags, LaTeX kept.

    Entities come first, however often they were encoded, so that a tag that is written as entities is a tag. The time
    it takes grows with the length alone.
    """
    return clean_by(PLAIN, text).strip()


def clean_by(editor: Editor, text: str) -> str:
    """Return what `clean` returns, made by an editor, perhaps with a blank at its ends."""
    return strip_markup(_normalize(decode_entities(text, editor), editor), editor)


def decode_entities(text: str, editor: Editor = PLAIN) -> str:
    """Return `text` with HTML entities decoded; an entity ends in a semicolon."""
    return editor.sub(_ENTITY, _decode, text) if "&" in text else text


def strip_markup(text: str, editor: Editor = PLAIN) -> str:
    """Return `text` on one line, without URLs, HTML tags and marks that nobody sees; entities stay as they are.

    It may begin or end with a blank.
    """
    text = editor.sub(_CONTROL, " ", text)
    text = text if text.isascii() else editor.sub(_IDLE_JOINER, "", editor.sub(_UNSEEN, "", text))
    text = editor.sub(_TAG, " ", drop_links(text, editor))
    closed = {match.lower() for match in _LETTER_CLOSED.findall(text)}
    if closed:
        text = editor.sub(_LETTER_TAG, lambda tag: " " if tag[1].lower() in closed else tag[0], text)
    return editor.sub(_SPACE, " ", text)


def _normalize(text: str, editor: Editor) -> str:
    """Return `text` in NFKC. Of more than 30 combining marks in a row the rest goes first.

    Normalisation sorts each run of marks, in time that grows with the square of its length.
    """
    if text.isascii():
        return text
    return editor.normalize(part_wide_marks(editor.sub(_HIGH, _with_few_marks, text), editor))


def _with_few_marks(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for letter in run[0]:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def _decode(entity: re.Match[str]) -> str:
    """Return the character of an entity, or the text unchanged if it is no entity."""
    name = entity[1]
    return html.unescape(f"&{name};") if name[0] == "#" or f"{name};" in html5 else entity[0]


SHORTEST: Final = 50
LONGEST: Final = 5_000
SECONDS: Final = 2.0
"""CPU time that the cleaning of one text may take; an honest one takes a thousandth of it."""
SLOW: Final = "slow"
_LONGEST_RAW: Final = 200_000
LONGEST_PLAIN: Final = 4 * LONGEST
"""No more characters without markup become 5,000: NFKC puts at most four together."""


def prepare(text: object) -> str:
    """Return the cleaned abstract.

    Raises InvalidAbstract unless it is text of 50 to 5,000 characters after cleaning. Raises it too after 2 s of CPU
    time, so that no text holds up the next ones.
    """
    if not isinstance(text, str):
        raise InvalidAbstract(f"an abstract must be a string, not {_kind(text)}", reason=MALFORMED)
    started = thread_time()
    plain = _within_reach(text)
    _hold_to_time(started)
    cleaned = _encodable(clean(plain))
    _hold_to_time(started)
    if SHORTEST <= len(cleaned) <= LONGEST:
        return cleaned
    raise InvalidAbstract(
        f"the abstract has {len(cleaned):,} characters after cleaning, {SHORTEST} to {LONGEST:,} are needed",
        characters=len(cleaned),
        minimum=SHORTEST,
        maximum=LONGEST,
        reason=LENGTH if text.strip() else EMPTY,
    )


def _within_reach(text: str) -> str:
    """Return a text that is worth normalising: one that is long is stripped of its markup first."""
    if len(text) > _LONGEST_RAW:
        message = f"the abstract has {len(text):,} characters, {SHORTEST} to {LONGEST:,} are needed"
        raise InvalidAbstract(message, reason=LENGTH)
    plain = text if len(text) <= LONGEST_PLAIN else strip_markup(decode_entities(text)).strip()
    if len(plain) > LONGEST_PLAIN:
        raise InvalidAbstract(
            f"the abstract has more than {LONGEST:,} characters after cleaning, {SHORTEST} to {LONGEST:,} are needed",
            minimum=SHORTEST,
            maximum=LONGEST,
            reason=LENGTH,
        )
    return plain


def _hold_to_time(started: float) -> None:
    if thread_time() - started > SECONDS:
        raise InvalidAbstract(
            f"the abstract takes more than {SECONDS:g} s to clean: send it as plain text", reason=SLOW
        )


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON escapes can carry and no tokenizer or reply can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _kind(value: object) -> str:
    names = {"NoneType": "null", "dict": "an object", "list": "a list", "bool": "a boolean"}
    return names.get(type(value).__name__, "a number")
