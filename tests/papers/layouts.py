"""Papers in the layouts that scientists send, each with one abstract that is to be found to the letter."""

from dataclasses import replace

from tests.papers.setting import BOLD, ROMAN, SMALL, TITLE, Paper, Style, broken
from tests.papers.texts import BODY, DIVIDED, INTRODUCTION, STRUCTURED, body, title


def article() -> Paper:
    """One column, a heading in the middle, keywords, and arXiv's stamp up the margin."""
    paper = Paper()
    paper.stamp("arXiv:2401.01234v2 [astro-ph.HE] 3 Jan 2024")
    top = title(paper)
    inner = paper.column(90, 522, top.y).centred("Abstract", BOLD).skip(2)
    inner.text(DIVIDED, SMALL)
    inner.skip(6).text("gamma rays, dark matter, galactic centre", SMALL, lead=("Keywords:", replace(BOLD, size=9)))
    body(paper.column(54, 558, inner.y))
    return paper


def engineering() -> Paper:
    """Two columns, the heading in the line of the text, in bold."""
    paper = Paper()
    left, right = paper.columns(title(paper).y)
    bold = Style("Times-Bold", 9)
    left.text(DIVIDED, bold, lead=("Abstract\u2014", Style("Times-BoldItalic", 9)))
    left.skip(4).text("gamma rays, dark matter", bold, lead=("Index Terms\u2014", Style("Times-BoldItalic", 9)))
    body(left, right, heading="I. INTRODUCTION")
    return paper


def linguistics() -> Paper:
    """Two columns, a heading in the middle of the first, the abstract narrower than what follows."""
    paper = Paper()
    left, right = paper.columns(title(paper).y)
    inner = paper.column(70, 281, left.y).centred("Abstract", INTRODUCTION).skip(4)
    inner.text(DIVIDED, ROMAN)
    left.y = inner.y
    body(left, right)
    return paper


def letters() -> Paper:
    """No heading: a narrower paragraph in small type under dates, then two columns without headings."""
    paper = Paper()
    top = title(paper)
    top.centred("(Dated: January 3, 2024)", ROMAN).skip(6)
    inner = paper.column(100, 512, top.y)
    inner.text(DIVIDED, SMALL, 10)
    left, right = paper.columns(inner.y - 20)
    left.text(BODY, ROMAN, 10)
    right.text(BODY, ROMAN)
    return paper


def nature() -> Paper:
    """No heading: the first paragraph is bold; a running header, no introduction, two columns."""
    paper = Paper()
    paper.column(54, 558, 760).line("ARTICLES", Style("Helvetica-Bold", 9))
    top = title(paper)
    top.text(DIVIDED, Style("Times-Bold", 9.5))
    left, right = paper.columns(top.y - 16)
    left.text(BODY, ROMAN)
    right.text(BODY, ROMAN)
    return paper


def neuroscience() -> Paper:
    """No heading: a paragraph over both columns, in the size of the body but another font; no introduction."""
    paper = Paper()
    top = title(paper)
    top.text(DIVIDED, Style("Helvetica", 10))
    left, right = paper.columns(top.y - 10)
    left.text(BODY, ROMAN)
    right.text(BODY, ROMAN)
    return paper


def biology() -> Paper:
    """The heading in the line of the text, far from it, and a footnote with a number under it."""
    paper = Paper()
    column = title(paper).line("KEY WORDS   light; dark matter", ROMAN).skip(20)
    paper.write("ABSTRACT", ROMAN, column.left, column.y)
    lines = [*broken(DIVIDED, ROMAN, column.right - column.left, 90)]
    paper.write(lines[0], ROMAN, column.left + 90, column.y)
    column.skip(12).rest(lines[1:], ROMAN)
    column.skip(12).text("1Supported by a grant from somewhere.", ROMAN)
    body(column.skip(20), heading="INTRODUCTION")
    return paper


def elsevier() -> Paper:
    """Spaced headings side by side: history and keywords on the left, the abstract on the right."""
    paper = Paper()
    top = title(paper)
    side, main = paper.column(54, 190, top.y), paper.column(210, 558, top.y)
    side.line("A R T I C L E  I N F O", SMALL).skip(8)
    for line in ("Article history:", "Received 1 May 2023", "Accepted 2 June 2023", "Keywords:", "Gamma rays", "Stars"):
        side.line(line, Style("Times-Roman", 8))
    main.line("A B S T R A C T", SMALL).skip(8)
    main.text(DIVIDED, Style("Times-Roman", 8))
    main.line("\u00a9 2023 Published by Somebody B.V. All rights reserved.", Style("Times-Roman", 8), 330)
    body(*paper.columns(main.y - 10), heading="1. Introduction")
    return paper


