"""The format of an input: by its content type, else its file name, else its first bytes."""

import re
from enum import StrEnum
from typing import Final

from assay.errors import InvalidOption
from assay.text.delimiters import is_table
from assay.text.json_values import is_lines, looks_like_json
from assay.text.lines import BOM
from assay.text.packing import HEAD, FileSignature, recognise, unreadable


class Format(StrEnum):
    """The text formats that `parse` reads."""

    LINES = "lines"
    FASTA = "fasta"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    FASTQ = "fastq"
    EMBL = "embl"
    GENBANK = "genbank"
    STOCKHOLM = "stockholm"
    CLUSTAL = "clustal"
    WRAPPED = "wrapped"


LISTS: Final = ("sequences",)
"""Names under which a JSON document has its list of sequences."""
JSON_TYPES: Final = frozenset(
    f"{kind}/{name}"
    for kind in ("application", "text")
    for name in ("json", "x-ndjson", "ndjson", "jsonl", "x-jsonlines", "jsonlines", "json-lines")
)
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
    "application/tab-separated-values": Format.CSV,
    "text/tsv": Format.CSV,
    "text/x-tsv": Format.CSV,
    "application/vnd.ms-excel": Format.CSV,  # what browsers on Windows say of .csv
}
_WITH_COLUMNS: Final = frozenset((Format.CSV, Format.JSON, Format.JSONL))
_READ: Final = frozenset(("fastq", "embl", "genbank", "stockholm", "clustal"))
"""What is recognised by how it begins, and read."""
JSON_SUFFIXES: Final = ("json", "jsonl", "ndjson")
_SUFFIXES: Final = {
    **dict.fromkeys(("fasta", "fa", "faa", "fas", "fsa", "mpfa", "pep", "pir", "a2m", "a3m", "afa"), Format.FASTA),
    **dict.fromkeys(("csv", "tsv"), Format.CSV),
}


_COMMENTS: Final = re.compile(rb"\A(?:[;#][^\r\n]*\s*)*")
"""Lines before the first record of FASTA that are none; A3M has one."""


def sniff_format(head: bytes, content_type: str = "", filename: str = "", column: str | None = None) -> Format:
    """Return the format of input that begins with `head`, unpacked: `HEAD` bytes of it, or all there are.

    Where a `column` is asked for, what would be lines is a CSV; else they may be parts of sequences. Raises
    `UnreadableInput` for a foreign kind of file, whatever its type and name say; `InvalidOption` for a column of what
    has none.
    """
    found = _judge(head, content_type, filename)
    if column is None and found is Format.LINES:
        from assay.sequences.wrapped_lines import is_wrapped  # what JSON and abstracts do without

        if is_wrapped(head):
            return Format.WRAPPED
    if column is None or found in _WITH_COLUMNS:
        return found
    if found is not Format.LINES:
        message = f"column is for CSV and JSON, but this is read as {found.value}: leave column out"
        raise InvalidOption(message, option="column", format=found.value)
    return Format.CSV


def _judge(head: bytes, content_type: str, filename: str) -> Format:
    """Go by what is recognised, else the type, else the name, else the first bytes."""
    kind, suffix = content_type.partition(";")[0].strip().lower(), _suffix(filename)
    found = recognise(head)
    if found is not None:
        return _require_read(found)
    if kind in JSON_TYPES or kind.endswith("+json") or suffix in JSON_SUFFIXES:
        return _json(head)
    return TYPES.get(kind) or _SUFFIXES.get(suffix) or _by_content(head)


def _require_read(found: FileSignature) -> Format:
    """Return the format of a kind of file that is recognised. Raises UnreadableInput where it is not supported here."""
    if found.name in _READ:
        return Format(found.name)
    raise unreadable(found)


def _suffix(filename: str) -> str:
    """Return a name's suffix, without `.gz`."""
    return filename.strip().lower().removesuffix(".gz").rpartition(".")[2]


def _json(head: bytes) -> Format:
    """Return which JSON this is: one document, or a value a line."""
    return Format.JSONL if is_lines(head, LISTS) else Format.JSON


def _by_content(head: bytes) -> Format:
    """FASTA begins with '>' or comments, JSON with a bracket; a table's first line names its sequences or has one."""
    text = head[:HEAD].removeprefix(BOM).lstrip()
    if _COMMENTS.sub(b"", text, count=1).startswith(b">"):
        return Format.FASTA
    if looks_like_json(text):
        return _json(head)
    first = re.split(rb"[\r\n]", text, maxsplit=1)[0]
    return Format.CSV if is_table(first) else Format.LINES
