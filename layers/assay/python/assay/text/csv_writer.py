"""Write CSV that no spreadsheet takes for formulas, and rejected.csv.

Ids and carried cells come from the user and may be opened in a spreadsheet. Text that would be taken for a formula
gets a leading apostrophe; plain numbers are left alone. Text that has apostrophes before a formula gets one more, so
that nothing is lost: `unescape_formula` undoes what `escape_formula` did.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

REJECTED_HEADER: Final = "line,reason,detail\n"
"""The first line of rejected.csv."""
PIECE: Final = 1000
_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""How formulas begin; the last four are the full-width signs, which spreadsheets set to East Asian languages take."""
_BEHIND: Final = re.compile("([;\t\r\n])(?='*\"*[=+@\uff1d\uff0b\uff0d\uff20-])")
"""Where a formula begins in a spreadsheet whose cells end at semicolons or tabs: quotes are written twice by then."""
_MARKED: Final = re.compile(_BEHIND.pattern.replace("(?=", "'(?="))
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV whose lines end in LF; cells with a CR are quoted, so that no reader begins a row there.

    Before Python 3.13 the csv module quotes a CR only where it is part of the line's end: so it is told that it is.
    """
    out = _Lines()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def foreign_csv(rows: Iterable[Sequence[Any]], foreign: slice) -> str:
    """Return rows as `csv_text` does; their `foreign` cells are text from the user, and are made no formulas."""
    return csv_text([*row[: foreign.start], *map(escape_formula, row[foreign]), *row[foreign.stop :]] for row in rows)


def escape_formula(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    guarded = _BEHIND.sub(r"\1'", cell)
    return f"'{guarded}" if _is_formula(cell.lstrip("'")) else guarded


def unescape_formula(cell: str) -> str:
    """Return the cell that `escape_formula` was given."""
    bare = _MARKED.sub(r"\1", cell)
    return bare[1:] if bare.startswith("'") and _is_formula(bare.lstrip("'")) else bare


def _is_formula(cell: str) -> bool:
    return cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell)


class _Lines(io.StringIO):
    """Rows that arrive with CRLF, kept with LF."""

    def write(self, row: str) -> int:
        return super().write(f"{row[:-2]}\n")
