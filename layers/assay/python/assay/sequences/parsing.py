"""From bytes in any format to blocks of encoded sequences and rejects.

A format's module is imported with its first input: a cold start answers a request of one format.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from assay.sequences.blocks import Block
from assay.sequences.contract import DEFAULT, Contract, Windows
from assay.sequences.flatfiles import FLAT, as_fasta
from assay.sequences.formats import Format
from assay.sequences.json_items import SEQUENCE, ItemFields, fields_of, parse_document, parse_json_lines
from assay.text.lines import Frame, frames
from assay.text.packing import split_head
from assay.text.records import LIMITS, Limits

_Read = Callable[[Iterable[Frame], Contract, Limits, int], Iterator[Block]]


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
        from assay.sequences.fasta import require_windows_fit

        require_windows_fit(windows, fmt, contract)
    limits = _by_format(limits, fmt)
    if fmt is Format.JSON:
        return parse_document(chunks, contract, limits, column)
    if fmt is Format.JSONL and columns is None:
        columns, chunks = _carry(chunks, column, limits)
    read = _find_reader(fmt, column, columns or (), windows, ends=ends)
    framed = frames(chunks, limits, bom=begins and first_line == 1)
    return read(as_fasta(framed, flat) if flat in FLAT else framed, contract, limits, first_line)


def _find_reader(
    fmt: Format, column: str | None, columns: tuple[str, ...], windows: Windows | None, *, ends: bool
) -> _Read:
    """Return the reader of a format that is read by blocks of lines; a sequence a line is the rest."""
    if fmt is Format.FASTA:
        from assay.sequences.fasta import parse_fasta

        return partial(parse_fasta, windows=windows)
    if fmt is Format.JSONL:
        return partial(parse_json_lines, fields=ItemFields(column or SEQUENCE, columns))
    if fmt is Format.CSV:
        from assay.sequences.csv_table import parse_table

        return partial(parse_table, column=column, ends=ends)
    if fmt in (Format.STOCKHOLM, Format.CLUSTAL):
        from assay.sequences.alignments import parse_alignment

        return parse_alignment
    if fmt is Format.WRAPPED:
        from assay.sequences.wrapped_lines import parse_wrapped

        return parse_wrapped
    from assay.sequences.plain_lines import parse_lines

    return parse_lines


def _by_format(limits: Limits, fmt: Format) -> Limits:
    """Return the limits for a format: a CSV's cells are Python objects, so that smaller blocks hold as much."""
    return replace(limits, block_bytes=min(limits.block_bytes, 1 << 18)) if fmt is Format.CSV else limits


def _carry(chunks: Iterable[bytes], column: str | None, limits: Limits) -> tuple[tuple[str, ...], Iterable[bytes]]:
    """Return the fields that JSON lines carry, by their first records, and the same chunks."""
    head, chunks = split_head(chunks)
    return fields_of(head, column, limits), chunks
