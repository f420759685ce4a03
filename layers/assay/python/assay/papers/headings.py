"""What marks the beginning of an abstract, and what marks its end, by words alone."""

import re
from typing import Final, Literal

_NUMBER: Final = r"(?:(?:\d{1,2}|[IVX]{1,4})\s?[.):]?\s+)?"
_SPACED: Final = {name: r"\s?".join(name) for name in ("abstract", "summary", "synopsis")}
_NAMES: Final = "|".join(_SPACED.values())
_ALONE: Final = re.compile(rf"{_NUMBER}(?:{_NAMES})\s*[.:\u2014\u2013-]*", re.IGNORECASE)
_SIGNED: Final = re.compile(rf"{_NUMBER}(?:{_NAMES})\s*(?:[:\u2014\u2015\u2013]|\.|-)+\s*(?=\S)", re.IGNORECASE)
_BARE: Final = re.compile(rf"(?:{_NAMES})\s+(?=\S)", re.IGNORECASE)

_INTRODUCTION: Final = r"(?:(?:\d|I|\u00a7\s?\d)\s*[.):]?\s*)?(?:Introduction|INTRODUCTION|I\s?NTRODUCTION)"
_LISTS: Final = (
    r"k\s?e\s?y\s?-?\s?w\s?o\s?r\s?d\s?s?(?:\s+and\s+phrases)?|index terms|ccs concepts|categories and subject|"
    r"general terms|subject headings?|subject terms|unified astronomy|jel (?:classification|codes?)|pacs|msc|"
    r"(?:ams|(?:19|20)\d\d) (?:mathematics )?subject|mathematics subject|acm (?:subject|reference|classification)|"
    r"author summary|significance(?: statement)?|plain language summary|graphical abstract|article info|nomenclature|"
    r"r\u00e9sum\u00e9|zusammenfassung|resumen|abbreviations"
)
_NOTES: Final = (
    r"[\u2217*\u2020\u2021\u00a7\u00b6]\s?[A-Za-z]|\u00a9|\(c\)\s?\d{4}|copyright\b|received\b.{0,40}\d|accepted\b.{0,40}\d|"
    r"\(?dated\b|submitted to\b|published (?:by|online|in)\b|doi\b|https?://|permission to\b|e-?mails?:|arxiv:\d|"
    r"\S{0,2}\s?corresponding author|manuscript received|preprint submitted|to whom correspondence|"
    r"this work (?:was|is) (?:partially |partly )?supported"
)
_END: Final = re.compile(
    rf"(?:{_INTRODUCTION})\s*(?:$|[.:\u2014\u2013-])|(?i:(?:{_LISTS})\b\s*(?:$|[.:;\u2014\u2013-]|\d))|"
    r"(?:Key\s?-?[wW]ords?|KEY\s?-?WORDS?|Index Terms|MSC|PACS|Abbreviations)\b|(?:CONTENTS|Contents)\s*$|"
    r"(?:Categories and Subject|General Terms|Subject headings)"
)
_NOTE: Final = re.compile(_NOTES, re.IGNORECASE)
_RIGHTS: Final = re.compile(r"\s*(?:\u00a9|\(c\) ?\d{4}|Copyright\b|DOI ?:).*", re.DOTALL)
_SECTION: Final = re.compile(r"(?:1|I)\s?[.):]?\s+[A-Z][^.!?]{2,70}")
_STRUCTURE: Final = re.compile(
    r"(?:background|objectives?|aims?|purpose|context|motivation|introduction|materials? and methods|methods?|design|"
    r"setting|participants|patients|measurements|results?|findings|discussion|interpretation|conclusions?|significance|"
    r"availability(?: and implementation)?|supplementary information|contact|methodology[/ ]principal findings)\b"
    r"(?:\s?/\s?\w+)?\s*(?:[:.\u2014\u2013-]|$)",
    re.IGNORECASE,
)

Kind = Literal["heading", "inline"]


def begins(text: str, set_apart: bool) -> tuple[Kind, int] | None:
    """Return how a line begins an abstract and how many of its characters are the heading; None where it does not.

    `set_apart` says that the line's first word is set in another font than what follows, so that a title such as
    "Abstract interpretation of programs" is no heading and a bold "Abstract" before the text is.
    """
    if _ALONE.fullmatch(text.strip()):
        return "heading", len(text)
    signed = _SIGNED.match(text)
    if signed:
        return "inline", signed.end()
    bare = _BARE.match(text)
    shouted = bare is not None and bare[0].isupper() and not text[bare.end() :].isupper()
    return ("inline", bare.end()) if bare and (set_apart or shouted) else None


def is_abstract(text: str) -> bool:
    """Say whether a heading is "Abstract", which counts before any "Summary"."""
    return re.match(_NUMBER + _SPACED["abstract"], text, re.IGNORECASE) is not None


def ends(text: str) -> bool:
    """Say whether a line is what follows an abstract: introduction, keywords, classification."""
    return _END.match(text) is not None


def is_note(text: str) -> bool:
    """Say whether a line begins what may stand beside or under an abstract: dates, rights, addresses, footnotes."""
    return _NOTE.match(text) is not None


def is_section(text: str) -> bool:
    """Say whether a line reads like the heading of a first numbered section."""
    return _SECTION.fullmatch(text) is not None


def without_rights(text: str) -> str:
    """Return a text without the notice of rights, or DOI, at its end."""
    start = max(len(text) - 300, 50)
    return text[:start] + _RIGHTS.sub("", text[start:])


def structure(text: str) -> str | None:
    """Return the label that a part of a structured abstract begins with ("Methods:"), in lower case."""
    found = _STRUCTURE.match(text)
    return re.sub(r"\W+$", "", found[0]).lower() if found else None
