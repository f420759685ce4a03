"""The abstract of a paper's PDF: the text after its heading on the first pages."""

import io
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from assay.abstracts.cleaning import clean
from assay.abstracts.prepare import LONGEST, SHORTEST
from assay.errors import UnreadableInput

if TYPE_CHECKING:
    from pypdf import PdfReader

PAGES: Final = 3
_MOST_CHARACTERS: Final = 60_000
_HEADING = re.compile(r"(?im)^[ \t]*(?:a\s?b\s?s\s?t\s?r\s?a\s?c\s?t|summary)\b[ \t]*[.:\u2014\u2013-]*[ \t]*")
_END = re.compile(
    r"(?im)^[ \t]*(?:(?:1|i)[ \t]*[.:]?[ \t]+introduction|introduction[ \t]*$|(?:key\s?-?words|index terms|pacs|"
    r"ccs concepts|categories and subject|contents)\b)"
)
_HYPHEN = re.compile(r"(?<=[a-z])-[ \t]*\n[ \t]*(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Extract:
    """What was taken from a PDF: `found` says whether a heading marked it or the first page had to do."""

    text: str
    found: Literal["heading", "first page"]
    page: int


def extract(body: bytes) -> Extract:
    """Return the abstract in a PDF; UnreadableInput where it is broken, encrypted or has no text (scanned)."""
    pages = _pages(body)
    for number, page in enumerate(pages, 1):
        heading = _HEADING.search(page)
        following = "\n".join(pages[number - 1 :])
        text = _until_end(following[heading.end() :]) if heading else ""
        if len(text) >= SHORTEST:
            return Extract(text, "heading", number)
    if not any(page.strip() for page in pages):
        raise UnreadableInput("the PDF has no text on its first pages; a scanned paper must be sent as text")
    return Extract(_until_end(pages[0]), "first page", 1)


def _until_end(text: str) -> str:
    """Return the text before the introduction or the keywords, words joined over line ends, at most the limit."""
    end = _END.search(text)
    joined = clean(_HYPHEN.sub("", text[: end.start()] if end else text))
    return joined if len(joined) <= LONGEST else joined[:LONGEST].rpartition(" ")[0]


def _pages(body: bytes) -> list[str]:
    try:
        reader = _reader(body)
        if reader.is_encrypted and not _opens(reader):
            raise UnreadableInput("the PDF is encrypted; send it without a password, or its abstract as text")
        return [page.extract_text()[:_MOST_CHARACTERS] for page in reader.pages[:PAGES]]
    except UnreadableInput:
        raise
    except Exception as error:  # a reader of broken files raises whatever its parsing met
        raise UnreadableInput(f"the PDF can't be read ({type(error).__name__})") from error


def _opens(reader: "PdfReader") -> bool:
    """Say whether the empty password opens it; AES needs a library that is left out, so counts as locked."""
    from pypdf.errors import DependencyError

    try:
        return bool(reader.decrypt(""))
    except DependencyError:
        return False


def _reader(body: bytes) -> "PdfReader":
    from pypdf import PdfReader  # 0.2 s that only a PDF needs

    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)  # its warnings quote the file, which no log may hold
    return PdfReader(io.BytesIO(body))
