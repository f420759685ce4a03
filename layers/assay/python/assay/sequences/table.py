"""CSV: a header row, a column of sequences, perhaps one of ids, and the others carried along."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from assay.errors import UnreadableInput
from assay.sequences.alphabet import Contract
from assay.sequences.framing import Frame
from assay.sequences.records import Block, Limits
from assay.sequences.remarks import Notice, notice
from assay.sequences.rows import Batch, Spanned, rows
from assay.sequences.validation import check_texts

SEQUENCE: Final = "sequence"
IDENTIFIER: Final = "id"
QUOTED_LINES: Final = "quoted_lines"
_QUOTED: Final = (
    "lines that look like rows lie within the quotes of another row's cell, and were read as part of that cell: "
    "if that is not meant, a quote is missing or one too many above them"
)
_ESCAPE: Final = "surrogateescape"


class Header(NamedTuple):
    """Which column is what; `others` are carried under the names `columns`."""

    sequence: int
    identifier: int | None
    others: tuple[int, ...]
    columns: tuple[str, ...]


def parse_table(
    framed: Iterable[Frame], contract: Contract, limits: Limits, line: int, column: str | None, *, ends: bool = True
) -> Iterator[Block]:
    """Yield a block for each stretch of rows; a row's line is its first.

    Raises `UnreadableInput`, listing the columns, where none is named `column` ("sequence" when not given); `OpenRow`
    where the last row goes on behind input that does not end here.
    """
    header: Header | None = None
    for batch in rows(framed, limits, line, ends=ends):
        if header is None:
            at = first_row(batch)
            if at is None:
                continue
            header = _header(batch.cells[at], column or SEQUENCE)
            batch = batch._replace(lines=batch.lines[at + 1 :], cells=batch.cells[at + 1 :])
        yield _block(batch, header, contract, limits)


def first_row(batch: Batch) -> int | None:
    """Return where the first row is that is no blank line, None where there is none. Raises `UnreadableInput`."""
    at = next((index for index, cells in enumerate(batch.cells) if cells), None)
    if batch.rejects and (at is None or batch.rejects[0].line < batch.lines[at]):
        raise UnreadableInput(f"the CSV's header row cannot be read: {batch.rejects[0].detail}")
    return at


def _header(cells: Sequence[str], wanted: str) -> Header:
    """Find the columns."""
    names = [_readable(name).strip() for name in cells]
    sequence = place(names, wanted)
    if sequence is None:
        listed = ", ".join(name[:100] for name in names[:50])
        raise UnreadableInput(f"the CSV has no column {wanted!r}; it has: {listed}", columns=names[:50])
    identifier = place(names, IDENTIFIER)
    others = tuple(index for index in range(len(names)) if index not in (sequence, identifier))
    return Header(sequence, identifier, others, tuple(names[index] for index in others))


def place(names: Sequence[str], wanted: str) -> int | None:
    """Return where a column is, None where it is not; an exact name goes before one in other letters' case."""
    if wanted in names:
        return names.index(wanted)
    folded = [name.casefold() for name in names]
    return folded.index(wanted.casefold()) if wanted.casefold() in folded else None


def _block(batch: Batch, header: Header, contract: Contract, limits: Limits) -> Block:
    """Encode the rows' sequences; carry the other cells of those that hold the contract."""
    lines = np.array(batch.lines, np.int64)
    found = check_texts(_column(batch.cells, header.sequence), lines, contract, limits, _ESCAPE)
    rejects = sorted([*found.rejects, *batch.rejects]) if batch.rejects else found.rejects
    kept = batch.cells if len(found.kept) == len(lines) else [batch.cells[index] for index in found.kept.tolist()]
    ids = None if header.identifier is None else _readable_column(kept, header.identifier)
    others = [_readable_column(kept, at) for at in header.others]
    extra = list(zip(*others, strict=True)) if others else None
    notices = _quoted(batch.spanned, header, contract, limits)
    return Block(found.codes, lines[found.kept], ids, extra, rejects, header.columns, contract, notices)


def _quoted(spanned: Sequence[Spanned], header: Header, contract: Contract, limits: Limits) -> list[Notice]:
    """Notice lines that lie in another row's cell and look like rows: as many cells, a sequence that would do."""
    width = len(header.others) + 1 + (header.identifier is not None)
    whole = [each for each in spanned if len(each.cells) == width]
    lines = np.array([each.line for each in whole], np.int64)
    found = check_texts([each.cells[header.sequence] for each in whole], lines, contract, limits, _ESCAPE)
    return quoted_lines(lines[found.kept].tolist())


def quoted_lines(lines: Iterable[int]) -> list[Notice]:
    """Return the notice of lines that look like rows and were read as part of a cell, none where there are none."""
    found = notice(QUOTED_LINES, _QUOTED, lines)
    return [found] if found.count else []


def _column(read: Sequence[list[str]], at: int) -> list[str]:
    """Return one cell of each row; a row too short for it has an empty one."""
    return [cells[at] if at < len(cells) else "" for cells in read]


def _readable_column(read: Sequence[list[str]], at: int) -> list[str]:
    cells = _column(read, at)
    return cells if "".join(cells).isascii() else [_readable(cell) for cell in cells]


def _readable(cell: str) -> str:
    """Replace what was not UTF-8, so that the text can be written again."""
    return cell if cell.isascii() else cell.encode("utf-8", _ESCAPE).decode("utf-8", "replace")
