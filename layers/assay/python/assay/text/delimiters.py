"""A table's separator, and its column of sequences, by its first line."""

import csv
import re
from collections.abc import Callable, Sequence
from typing import Final

SEQUENCE: Final = "sequence"
NAMES: Final = (
    SEQUENCE,
    "sequences",
    "seq",
    "proteinsequence",
    "proteinseq",
    "aasequence",
    "aaseq",
    "aminoacidsequence",
    "aminoacidseq",
    "peptidesequence",
    "peptideseq",
    "aminoacids",
    "aa",
)
"""Names of a column of sequences, the likeliest first, without what separates their words."""
MARKS: Final = "\t;,"
_SEPARATORS: Final = re.compile(r"[\s_.()-]+")
_NAMED: Final = re.compile(r'"?sep=(.)"?[ \t;,]*', re.IGNORECASE)
_RESIDUES: Final = re.compile(r"[ACDEFGHIKLMNPQRSTVWY]{20,}\*?", re.IGNORECASE)
_RUN: Final = re.compile(r"(?<![^\s>])[ACDEFGHIKLMNPQRSTVWY]{20,}", re.IGNORECASE)
Wanted = Callable[[Sequence[str]], bool]


def find_column(names: Sequence[str], wanted: str) -> int | None:
    """Return the index of a column, or None; an exact name wins over one in another case."""
    if wanted in names:
        return names.index(wanted)
    folded = [name.casefold() for name in names]
    return folded.index(wanted.casefold()) if wanted.casefold() in folded else None


def find_sequence(names: Sequence[str], column: str | None = None) -> int | None:
    """Return which column holds the sequences: that named `column`, else the likeliest by its name, None for none."""
    if column:
        return find_column(names, column)
    exact = find_column(names, SEQUENCE)
    if exact is not None or len(names) < 2:  # one word by itself may be residues, and so might `seq` or `aa`
        return exact
    plain = [_SEPARATORS.sub("", name.casefold()) for name in names]
    return next((plain.index(name) for name in NAMES if name in plain), None)


def find_residues(cells: Sequence[str]) -> int | None:
    """Return which cell of a row is a sequence, None unless just one of several is: then there is no header."""
    found = [at for at, cell in enumerate(cells) if _RESIDUES.fullmatch(cell.strip())]
    return found[0] if len(found) == 1 and len(cells) > 1 else None


def has_residues(text: str) -> bool:
    """Say whether a text contains a sequence."""
    return _RUN.search(text) is not None


def named_delimiter(line: str) -> str:
    """Return the mark that a first line `sep=;` names, as spreadsheets write and obey it; empty for another line."""
    found = _NAMED.fullmatch(line)
    return found[1] if found else ""


def choose_delimiter(header: str, wanted: Wanted) -> str:
    """Return the mark by which a cell of the header is the column that is wanted, whatever else its cells hold.

    A tab goes before the others, for it stands in no name; of the others that which makes more cells. Where no mark
    will do, the one that makes most cells.
    """
    split = {mark: _cells(header, mark) for mark in MARKS}
    good = {mark: cells for mark, cells in split.items() if wanted([cell.strip() for cell in cells])}
    if len(good.get("\t", ())) > 1:
        return "\t"
    return max(reversed(good), key=lambda mark: len(good[mark])) if good else max(reversed(MARKS), key=header.count)


def is_table(line: bytes) -> bool:
    """Say whether a first line is that of a table: it names its separator or a column of sequences, or is a row."""
    text = line.decode("utf-8", "replace")
    if named_delimiter(text):
        return True

    def is_header(cells: Sequence[str]) -> bool:
        return find_sequence(cells) is not None or find_residues(cells) is not None

    return any(is_header([cell.strip() for cell in _cells(text, mark)]) for mark in MARKS)


def _cells(line: str, mark: str) -> list[str]:
    """Return the cells of a line, or none if its quotes are wrong."""
    try:
        return next(csv.reader([line], delimiter=mark, strict=True), [])
    except csv.Error:
        return []
