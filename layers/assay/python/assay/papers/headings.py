"""Words that mark the beginning and the end of an abstract."""

import re
from typing import Final, Literal

_NUMBER: Final = r"(?:(?:\d{1,2}(?:\.\d)?|[IVX]{1,4})\s?[.):]?\s+)?"
_ENGLISH: Final = ("abstract", "summary", "synopsis")
_FOREIGN: Final = (
    "zusammenfassung", "kurzfassung", "kurzzusammenfassung", "r\u00e9sum\u00e9", "resumen", "resumo", "riassunto",
    "sommario", "samenvatting", "extracto",
)  # fmt: skip
"""Headings of abstracts in German, French, Spanish, Portuguese, Italian and Dutch."""
_SPACED: Final = {name: r"\s?".join(name) for name in (*_ENGLISH, *_FOREIGN)}
_NAMES: Final = "|".join(_SPACED.values())
_ALONE: Final = re.compile(rf"{_NUMBER}(?:{_NAMES})\s*[.:\u2014\u2013-]*", re.IGNORECASE)
_SIGNED: Final = re.compile(rf"{_NUMBER}(?:{_NAMES})\s*(?:[:\u2014\u2015\u2013]|\.|-)+\s*(?=\S)", re.IGNORECASE)
_BARE: Final = re.compile(rf"(?:{_NAMES})\s+(?=\S)", re.IGNORECASE)

