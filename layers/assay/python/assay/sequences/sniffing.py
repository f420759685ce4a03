"""What format some input is in: by its content type, else its file name, else its first bytes."""

import re
from enum import StrEnum
from typing import Final

from assay.sequences.framing import BOM


class Format(StrEnum):
    """The text formats that `parse` reads."""

    LINES = "lines"
    FASTA = "fasta"
    CSV = "csv"


# text/plain and application/octet-stream say nothing: browsers and S3 give them to any file.
TYPES: Final = {
    "text/x-fasta": Format.FASTA,
    "text/fasta": Format.FASTA,
    "application/x-fasta": Format.FASTA,
    "application/fasta": Format.FASTA,
    "chemical/x-fasta": Format.FASTA,
    "chemical/seq-aa-fasta": Format.FASTA,
    "text/csv": Format.CSV,
    "text/x-csv": Format.CSV,
    "application/csv": Format.CSV,
    "application/x-csv": Format.CSV,
    "text/comma-separated-values": Format.CSV,
    "text/tab-separated-values": Format.CSV,
}
_SUFFIXES: Final = {
    **dict.fromkeys(("fasta", "fa", "faa", "fas", "fsa", "mpfa", "pep", "pir"), Format.FASTA),
    **dict.fromkeys(("csv", "tsv"), Format.CSV),
}
_HEAD: Final = 1 << 16


def sniff(head: bytes, content_type: str = "", filename: str = "") -> Format:
    """Return the format of input that begins with `head` (unpacked; kilobytes are enough)."""
    declared = TYPES.get(content_type.partition(";")[0].strip().lower())
    return declared or _by_name(filename) or _by_content(head)


def _by_name(filename: str) -> Format | None:
    """Go by the suffix, that under `.gz` where there is one."""
    stem = filename.strip().lower().removesuffix(".gz")
    return _SUFFIXES.get(stem.rpartition(".")[2]) if "." in stem else None


def _by_content(head: bytes) -> Format:
    """FASTA begins with '>'; a CSV's first line names a column `sequence`."""
    text = head[:_HEAD].removeprefix(BOM).lstrip()
    if text.startswith(b">"):
        return Format.FASTA
    first = re.split(rb"[\r\n]", text, maxsplit=1)[0]
    cells = re.split(rb"[,\t;]", first)
    named = any(cell.strip(b' "').lower() == b"sequence" for cell in cells)
    return Format.CSV if named else Format.LINES
