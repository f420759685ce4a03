"""Names of carried columns: unique whatever their case, and never one of Assay's own."""

from collections.abc import Iterator, Sequence
from typing import Final, overload

from assay.errors import UnreadableInput
from assay.text.records import Notice, notice

REFERENCE_COLUMNS: Final = ("probability", "percentile", "notice")
"""What a score model's reference adds to a row, in the order of the columns of result files."""
RESERVED: Final = frozenset(("rank", "sequence", "score", "gate", "line", "part_line", "id", *REFERENCE_COLUMNS))
"""Names of the columns of result files, by any model. DuckDB, Spark and Athena take `Score` for the same name."""
MAX_COLUMNS: Final = 4096
MAX_NAME: Final = 255
"""Characters of a column's name."""
MAX_CELL: Final = 32_767
"""Characters of a carried cell: as many as a spreadsheet's holds."""
CUT: Final = "cut_cells"
_CUT: Final = f"carried cells of over {MAX_CELL:,} characters were cut there"
DUPLICATES: Final = "duplicate_columns"
_LISTED: Final = 10


class CarriedCells(Sequence[tuple[str, ...]]):
    """The carried cells of N rows, held by column; a row's tuple is made when it is asked for."""

    def __init__(self, columns: Sequence[Sequence[str]]) -> None:
        """Hold at least one column, all of N cells."""
        self._columns = columns

    def __len__(self) -> int:
        """Return N."""
        return len(self._columns[0])

    @overload
    def __getitem__(self, at: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> list[tuple[str, ...]]: ...
    def __getitem__(self, at: int | slice) -> tuple[str, ...] | list[tuple[str, ...]]:
        """Return the cells of a row, or of several."""
        if isinstance(at, slice):
            return [*zip(*(column[at] for column in self._columns), strict=True)]
        return tuple([column[at] for column in self._columns])

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        """Yield the cells of each row."""
        return zip(*self._columns, strict=True)

    def __eq__(self, other: object) -> bool:
        """Say whether these are the cells of another sequence."""
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]  # as of a list


def require_columns(names: Sequence[str]) -> None:
    """Raise `UnreadableInput` for a header of more columns than are read."""
    if len(names) > MAX_COLUMNS:
        message = f"the header has {len(names):,} columns, but at most {MAX_COLUMNS:,} are read: leave some out"
        raise UnreadableInput(message, columns=len(names), maximum=MAX_COLUMNS)


def name_columns(names: Sequence[str], positions: Sequence[int] | None = None) -> tuple[str, ...]:
    """Return a name for each column: its own where that is free, else the next free one, `note.1` or `input_score`.

    A column without a name is called by its position from 1, `column_3`. Names that stand once stay as they are.
    """
    places = positions or range(1, len(names) + 1)
    wanted = [_choose_name(name, place) for name, place in zip(names, places, strict=True)]
    taken: set[str] = set()
    kept = [name == want and _take(name, taken) for name, want in zip(names, wanted, strict=True)]
    last: dict[str, int] = {}
    pairs = zip(wanted, kept, strict=True)
    return tuple(want if keep else next(_free(want, taken, last)) for want, keep in pairs)


def rename_columns(names: Sequence[str], given: Sequence[str]) -> list[Notice]:
    """Return the notice of columns that were given another name because theirs stood already, or had none."""
    changed = [(old, new) for old, new in zip(names, given, strict=True) if old != new and old.lower() not in RESERVED]
    if not changed:
        return []
    listed = ", ".join(f"{old[:40]!r} is {new[:40]!r}" for old, new in changed[:_LISTED])
    more = f", and {len(changed) - _LISTED} more" if len(changed) > _LISTED else ""
    return [notice(DUPLICATES, f"columns were renamed to make their names unique: {listed}{more}")]


def cut_cells(extra: list[tuple[str, ...]], lines: Sequence[int]) -> list[Notice]:
    """Cut the carried cells of rows where they are too long, in place; return the notice of those rows."""
    long = [at for at, cells in enumerate(extra) if any(len(cell) > MAX_CELL for cell in cells)]
    for at in long:
        extra[at] = tuple(cell[:MAX_CELL] for cell in extra[at])
    return [notice(CUT, _CUT, [lines[at] for at in long])] if long else []


def _choose_name(name: str, place: int) -> str:
    name = name[:MAX_NAME]
    if not name:
        return f"column_{place}"
    return f"input_{name}" if name.casefold() in RESERVED else name


def _take(name: str, taken: set[str]) -> bool:
    """Take a name, and say whether it was free."""
    folded = name.casefold()
    free = folded not in taken
    taken.add(folded)
    return free


def _free(name: str, taken: set[str], last: dict[str, int]) -> Iterator[str]:
    """Yield the first name of `name`, `name.1`, `name.2`, ... that is free."""
    folded = name.casefold()
    if _take(name, taken):
        yield name
    while True:
        last[folded] = last.get(folded, 0) + 1
        candidate = f"{name}.{last[folded]}"
        if _take(candidate, taken):
            yield candidate
