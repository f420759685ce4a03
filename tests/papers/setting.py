"""Sets text as papers do: justified in columns, words divided where the text has soft hyphens."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = 612.0, 792.0
SOFT = "\u00ad"
for _name in ("Vera", "VeraBd"):
    pdfmetrics.registerFont(TTFont(_name, Path(reportlab.__file__).parent / "fonts" / f"{_name}.ttf"))


@dataclass(frozen=True, slots=True)
class Style:
    """A font, its size, the distance between baselines in sizes, and PDF's mode of drawing (3: invisible)."""

    font: str = "Times-Roman"
    size: float = 10
    leading: float = 1.2
    mode: int = 0

    def width(self, text: str) -> float:
        return float(pdfmetrics.stringWidth(text, self.font, self.size))


@dataclass(slots=True)
class Column:
    """A column of a page: its edges, and the baseline that comes next."""

    paper: "Paper"
    left: float
    right: float
    y: float
    bottom: float = 60

    def skip(self, points: float) -> "Column":
        self.y -= points
        return self

    def centred(self, text: str, style: Style) -> "Column":
        return self.line(text, style, (self.left + self.right - style.width(text)) / 2)

    def line(self, text: str, style: Style, x: float | None = None) -> "Column":
        self.paper.write(text, style, self.left if x is None else x, self.y)
        return self.skip(style.size * style.leading)

    def text(self, text: str, style: Style, indent: float = 0, lead: tuple[str, Style] | None = None) -> list[str]:
        """Set a justified paragraph, after a `lead` in another style; return the lines that no longer fit."""
        start = lead[1].width(lead[0] + " ") if lead else indent
        if lead:
            self.paper.write(lead[0], lead[1], self.left, self.y)
        lines = list(broken(text, style, self.right - self.left, start))
        for number, line in enumerate(lines):
            if self.y < self.bottom:
                return lines[number:]
            self._justified(line, style, start if number == 0 else 0, number == len(lines) - 1)
        return []

    def rest(self, lines: Sequence[str], style: Style) -> "Column":
        """Set lines that did not fit elsewhere."""
        for number, line in enumerate(lines):
            self._justified(line, style, 0, number == len(lines) - 1)
        return self

    def _justified(self, line: str, style: Style, indent: float, last: bool) -> None:
        free = self.right - self.left - indent - style.width(line)
        space = 0 if last or " " not in line else free / line.count(" ")
        self.paper.write(line, style, self.left + indent, self.y, space)
        self.y -= style.size * style.leading


def broken(text: str, style: Style, width: float, indent: float = 0) -> Iterator[str]:
    """Yield the lines of a paragraph; a word is divided at a soft hyphen where its first part still fits."""
    line, room = "", width - indent
    for word in text.split():
        parts = [*word.split(SOFT)]
        whole = "".join(parts)
        if style.width(f"{line} {whole}".strip()) <= room:
            line = f"{line} {whole}".strip()
            continue
        fits = [at for at in range(1, len(parts)) if style.width(f"{line} {''.join(parts[:at])}-".strip()) <= room]
        at = max(fits, default=0)
        yield f"{line} {''.join(parts[:at])}-".strip() if at else line
        line, room = "".join(parts[at:]), width
    yield line


@dataclass(slots=True)
class Paper:
    """A PDF in the making; what is drawn first stands first in the file."""

    body: io.BytesIO = field(default_factory=io.BytesIO)
    canvas: Canvas = None
    strokes: list[tuple[str, Style, float, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.canvas = Canvas(self.body, pagesize=(WIDTH, HEIGHT), invariant=True)

    def write(self, text: str, style: Style, x: float, y: float, space: float = 0) -> None:
        """Draw a line of text, each space so much wider."""
        self.strokes.append((text, style, x, y, space))

    def column(self, left: float, right: float, top: float = 700, bottom: float = 60) -> Column:
        return Column(self, left, right, top, bottom)

    def columns(self, top: float, bottom: float = 60) -> tuple[Column, Column]:
        """Return two columns with 18 points between them."""
        return self.column(54, 297, top, bottom), self.column(315, 558, top, bottom)

    def stamp(self, text: str) -> None:
        """Write up the left margin, as arXiv does."""
        self.canvas.saveState()
        self.canvas.rotate(90)
        self.canvas.setFont("Times-Roman", 20)
        self.canvas.drawString(200, -34, text)
        self.canvas.restoreState()

    def page(self, by_row: bool = False) -> "Paper":
        """End a page; `by_row` draws it from top to bottom across the columns."""
        for stroke in sorted(self.strokes, key=lambda each: (-each[3], each[2])) if by_row else self.strokes:
            self._draw(*stroke)
        self.strokes = []
        self.canvas.showPage()
        return self

    def _draw(self, text: str, style: Style, x: float, y: float, space: float) -> None:
        drawn = self.canvas.beginText(x, y)
        drawn.setFont(style.font, style.size)
        if style.font.startswith("Vera"):  # such fonts are written in two bytes a letter, where word spacing is void
            self._apart(text, style, x, y, space)
            return
        drawn.setWordSpace(space)
        drawn.setTextRenderMode(style.mode)
        drawn.textOut(text)
        self.canvas.drawText(drawn)

    def _apart(self, text: str, style: Style, x: float, y: float, space: float) -> None:
        self.canvas.setFont(style.font, style.size)
        for word in text.split(" "):
            self.canvas.drawString(x, y, word)
            x += style.width(word + " ") + space

    def pdf(self) -> bytes:
        """Return the file."""
        if self.strokes:
            self.page()
        self.canvas.save()
        return self.body.getvalue()


ROMAN = Style()
SMALL = replace(ROMAN, size=9)
BOLD = Style("Times-Bold")
ITALIC = Style("Times-Italic")
TITLE = Style("Times-Bold", 17, 1.3)
