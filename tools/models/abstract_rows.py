"""Texts of a user's file of abstracts, cleaned as the service cleans them."""

from pathlib import Path
from typing import Final

from assay.abstracts.abstract_records import AbstractRecord, Layout, read_records
from assay.abstracts.cleaning import prepare
from assay.errors import InvalidAbstract, UnreadableInput
from assay.jobs.classify_files import sniff_layout
from assay.text.packing import HEAD
from assay.text.records import Reject
from tools.models.sequence_rows import read_unpacked

_PIECE: Final = 1 << 20


def read_abstracts(path: Path, column: str | None = None) -> tuple[list[str], int]:
    """Return the distinct texts that the service would classify, cleaned, in order, and how many records are none.

    Raises UnreadableInput.
    """
    content = read_unpacked(path)
    layout = sniff_layout(content[:HEAD], path.name.removesuffix(".gz"), column)
    if layout is Layout.PDF:
        raise UnreadableInput(f"{path} is a PDF: send a file of many abstracts")
    pieces = (content[at : at + _PIECE] for at in range(0, len(content), _PIECE))
    found: dict[str, None] = {}
    left_out = 0
    for record in read_records(pieces, layout, column):
        if isinstance(record, AbstractRecord) and (text := _clean(record.text)):
            found[text] = None
        elif isinstance(record, AbstractRecord | Reject):
            left_out += 1
    return list(found), left_out


def _clean(text: object) -> str:
    try:
        return prepare(text)
    except InvalidAbstract:
        return ""
