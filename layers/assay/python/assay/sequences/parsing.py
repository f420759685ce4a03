"""From bytes in any format to blocks of encoded sequences and rejects."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from assay.sequences.alignments import parse_alignment
from assay.sequences.blocks import Block
from assay.sequences.contract import DEFAULT, Contract, Windows
from assay.sequences.csv_table import parse_table
from assay.sequences.fasta import parse_fasta, require_windows_fit
from assay.sequences.flatfiles import FLAT, as_fasta
from assay.sequences.formats import Format
from assay.sequences.json_items import SEQUENCE, ItemFields, fields_of, parse_document, parse_json_lines
from assay.sequences.plain_lines import parse_lines
from assay.sequences.wrapped_lines import parse_wrapped
from assay.text.json_values import split_head
from assay.text.lines import frames
from assay.text.records import LIMITS, Limits

_BY_LINES: Final = {
    Format.STOCKHOLM: parse_alignment,
    Format.CLUSTAL: parse_alignment,
    Format.WRAPPED: parse_wrapped,
}
"""Readers that want nothing but blocks of lines; a sequence a line is the rest."""


def parse(
    chunks: Iterable[bytes],
    fmt: Format,
    contract: Contract = DEFAULT,
    *,
    column: str | None = None,
    first_line: int = 1,
    windows: Windows | None = None,
    columns: tuple[str, ...] | None = None,
    begins: bool = True,
    ends: bool = True,
    limits: Limits = LIMITS,
) -> Iterator[Block]:
    """Yield blocks of encoded sequences and rejects, in input order and constant memory.

    `columns` names the fields that JSON lines carry, where that was found out before; else the first records say.
    Only input that `begins` (at line 1) has a byte order mark to drop; of one that does not end here, `OpenRow` is
    raised where a CSV's row goes on. Raises `UnreadableInput` for a CSV without its column of sequences; whatever
    else is wrong is a reject. Raises `InvalidOption` for windows of another length than the contract's, or along
    anything but FASTA.
    """
    flat, fmt = fmt, Format.FASTA if fmt in FLAT else fmt
    if windows:
        require_windows_fit(windows, fmt, contract)
    limits = _by_format(limits, fmt)
    if fmt is Format.JSON:
        return parse_document(chunks, contract, limits, column)
    if fmt is Format.JSONL and columns is None:
        columns, chunks = _carry(chunks, column, limits)
    framed = frames(chunks, limits, bom=begins and first_line == 1)
    framed = as_fasta(framed, flat) if flat in FLAT else framed
    if fmt is Format.CSV:
        return parse_table(framed, contract, limits, first_line, column, ends=ends)
    if fmt is Format.JSONL:
        return parse_json_lines(framed, contract, limits, first_line, ItemFields(column or SEQUENCE, columns or ()))
    if fmt is Format.FASTA:
        return parse_fasta(framed, contract, limits, first_line, windows)
    return _BY_LINES.get(fmt, parse_lines)(framed, contract, limits, first_line)


def _by_format(limits: Limits, fmt: Format) -> Limits:
    """Return the limits for a format: a CSV's cells are Python objects, so that smaller blocks hold as much."""
    return replace(limits, block_bytes=min(limits.block_bytes, 1 << 18)) if fmt is Format.CSV else limits


def _carry(chunks: Iterable[bytes], column: str | None, limits: Limits) -> tuple[tuple[str, ...], Iterable[bytes]]:
    """Return the fields that JSON lines carry, by their first records, and the same chunks."""
    head, chunks = split_head(chunks)
    return fields_of(head, column, limits), chunks
