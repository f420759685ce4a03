"""The first sheet of a workbook as CSV, in a child process: `python -I workbook_worker.py < workbook > csv`.

A row of the sheet is a line of the CSV, so that a reject's line is its row; an end of line within a cell becomes a
blank. The exit status says what was wrong. Only the standard library and calamine are needed.
"""

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import Final

MEMORY: Final = 1 << 30
"""Bytes of address space. A sheet is held as a grid from its first to its last cell."""
CPU_SECONDS: Final = 20
MAX_TEXT: Final = 128 << 20
"""Bytes of the CSV."""
BROKEN: Final = 3
ENCRYPTED: Final = 4
NO_SHEET: Final = 5
LARGE: Final = 6


def sheet_rows(body: bytes) -> Iterator[list[str]]:
    """Yield the rows of the first sheet from row 1, cells as text; a row without a cell is empty, none at the end."""
    from python_calamine import load_workbook

    sheet = load_workbook(io.BytesIO(body)).get_sheet_by_index(0)
    blank = sheet.start[0] if sheet.start else 0
    for cells in sheet.to_python(skip_empty_area=True):
        texts = [_text(cell) for cell in cells]
        if not any(texts):
            blank += 1
            continue
        yield from ([] for _ in range(blank))
        blank = 0
        yield texts


def _text(cell: object) -> str:
    """Return a cell as a person reads it: whole numbers without a point, dates as ISO 8601 has them."""
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return str(cell)
    return " ".join(str(cell).splitlines()) if cell is not None else ""


def _write(table: Iterable[list[str]]) -> None:
    out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", "replace", newline="")
    writer = csv.writer(out, lineterminator="\n")
    for cells in table:
        if cells:
            writer.writerow(cells)
        else:
            out.write("\n")
    out.flush()


def _bind() -> None:
    """Take from this process what reading needs not."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_TEXT, MAX_TEXT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Read standard input, write standard output; return how it went."""
    import python_calamine

    _bind()
    try:
        _write(sheet_rows(sys.stdin.buffer.read()))
    except python_calamine.PasswordError:
        return ENCRYPTED
    except python_calamine.WorksheetNotFound:
        return NO_SHEET
    except OSError:  # the file that is written is at its limit
        return LARGE
    except (python_calamine.CalamineError, ValueError):
        return BROKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())
