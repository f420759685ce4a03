"""A user's table of measured sequences, and the file of a bundle that is made of it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from assay.errors import UnreadableInput
from assay.models.measured_file import LONGEST_NAME
from assay.models.reference import MOST_MEASURED, MOST_VALUES
from assay.sequences.contract import Contract
from assay.sequences.measured import MeasuredSequences
from tools.models.sequence_rows import Codes, Row, read_valid_rows

_MISSING: Final = frozenset({"", "na", "n/a", "nan", "none", "null", "-"})
_LARGEST: Final = float(np.finfo(np.float32).max)
_NAMES: Final = ("id", "name")


@dataclass(frozen=True, slots=True)
class MeasuredTableFile:
    """What a table held: its sequences as the bundle has them, how many rows are left out, which columns are not."""

    known: MeasuredSequences
    source: str
    left_out: int
    other_columns: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """Return what `reference.json` says of them."""
        count = self.known.positions.shape[1]
        about = f"{count:,} sequences of {self.source}"
        return {"about": about, "count": count, "columns": list(self.known.columns)}


def read_measured_table(path: Path, contract: Contract, wanted: Sequence[str] = ()) -> MeasuredTableFile:
    """Read a table with a column of sequences, columns of numbers, and perhaps names.

    `wanted` are the columns to keep, by default all that have numbers alone, or nothing, in each row. Raises
    UnreadableInput if there are none, or too many.
    """
    rows, left_out = read_valid_rows(path, contract)
    columns = _choose(path, rows, wanted)
    if len(rows) > MOST_MEASURED:
        raise UnreadableInput(f"{path} has {len(rows):,} sequences; at most {MOST_MEASURED:,} may be in a bundle")
    others = tuple(name for name in rows[0].cells if name not in columns and name.lower() not in _NAMES)
    names = "".join(f"{_name(row)}\n" for row in rows).encode()
    ends = np.flatnonzero(np.frombuffer(names, np.uint8) == ord("\n"))
    codes: Codes = np.stack([row.codes for row in rows])
    values = np.array([[_number(row.cells.get(name, "")) for row in rows] for name in columns], np.float32)
    positions = np.ascontiguousarray(codes.T)
    return MeasuredTableFile(MeasuredSequences(columns, positions, values, names, ends), path.name, left_out, others)


def _choose(path: Path, rows: Sequence[Row], wanted: Sequence[str]) -> tuple[str, ...]:
    there = list(rows[0].cells)
    if missing := [name for name in wanted if name not in there]:
        raise UnreadableInput(f"{path} has no column {missing[0]!r}: it has {', '.join(map(repr, there))}")
    for name in wanted:
        _require_numbers(path, rows, name)
    columns = tuple(wanted) or tuple(name for name in there if name.lower() not in _NAMES and _is_measured(rows, name))
    if not columns:
        raise UnreadableInput(f"{path} has no column of numbers beside the sequences")
    if len(columns) > MOST_VALUES:
        raise UnreadableInput(f"{path} has {len(columns)} columns of numbers: choose at most {MOST_VALUES} by --values")
    return columns


def _is_measured(rows: Sequence[Row], name: str) -> bool:
    cells = [row.cells.get(name, "") for row in rows]
    return next(_wrong(cells), None) is None and any(cell.lower() not in _MISSING for cell in cells)


def _require_numbers(path: Path, rows: Sequence[Row], name: str) -> None:
    wrong = next(_wrong([row.cells.get(name, "") for row in rows]), None)
    if wrong is not None:
        cell = rows[wrong].cells.get(name, "")
        raise UnreadableInput(f"line {rows[wrong].line} of {path} has {cell[:40]!r} in {name!r}: not a number")


def _wrong(cells: Sequence[str]) -> Iterator[int]:
    """Yield the places of cells that hold neither a finite number nor nothing."""
    for at, cell in enumerate(cells):
        try:
            if abs(_number(cell)) > _LARGEST:
                yield at
        except ValueError:
            yield at


def _number(cell: str) -> float:
    return math.nan if cell.lower() in _MISSING else float(cell)


def _name(row: Row) -> str:
    """Return what a row is called, on one line, as long as the file takes it."""
    cells = {name.lower(): cell for name, cell in row.cells.items()}
    found = row.id or next((cells[name] for name in _NAMES if cells.get(name)), "")
    kept = " ".join(found.split()).encode("utf-8", "replace")[:LONGEST_NAME]
    return kept.decode("utf-8", "ignore")
