"""Papers whose abstract goes on elsewhere, or whose file is not in the order that is read."""

from collections.abc import Callable

from tests.papers.layouts import article, linguistics
from tests.papers.setting import ROMAN, SMALL, Paper, Style
from tests.papers.texts import DIVIDED, INTRODUCTION, body, title


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


AWKWARD = {each.__name__: each for each in (over_columns, over_pages, drawn_by_rows, sideways)}
