"""CSV: a header row, a column of sequences, perhaps one of ids, and the others carried along."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from assay.errors import UnreadableInput
from assay.sequences.alphabet import Contract
from assay.sequences.framing import Frame
from assay.sequences.records import Block, Limits, too_long
from assay.sequences.rows import Row, rows
from assay.sequences.validation import check_texts

SEQUENCE: Final = "sequence"
IDENTIFIER: Final = "id"
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
    """Yield a block for each stretch of rows; a row's line is its first. Blank lines alone are no records.

    Raises `UnreadableInput`, listing the columns, where none is named `column` ("sequence" when not given); `OpenRow`
    where the last row goes on behind input that does not end here.
    """
    header: Header | None = None
    for batch in rows(framed, limits, line, ends=ends):
        if header is None:
            batch = batch[_blank(batch) :]
            if not batch:
                continue
            header, batch = _header(batch[0], column or SEQUENCE), batch[1:]
        for first in range(0, len(batch), limits.block_records):
            yield _block(batch[first : first + limits.block_records], header, contract, limits)


def _blank(batch: Sequence[Row]) -> int:
    """Return how many blank lines come first."""
    return next((index for index, row in enumerate(batch) if row.cells != []), len(batch))


def _header(row: Row, wanted: str) -> Header:
    """Find the columns."""
    if row.cells is None:
        raise UnreadableInput("the CSV's header row is too long")
    names = [_readable(name).strip() for name in row.cells]
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


def _block(batch: Sequence[Row], header: Header, contract: Contract, limits: Limits) -> Block:
    """Encode the rows' sequences; carry the other cells of those that hold the contract."""
    read = [cells for _, cells in batch if cells is not None]
    lines = np.array([line for line, cells in batch if cells is not None], np.int64)
    found = check_texts(_column(read, header.sequence), lines, contract, limits, _ESCAPE)
    rejects = found.rejects
    if len(read) < len(batch):
        rejects = sorted([*rejects, *(too_long(line, limits) for line, cells in batch if cells is None)])
    kept = [read[index] for index in found.kept.tolist()]
    ids = None if header.identifier is None else _readable_column(kept, header.identifier)
    others = [_readable_column(kept, at) for at in header.others]
    extra = list(zip(*others, strict=True)) if others else None
    return Block(found.codes, lines[found.kept], ids, extra, rejects, header.columns, contract)


def _column(read: Sequence[list[str]], at: int) -> list[str]:
    """Return one cell of each row; a row too short for it has an empty one."""
    return [cells[at] if at < len(cells) else "" for cells in read]


def _readable_column(read: Sequence[list[str]], at: int) -> list[str]:
    cells = _column(read, at)
    return cells if "".join(cells).isascii() else [_readable(cell) for cell in cells]


def _readable(cell: str) -> str:
    """Replace what was not UTF-8, so that the text can be written again."""
    return cell if cell.isascii() else cell.encode("utf-8", _ESCAPE).decode("utf-8", "replace")
