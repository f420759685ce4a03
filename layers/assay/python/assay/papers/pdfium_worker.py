"""A PDF's first pages as words, read by PDFium. Run as a program, in a child process (`assay.papers.pdf`).

PDFium parses what strangers wrote, in C++: so this process holds no credentials, has little memory and little time, and
may write no file. It reads the PDF from its input and writes one JSON object to its output.
"""

import ctypes
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # isolated: PYTHONPATH is not read

from assay.abstracts.cleaning import SHORTEST
from assay.papers.abstract import SURE, Candidate, find_abstract
from assay.papers.words import Word

PAGES: Final = (3, 8)
"""Pages read at first, and if they lack the heading of an abstract."""
CPU_SECONDS: Final = 10
MEMORY: Final = 640 << 20
_MOST_CHARACTERS: Final = 30_000
_MOST_WORDS: Final = 20_000
"""After so many words no further page is read: eight pages of prose have 6,000."""
_INVISIBLE: Final = 3
"""PDF's text rendering mode that draws nothing: a scan's text lies under its picture so."""
_SEEN: Final = 1_000
"""Letters that are seen on a page from which it is no scan."""
_NEEDS_PASSWORD: Final = 4
_HYPHEN: Final = 2
_LIGATURES: Final = {
    11: "ff", 12: "fi", 13: "fl", 14: "ffi", 15: "ffl", 16: "\u201c", 17: "\u201d", 21: "\u2013", 22: "\u2014",
    27: "ff", 28: "fi", 29: "fl", 30: "ffi", 31: "ffl",
}  # fmt: skip
"""Codes of TeX's encodings OT1 and T1, where a file does not say what its letters are."""
_OBLIQUE: Final = 4
"""Stands where quarter turns do, for what is written across the page, as a stamp "DRAFT" is."""
_TILT: Final = 0.2
"""The steepest slope of a line, rise over run: scans lie askew by a few degrees."""
_BOLD: Final = ("bold", "black", "heavy", "-medi", "cmbx", "demi")