_SECTION_NUMBER: Final = (
    r"(?:(?:chapter\s*|kapitel\s*|cap[i\u00ed]tulo\s*|chapitre\s*|\u00a7\s?)?(?:[01](?:\.0?)?|I)\s*[.):]?\s*)?"
)
_OPENING: Final = (
    "Introduction|Einleitung|Einf\u00fchrung|Introducci\u00f3n|Introdu\u00e7\u00e3o|Introduzione|Inleiding|Main text|"
    "Main|Introduction and background|General introduction|Introductory remarks|Introduction g\u00e9n\u00e9rale"
)
_INTRODUCTION: Final = rf"(?i:{_SECTION_NUMBER})(?:{_OPENING}|{_OPENING.upper()}|I\s?NTRODUCTION)"
_LISTS: Final = (
    r"k\s?e\s?y\s?-?\s?w\s?o\s?r\s?d\s?s?(?:\s+and\s+phrases)?|index terms|ccs concepts|categories and subject|"
    r"general terms|subject headings?|subject terms|unified astronomy|jel (?:classification|codes?)|pacs|msc|"
    r"(?:ams|(?:19|20)\d\d) (?:mathematics )?subject|mathematics subject|acm (?:subject|reference|classification)|"
    r"author summary|significance(?: statement)?|plain language summary|graphical abstract|article info|nomenclature|"
    r"r\u00e9sum\u00e9|zusammenfassung|kurzfassung|resumen|resumo|riassunto|samenvatting|abbreviations|"
    r"palabras?\s?-?clave|palavras?\s?-?\s?chave|mots?[\s-]{0,2}cl[e\u00e9]s?|schlagw(?:o|\u00f6)rter|"
    r"schl(?:u|\u00fc)sselw(?:o|\u00f6)rter|stichw(?:o|\u00f6)rter|parole\s?-?chiave|trefwoorden|descriptor(?:e)?s"
)
_NOTES: Final = (
    r"[\u2217*\u2020\u2021\u00a7\u00b6]\s?[A-Za-z]|\u00a9|\(c\)\s?\d{4}|copyright\b|received\b.{0,40}\d|accepted\b.{0,40}\d|"
    r"\(?dated\b|submitted to\b|published (?:by|online|in)\b|doi\b|https?://|permission to\b|e-?mails?:|arxiv:\d|"
    r"\S{0,2}\s?corresponding author|manuscript received|preprint submitted|to whom correspondence|"
    r"this work (?:was|is) (?:partially |partly )?supported"
)
_MATTER: Final = (
    r"(?:acknowledge?ments?|dedication|declarations?|preface|foreword|highlights|table of contents|"
    r"list of (?:figures|tables|symbols|abbreviations|publications)|danksagung|vorwort|remerciements|agradecimientos|"
    r"agradecimentos|ringraziamenti)\W*$"
)
"""Headings of what stands before the first chapter, beside an abstract."""
_END: Final = re.compile(
    rf"(?i:{_MATTER})|(?:{_INTRODUCTION})\s*(?:$|[.:\u2014\u2013-])|(?i:(?:{_LISTS})\b\s*(?:$|[.:;\u2014\u2013-]|\d))|"
    r"(?:Key\s?-?[wW]ords?|KEY\s?-?WORDS?|Index Terms|MSC|PACS|Abbreviations)\b|(?:CONTENTS|Contents)\s*$|"
    r"(?:Palabras [Cc]lave|Palavras-[Cc]have|Mots[- ][Cc]l\u00e9s|Schlagw\u00f6rter|Parole [Cc]hiave)\b|"
    r"(?:Categories and Subject|General Terms|Subject headings)"
)
_LIST: Final = re.compile(rf"(?:{_LISTS})\b\s*(?:$|[.:;\u2014\u2013-]|\d)", re.IGNORECASE)
_NOTE: Final = re.compile(_NOTES, re.IGNORECASE)
_RIGHTS: Final = re.compile(r"\s*(?:\u00a9|\(c\) ?\d{4}|Copyright\b|DOI ?:).*", re.DOTALL)
_SECTION: Final = re.compile(r"(?:1(?:\.0)?|I|\u00a7\s?1)\s?[.):]?\s+[A-Z\u00c0-\u00de][^.!?]{2,70}")
_ENTRY: Final = re.compile(r"(?:\.\s?){4,}|[.\u2026]{3,}\s*(?:\d{1,4}|[ivxlc]+)\s*$")
_CONTENTS: Final = re.compile(
    r"(?:table of )?contents|inhalt(?:sverzeichnis)?|table des mati\u00e8res|sommaire|\u00edndice(?: general)?|"
    r"sum\u00e1rio|indice",
    re.IGNORECASE,
)
_ABOUT: Final = (
    r"(?:is (?:an?|the) )?(?:author|accept|pre-?print|open[- ]access|downloaded|corresponds|may not|has been accepted|"
    r"has been published|was published|was accepted|is protected|is made available|is distributed|is licensed)"
)
_NOTICE: Final = re.compile(
    r"disclaimer\b|(?:important )?(?:notice|note|warning)\s?[:!.]|note to\b|please (?:cite|note|read)|how to cite|"
    r"to cite|this (?:document|vignette|version) reflects|"
    rf"this (?:article|work|document|version|vignette|manuscript|paper|file) {_ABOUT}",
    re.IGNORECASE,
)
_LEGAL: Final = re.compile(
    r"copyright|peer[- ]review|pre-?print|all rights reserved|licen[cs]e|permission|disclaim|views expressed|"
    r"repository|does not constitute|without warranty|terms (?:of use|and conditions)|creative commons|"
    r"version of record|author.s (?:accepted |final |own )?(?:manuscript|version)|downloaded from|published by|"
    r"open[- ]access|legislation|archive ouverte",
    re.IGNORECASE,
)
_FOREIGN_HEAD: Final = re.compile(rf"{_NUMBER}(?:{'|'.join(_SPACED[each] for each in _FOREIGN)})", re.IGNORECASE)
_STRUCTURE: Final = re.compile(
    r"(?:background and (?:aims?|objectives?|purpose)|"
    r"background|objectives?|aims?|purpose|context|motivation|introduction|materials? and methods|methods?|design|"
    r"setting|participants|patients|measurements|results?|findings|discussion|interpretation|conclusions?|significance|"
    r"availability(?: and implementation)?|supplementary information|contact|methodology[/ ]principal findings|"
    r"(?:main|primary|secondary) outcomes?(?: measures?)?|interventions?|main results|principal findings|limitations|"
    r"(?:practical |clinical |policy |social )?implications|originality|research limitations|data sources|"
    r"study selection|study design|(?:clinical )?trial registration|funding|scope|novelty|rationale)\b"
    r"(?:\s?/\s?\w+){0,2}\s*(?:[:.\u2014\u2013-]|$)",
    re.IGNORECASE,
)
_SMALL_WORDS: Final = re.compile(
    r"\b(?:a|an|are|as|be|been|but|by|can|has|have|how|is|it|its|may|not|on|or|our|that|the|their|these|this|to|was|we|"
    r"were|which|with|das|dass|den|der|die|ein|eine|einer|f\u00fcr|ist|mit|nicht|sich|und|von|werden|wird|zu|zur|"
    r"au|avec|dans|des|du|est|et|la|le|les|ont|par|pas|pour|que|qui|sont|sur|une|con|de|del|el|en|es|las|los|para|por|se|"
    r"una|y|ao|com|da|do|dos|em|na|no|os|uma|che|della|di|gli|il|nel|non|per|sono|un)\b"
)
"""Words of sentences, in the languages of headings; "of", "and" and "for" are as common in addresses."""