def computing() -> Paper:
    """Two columns, a heading in capitals on the left, footnotes under it, categories after it."""
    paper = Paper()
    left, right = paper.columns(title(paper).y)
    left.line("ABSTRACT", INTRODUCTION).skip(2)
    left.text(DIVIDED, SMALL)
    left.skip(8).line("Categories and Subject Descriptors", INTRODUCTION)
    left.text("J.2 [Physical Sciences]: Astronomy and physics of what is far away", SMALL)
    note = paper.column(54, 297, 150)
    note.text("\u2020 Part of this work was done elsewhere and at night.", Style("Times-Roman", 8))
    note.text("Permission to make digital or hard copies of all of this work is granted.", Style("Times-Roman", 8))
    body(right, heading="1. INTRODUCTION")
    return paper


def medicine() -> Paper:
    """A structured abstract, a paragraph a part, and a main text that begins with a part's name."""
    paper = Paper()
    column = title(paper).line("Abstract", INTRODUCTION).skip(2)
    for part in STRUCTURED.replace(". ", ".\n").split("\n"):
        label, _, text = part.partition(" ")
        column.text(text, ROMAN, lead=(label, BOLD))
        column.skip(3)
    column.skip(4).text("gamma rays, pulsars", ROMAN, lead=("Keywords:", BOLD))
    body(column, heading="Background")
    return paper


def cover() -> Paper:
    """An institution's cover sheet first; "Summary" on the next page."""
    paper = Paper()
    sheet = paper.column(54, 558, 600).line("University of Somewhere", TITLE).line("Technical report 42", ROMAN)
    sheet.line("This document is the author's version of a paper.", ROMAN)
    paper.page()
    column = title(paper).line("Summary", INTRODUCTION).skip(3)
    column.text(DIVIDED, ROMAN)
    body(column)
    return paper


def ligatures() -> Paper:
    """Ligatures as single letters, accents, and a heading set in spaced small letters."""
    paper = Paper()
    top = title(paper).centred("A b s t r a c t", Style("Vera", 9)).skip(4)
    text = DIVIDED.replace("fi", "\ufb01").replace("fl", "\ufb02").replace("ff", "\ufb00")
    vera = Style("Vera", 9)
    known = {ord(each): each for each in "\ufb01\ufb02"}
    text = "".join(each if ord(each) != 0xFB00 else "ff" for each in text)
    assert any(chr(each) in text for each in known)
    top.text(text, vera)
    body(top)
    return paper


def manuscript() -> Paper:
    """Double spaced, lines numbered in the margin, a running header, the abstract on a separate page."""
    paper = Paper()
    double = Style("Times-Roman", 12, 2.2)
    title(paper)
    paper.page()
    paper.column(54, 558, 760).line("Cole and Dorn: Gamma rays", SMALL)
    column = paper.column(90, 540).line("Abstract", replace(double, font="Times-Bold"))
    column.text(DIVIDED, double)
    for number in range(25):
        paper.write(str(number + 1), SMALL, 60, 700 - number * 26.4)
    paper.page()
    paper.column(90, 540).line("Introduction", replace(double, font="Times-Bold")).text(BODY, double)
    return paper


def thesis() -> Paper:
    """A table of contents that lists the abstract, which comes after it, on the fourth page."""
    paper = Paper()
    paper.column(54, 558, 600).centred("Gamma Rays", TITLE)
    paper.page()
    contents = paper.column(90, 540).line("Contents", TITLE)
    for line in (
        "Abstract . . . . . . . . . . . . iii",
        "1 Introduction . . . . . . . . . 1",
        "2 Data . . . . . . . 9",
    ):
        contents.line(line, ROMAN)
    paper.page()
    paper.column(90, 540).line("Acknowledgements", TITLE).text(BODY, ROMAN)
    paper.page()
    paper.column(90, 540).line("Abstract", TITLE).skip(10).text(DIVIDED, replace(ROMAN, size=11))
    paper.page()
    paper.column(90, 540).line("Chapter 1", TITLE).line("Introduction", TITLE).text(BODY, replace(ROMAN, size=11))
    return paper


def inline() -> Paper:
    """One column; the heading and a colon in the line of the text, in the same font, and a numbered first section."""
    paper = Paper()
    top = title(paper)
    top.text(f"Abstract: {DIVIDED}", ROMAN)
    body(top, heading="1. A model of the galaxy")
    return paper


LAYOUTS = {
    each.__name__: each
    for each in (article, engineering, linguistics, letters, nature, neuroscience, biology, elsevier, computing, cover,
                 ligatures, manuscript, thesis, inline)
}  # fmt: skip
FOUND_BY = dict.fromkeys(LAYOUTS, "heading") | {
    "engineering": "inline",
    "inline": "inline",
    "letters": "layout",
    "nature": "layout",
    "neuroscience": "layout",
}
