"""Papers whose abstract goes on elsewhere, or whose file is not in the order that is read."""

from collections.abc import Callable

from tests.papers.layouts import article, linguistics
from tests.papers.setting import ROMAN, SMALL, Paper, Style
from tests.papers.texts import BODY, DIVIDED, INTRODUCTION, body, title


def over_columns() -> Paper:
    """An abstract that ends at the top of the second column, a footnote between."""
    paper = Paper()
    left, right = paper.columns(title(paper).y, 560)
    left.line("Abstract", INTRODUCTION).skip(2)
    right.rest(left.text(DIVIDED, ROMAN), ROMAN)
    paper.column(54, 297, 100).text("* On leave from the University of Elsewhere, in winter.", Style("Times-Roman", 8))
    right.bottom = 60
    body(right)
    return paper


def over_pages() -> Paper:
    """An abstract that ends on the next page, with page numbers and running headers between."""
    paper = Paper()
    column = title(paper, 300)
    column.line("Abstract", INTRODUCTION)
    column.bottom = 120
    rest = column.text(DIVIDED, ROMAN)
    paper.column(300, 320, 40).line("1", ROMAN)
    paper.page()
    paper.column(54, 558, 760).line("Cole and Dorn: Gamma rays", SMALL)
    body(paper.column(54, 558).rest(rest, ROMAN))
    return paper


def drawn_by_rows() -> Paper:
    """Two columns, written into the file a line of the left one, a line of the right one, and so on."""
    paper = linguistics()
    return paper.page(by_row=True)


def sideways() -> Paper:
    """A page that is stored lying on its side and turned upright to be shown."""
    paper = Paper()
    paper.canvas.setPageRotation(90)
    paper.canvas.rotate(90)
    paper.canvas.translate(0, -612)
    return _onto(paper, article)


def _onto(paper: Paper, layout: Callable[[], Paper]) -> Paper:
    paper.strokes = layout().strokes
    return paper


def stamped() -> Paper:
    """A stamp in large grey letters across the page, over the abstract."""
    paper = article()
    paper.canvas.saveState()
    paper.canvas.translate(60, 500)
    paper.canvas.rotate(40)
    paper.canvas.setFont("Helvetica", 30)
    paper.canvas.drawString(0, 0, "Draft, not to be cited. Do not distribute.")
    paper.canvas.restoreState()
    return paper


def slanted() -> Paper:
    """All of the text in a font that is made slanted by its matrix, which is no line that rises."""
    paper = Paper()
    paper.canvas.transform(1, 0, 0.25, 1, 0, 0)
    return _onto(paper, article)


def typewriter() -> Paper:
    """A line that an address in smaller letters of a typewriter fills for the most part."""
    return _interrupted(
        "we now see", "code/of/the/whole/analysis/and/of/its/data/file", Style("Courier", 8), in_line=True
    )


def formula() -> Paper:
    """A formula on a separate line within a sentence of the abstract."""
    return _interrupted("where", "E(k) = 2 k + 3 m (1)", Style("Times-Italic"), in_line=False)


def _interrupted(word: str, what: str, style: Style, in_line: bool) -> Paper:
    paper = Paper()
    column = title(paper).line("Abstract", INTRODUCTION).skip(2)
    first, second = DIVIDED[: DIVIDED.index("We show")], DIVIDED[DIVIDED.index("We show") :]
    column.text(f"{first.strip()} This is by the rule that all follow, and for which", ROMAN)
    if not in_line:
        column.skip(9)
    paper.write(f"{word} ", ROMAN, 54, column.y) if in_line else None
    paper.write(what, style, 54 + ROMAN.width(f"{word} ") if in_line else 200, column.y)
    column.skip(12 if in_line else 21)
    column.text(f"we have good reasons. {second}", ROMAN)
    body(column)
    return paper


INTERRUPTED = {
    "typewriter": (
        typewriter,
        "for which we now see code/of/the/whole/analysis/and/of/its/data/file we have good reasons.",
    ),
    "formula": (formula, "for which E(k) = 2 k + 3 m (1) we have good reasons."),
}


def under_contents() -> Paper:
    """A table of contents over the abstract, on the same page."""
    paper = Paper()
    column = title(paper).line("Contents", INTRODUCTION)
    for number, name in enumerate(("Gamma rays", "How they are seen", "What the data say", "Dark matter"), 1):
        column.line(f"{number} {name} . . . . . . . . . . . . . {2 * number}", ROMAN)
    column.skip(20).line("Abstract", INTRODUCTION).skip(2).text(DIVIDED, ROMAN)
    body(column)
    return paper


def thesis_page() -> Paper:
    """A thesis: the title, the author and the degree centred between "ABSTRACT" and its text, then thanks."""
    paper = Paper()
    column = paper.column(90, 540).centred("ABSTRACT", ROMAN).skip(14)
    for line in ("A SPECTRUM OF GAMMA RAYS", "BY", "Ada B. Cole, B.A.", "Doctor of Philosophy"):
        column.centred(line, ROMAN).skip(14)
    column.text(DIVIDED.removesuffix("."), ROMAN)
    paper.page()
    paper.column(90, 540).centred("ACKNOWLEDGEMENTS", ROMAN).skip(14).text("I thank all who were there. " * 9, ROMAN)
    return paper


def spoken_of() -> Paper:
    """No heading, and a sentence one of whose lines begins with "abstract", as the name of a command."""
    paper = Paper()
    inner = paper.column(100, 512, title(paper).y)
    inner.text(DIVIDED, SMALL)
    column = paper.column(54, 558, inner.y - 20)
    column.text("These are the commands that are of use to all who write such papers, and among them is the", ROMAN)
    column.text(f"environment, by which the text is set. {BODY}", ROMAN, lead=("abstract", Style("Courier")))
    column.text("summary. " + BODY, ROMAN)
    return paper


AWKWARD = {
    each.__name__: each
    for each in (over_columns, over_pages, drawn_by_rows, sideways, stamped, slanted, under_contents, spoken_of)
}
