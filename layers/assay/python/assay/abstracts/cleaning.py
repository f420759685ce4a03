"""Cleaning of abstracts, the same at training time and at run time."""

import re
import unicodedata

_URL = re.compile(r"(?:https?://|ftp://|www\.)[^\s<>\"]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
_TAG_NAMES = (
    "abstract|article|blockquote|body|br|caption|center|code|div|em|figure|font|footer|h[1-6]|head|header|hr|html|"
    "img|italic|jats:[a-z-]+|li|link|meta|mml:[a-z]+|ol|pre|script|sec|section|small|span|strong|style|sub|sup|table|"
    "tbody|td|th|thead|title|tr|tt|ul"
)
_TAG = re.compile(rf"</?(?:{_TAG_NAMES})(?:\s[^<>]{{0,500}})?/?>", re.IGNORECASE)
# One-letter tags look like inequalities in mathematics ($a<b>c$), so they count as HTML only where one is closed.
_LETTER_TAG = re.compile(r"</?([abipqsu])(?:\s+[a-z-]+=[^<>]{0,500})?/?>", re.IGNORECASE)
_LETTER_CLOSED = re.compile(r"</([abipqsu])>", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Return `text` as the models read it: NFKC, one line, no URLs, no HTML tags, LaTeX kept."""
    text = _CONTROL.sub(" ", unicodedata.normalize("NFKC", text))
    text = _TAG.sub(" ", _URL.sub(" ", text))
    closed = {match.lower() for match in _LETTER_CLOSED.findall(text)}
    if closed:
        text = _LETTER_TAG.sub(lambda tag: " " if tag[1].lower() in closed else tag[0], text)
    return _SPACE.sub(" ", text).strip()
