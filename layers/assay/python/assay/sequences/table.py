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
    framed: Iterable[Frame], contract: Contract, limits: Limits, line: int, column: str | None
) -> Iterator[Block]:
    """Yield a block for each stretch of rows; a row's line is its first.

    Raises `UnreadableInput`, listing the columns, where none is named `column` ("sequence" when not given).
    """
    header: Header | None = None
    for batch in rows(framed, limits, line):
        if header is None:
            batch = batch[_blank(batch) :]
            if not batch:
                continue
            header, batch = _header(batch[0], column or SEQUENCE), batch[1:]
        for first in range(0, len(batch), limits.block_records):
            yield _block(batch[first : first + limits.block_records], header, contract, limits)
    if header is None:
        raise UnreadableInput("the CSV has no header row")


def _blank(batch: Sequence[Row]) -> int:
    """Return how many blank lines come first."""
    return next((index for index, row in enumerate(batch) if row.cells != []), len(batch))


def _header(row: Row, wanted: str) -> Header:
    """Find the columns; an exact name goes before one in other letters' case."""
    if row.cells is None:
        raise UnreadableInput("the CSV's header row is too long")
    names = [_readable(name).strip() for name in row.cells]
    sequence = _find(names, wanted)
    if sequence is None:
        listed = ", ".join(name[:100] for name in names[:50])
        raise UnreadableInput(f"the CSV has no column {wanted!r}; it has: {listed}", columns=names[:50])
    identifier = _find(names, IDENTIFIER)
    others = tuple(index for index in range(len(names)) if index not in (sequence, identifier))
    return Header(sequence, identifier, others, tuple(names[index] for index in others))


def _find(names: Sequence[str], wanted: str) -> int | None:
    if wanted in names:
        return names.index(wanted)
    folded = [name.casefold() for name in names]
    return folded.index(wanted.casefold()) if wanted.casefold() in folded else None


def _block(batch: Sequence[Row], header: Header, contract: Contract, limits: Limits) -> Block:
    """Encode the rows' sequences; carry the other cells of those that hold the contract."""
    read = [(row.line, row.cells) for row in batch if row.cells is not None]
    texts = [_cell(cells, header.sequence) for _, cells in read]
    lines = np.fromiter((line for line, _ in read), np.int64, len(read))
    found = check_texts(texts, lines, contract, limits, _ESCAPE)
    rejects = found.rejects
    if len(read) < len(batch):
        rejects = sorted([*rejects, *(too_long(row.line, limits) for row in batch if row.cells is None)])
    kept = [read[index][1] for index in found.kept.tolist()]
    ids = None if header.identifier is None else [_readable(_cell(cells, header.identifier)) for cells in kept]
    extra = [tuple(_readable(_cell(cells, at)) for at in header.others) for cells in kept] if header.others else None
    return Block(found.codes, lines[found.kept], ids, extra, rejects, header.columns, contract)


def _cell(cells: Sequence[str], index: int) -> str:
    """Return a cell; a row too short for it has an empty one."""
    return cells[index] if index < len(cells) else ""


def _readable(cell: str) -> str:
    """Replace what was not UTF-8, so that the text can be written again."""
    return cell if cell.isascii() else cell.encode("utf-8", _ESCAPE).decode("utf-8", "replace")
