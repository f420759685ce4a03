"""Cleaning of abstracts, the same at training time and at run time."""

import html
import re
import unicodedata
from html.entities import html5
from typing import Final

from assay.abstracts.links import drop_links, part_wide_marks

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
    return strip_markup(_normalized(decode_entities(text)))


def decode_entities(text: str) -> str:
    """Return `text` with the characters that HTML's entities stand for; what ends in no semicolon is none."""
    return _ENTITY.sub(_decoded, text) if "&" in text else text


def strip_markup(text: str) -> str:
    """Return `text` on one line, without URLs, HTML tags and marks that nobody sees; entities stay as they are."""
    text = _CONTROL.sub(" ", text)
    text = text if text.isascii() else _IDLE_JOINER.sub("", _UNSEEN.sub("", text))
    text = _TAG.sub(" ", drop_links(text))
    closed = {match.lower() for match in _LETTER_CLOSED.findall(text)}
    if closed:
        text = _LETTER_TAG.sub(lambda tag: " " if tag[1].lower() in closed else tag[0], text)
    return _SPACE.sub(" ", text).strip()


def _normalized(text: str) -> str:
    """Return `text` in NFKC. Of more than 30 combining marks in a row the rest goes first.

    Normalisation sorts each run of marks, in time that grows with the square of its length.
    """
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", part_wide_marks(_HIGH.sub(_with_few_marks, text)))


def _with_few_marks(run: re.Match[str]) -> str:
    kept, marks = [], 0
    for letter in run[0]:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def _decoded(entity: re.Match[str]) -> str:
    """Return the character of an entity, and what is none as it stands."""
    name = entity[1]
    return html.unescape(f"&{name};") if name[0] == "#" or f"{name};" in html5 else entity[0]