Kind = Literal["heading", "inline"]


def begins(text: str, set_apart: bool) -> tuple[Kind, int] | None:
    """Return how a line begins an abstract and how many of its characters are the heading; None where it does not.

    `set_apart` says that the line's first word has another font than the rest. So a bold "Abstract" before the text is
    a heading, and the title "Abstract interpretation of programs" is not.
    """
    if _ALONE.fullmatch(text.strip()):
        return "heading", len(text)
    signed = _SIGNED.match(text)
    lower = text[:1].islower()  # a word of a sentence that happens to begin its line
    if signed and (set_apart or not lower or re.match(r"\w \w \w", signed[0])):
        return "inline", signed.end()
    bare = None if lower else _BARE.match(text)
    shouted = bare is not None and bare[0].isupper() and not text[bare.end() :].isupper()
    return ("inline", bare.end()) if bare and (set_apart or shouted) else None


def is_abstract(text: str) -> bool:
    """Say whether a heading is "Abstract", which counts before any "Summary"."""
    return re.match(_NUMBER + _SPACED["abstract"], text, re.IGNORECASE) is not None


def is_foreign_heading(text: str) -> bool:
    """Say whether a heading is one in another language than English."""
    return _FOREIGN_HEAD.match(text) is not None


def is_entry(text: str) -> bool:
    """Say whether a line is one of a table of contents: leaders, or the page that they lead to."""
    return _ENTRY.search(text) is not None


def is_contents(text: str) -> bool:
    """Say whether a line is the heading of a table of contents."""
    return _CONTENTS.fullmatch(text.strip()) is not None


def is_notice(text: str) -> bool:
    """Say whether a paragraph is about the paper: a disclaimer, a licence, what a repository writes on its cover."""
    return _NOTICE.match(text.strip()) is not None or len(set(map(str.lower, _LEGAL.findall(text)))) > 1


def ends(text: str) -> bool:
    """Say whether a line is what follows an abstract: introduction, keywords, classification."""
    return _END.match(text) is not None


def is_list(text: str) -> bool:
    """Say whether a line is a list beside an abstract, not part of it: keywords, classifications."""
    return _LIST.match(text) is not None


def is_note(text: str) -> bool:
    """Say whether a line begins what may stand beside or under an abstract: dates, rights, addresses, footnotes."""
    return _NOTE.match(text) is not None


def is_section(text: str) -> bool:
    """Say whether a line reads like the heading of a first numbered section."""
    return _SECTION.fullmatch(text) is not None


def opens(text: str) -> bool:
    """Say whether a line begins what comes after the abstract."""
    return ends(text) or is_section(text)


def is_prose(text: str) -> bool:
    """Say whether a text is running text, by its small words; of scripts without them every text is."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    latin = sum(word[0] < "\u0250" for word in words)
    return 2 * latin < len(words) or len(_SMALL_WORDS.findall(text.lower())) >= 0.12 * len(words)


def ends_sentence(text: str) -> bool:
    """Say whether a text's last sentence is whole, a note's number behind it or not."""
    return re.search(r"[.!?][\"')\]\u201d]?\s?\d{0,3}$", text) is not None


def without_rights(text: str) -> str:
    """Return a text without the notice of rights, or DOI, at its end."""
    start = max(len(text) - 300, 50)
    return text[:start] + _RIGHTS.sub("", text[start:])


def structure(text: str) -> str | None:
    """Return the label that a part of a structured abstract begins with ("Methods:"), in lower case."""
    found = _STRUCTURE.match(text)
    return re.sub(r"\W+$", "", found[0]).lower() if found else None