class _Page:
    """The characters of one page, each known by its position in the page's content."""

    def __init__(self, pdfium: Any, page: Any) -> None:
        self._c = pdfium
        self._text = pdfium.FPDFText_LoadPage(page)
        self._numbers = [ctypes.c_double() for _ in range(4)]
        self._matrix = pdfium.FS_MATRIX()
        self._name = ctypes.create_string_buffer(96)
        self._flags = ctypes.c_int()
        self._colours = [ctypes.c_uint() for _ in range(4)]
        self._upwards = True

    def words(self) -> list[Word]:
        """Return the words in the main direction, without stamps in the margin or across the page."""
        found = [self._word(each) for each in self._drop_unseen(list(self._runs()))]
        most = Counter(turn for turn, word in found for _ in word.text).most_common(1)
        upright = [word for turn, word in found if turn == most[0][0]]
        scale = self._scale(upright)
        return upright if scale == 1 else [replace(word, size=word.size * scale) for word in upright]

    def _drop_unseen(self, runs: list[list[int]]) -> list[list[int]]:
        """Return the words that are seen; where few are, as on a scan with a stamp, the unseen ones too."""
        unseen = [run for run in runs if self._is_invisible(run[0])]
        if not unseen:
            return runs
        hidden = sum(map(len, unseen))
        if sum(map(len, runs)) - hidden < min(hidden / 2, _SEEN):
            return runs
        gone = {run[0] for run in unseen}
        return [run for run in runs if run[0] not in gone]

    def _is_invisible(self, at: int) -> bool:
        drawn = self._c.FPDFText_GetTextObject(self._text, at)
        if drawn and self._c.FPDFTextObj_GetTextRenderMode(drawn) == _INVISIBLE:
            return True
        red, green, blue, alpha = self._colours
        return bool(self._c.FPDFText_GetFillColor(self._text, at, red, green, blue, alpha) and alpha.value == 0)

    def _scale(self, words: list[Word]) -> float:
        """Return the factor for font sizes: 1 unless a page has a scale that its fonts do not state."""
        widths = sorted((word.x1 - word.x0) / len(word.text) / word.size for word in words if word.size > 0)
        usual = 2 * widths[len(widths) // 2] if widths else 1.0  # a letter is about half as wide as its font is high
        return 1.0 if 0.25 < usual < 4 else usual

    def close(self) -> None:
        """Give the page's memory back."""
        self._c.FPDFText_ClosePage(self._text)

    def _runs(self) -> Iterator[list[int]]:
        """Yield the positions of the characters of each word."""
        run: list[int] = []
        for at in range(min(self._c.FPDFText_CountChars(self._text), _MOST_CHARACTERS)):
            blank = self._character(at).isspace()
            if not blank:
                run.append(at)
            if run and (blank or self._divides(at)):
                yield run
                run = []
        if run:
            yield run

    def _character(self, at: int) -> str:
        code = self._c.FPDFText_GetUnicode(self._text, at)
        if self._divides(at):
            return "-"
        # Ligatures in the fonts of TeX look like white space; what PDFium puts between words is generated.
        if code in _LIGATURES and not self._c.FPDFText_IsGenerated(self._text, at):
            return _LIGATURES[code]
        return chr(code) if 0 < code < 0x110000 else "\ufffd"

    def _divides(self, at: int) -> bool:
        """Say whether a character is what PDFium makes of a hyphen at a line's end."""
        code = self._c.FPDFText_GetUnicode(self._text, at)
        return bool(code == _HYPHEN and self._c.FPDFText_IsHyphen(self._text, at) == 1)

    def _word(self, run: list[int]) -> tuple[int, Word]:
        """Return on how many quarter turns, to the left, a word stands (or that it is oblique), and it upright."""
        text = _whole("".join(self._character(at) for at in run))
        x0, y0 = self._origin(run[0])
        left, right, bottom, top = self._box(run[-1])
        ends = {0: (x0, right, y0), 1: (y0, top, -x0), 2: (-x0, -left, -y0), 3: (-y0, -bottom, x0)}
        self._c.FPDFText_GetMatrix(self._text, run[0], self._matrix)
        turn = self._turn(run)
        start, end, baseline = ends[turn % _OBLIQUE]
        size, font, weight = self._font(run[0])
        return turn, Word(text, start, max(end, start), baseline, size, font, weight)

    def _turn(self, run: list[int]) -> int:
        # The angle alone tells no stamp from a slanted font: only a line that rises has both of these.
        along, up = abs(self._matrix.a), abs(self._matrix.b)
        if min(along, up) > _TILT * max(along, up):
            return _OBLIQUE
        turn = round(self._c.FPDFText_GetCharAngle(self._text, run[0]) / (math.pi / 2)) % 4
        if turn % 2 and len(run) > 1:  # the angle's sign is that of the matrix, which mirrored pages turn around
            self._upwards = self._origin(run[-1])[1] > self._origin(run[0])[1]
        return (1 if self._upwards else 3) if turn % 2 else turn

    def _origin(self, at: int) -> tuple[float, float]:
        x, y, *_ = self._numbers
        self._c.FPDFText_GetCharOrigin(self._text, at, x, y)
        return x.value, y.value

    def _box(self, at: int) -> tuple[float, float, float, float]:
        self._c.FPDFText_GetCharBox(self._text, at, *self._numbers)
        left, right, bottom, top = (number.value for number in self._numbers)
        return left, right, bottom, top

    def _font(self, at: int) -> tuple[float, str, bool]:
        """Return a character's size in points, and its font's name and whether that is a bold one.

        Its matrix is the one that was asked for last.
        """
        size = self._c.FPDFText_GetFontSize(self._text, at) * math.hypot(self._matrix.c, self._matrix.d)
        self._c.FPDFText_GetFontInfo(self._text, at, self._name, len(self._name), self._flags)
        name = self._name.value.decode("utf-8", "replace")
        return size, name, any(part in name.lower() for part in _BOLD)


def _whole(text: str) -> str:
    """Return text with the two halves of a letter beyond 16 bits put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def read_pages(body: bytes) -> dict[str, object]:
    """Return the `candidates` of a PDF, likeliest first, and its `pages`, or `error`: broken, encrypted, no_text."""
    import pypdfium2.raw as pdfium

    pdfium.FPDF_InitLibrary()
    document = pdfium.FPDF_LoadMemDocument64(body, len(body), None)
    if not document:
        return {"error": "encrypted" if pdfium.FPDF_GetLastError() == _NEEDS_PASSWORD else "broken"}
    pages = pdfium.FPDF_GetPageCount(document)
    if pages < 1:
        return {"error": "broken"}
    found = _find(pdfium, document, pages)
    return {"candidates": [asdict(each) for each in found], "pages": pages} if found else {"error": "no_text"}


def _find(pdfium: Any, document: Any, pages: int) -> list[Candidate]:
    words: list[list[Word]] = []
    found: list[Candidate] = []
    for limit in PAGES:
        for number in range(len(words), min(pages, limit)):
            crowded = sum(map(len, words)) > _MOST_WORDS
            words.append([] if crowded else _words(pdfium, document, number))
        letters = sum(character.isalpha() for page in words for word in page for character in word.text)
        found = find_abstract(words, pages) if letters >= SHORTEST else []
        if len(words) == pages or (found and found[0].confidence >= SURE):
            break
    return found


def _words(pdfium: Any, document: Any, number: int) -> list[Word]:
    page = pdfium.FPDF_LoadPage(document, number)
    if not page:
        return []
    reader = _Page(pdfium, page)
    words = reader.words()
    reader.close()
    pdfium.FPDF_ClosePage(page)
    return words


def _bind() -> None:
    """Take from this process what reading needs not."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _bind()
    print(json.dumps(read_pages(sys.stdin.buffer.read())))
