"""Workbooks out of any bytes: a row is a line, what was written comes back, damage is an error of the reader."""

import io
import re
from contextlib import redirect_stdout, suppress
from typing import Final

from assay.errors import InputError
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text import workbook_worker
from tests.fuzz.parsing import knobs
from tests.unit.reference import SMALL, count_lines, flat
from tests.workbooks import SHEETS, pack_parts, workbook

_FAR: Final = re.compile(rb"[A-Za-z]{3}\d|\d{5}")
"""A cell far away, whose grid takes gigabytes: in production that is the child's limit of memory."""
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|_x")


class _Held(io.BytesIO):
    """Standard output that outlives its text wrapper."""

    def close(self) -> None:
        """Stay open."""


def workbooks(data: bytes) -> None:
    """Some bytes choose what the others are: cells of a sheet, parts of a workbook, or a whole file."""
    size, _, body = knobs(data)
    if size % 3 == 0:
        _written(body)
    elif not _FAR.search(body):
        sheet, shared, sheets = [*body.split(b"\0", 2), b"", b""][:3]
        _read(pack_parts(sheet, shared, sheets or SHEETS) if size % 3 == 1 else body)


def _written(body: bytes) -> None:
    """Cells that are written are read, each in its row."""
    text = _NO_XML.sub("", body.decode("utf-8", "ignore"))
    table = [line.split("\t")[:26] for line in text.split("\n")]
    found = _read(workbook(table))
    told = [[" ".join(cell.splitlines()) for cell in row] for row in table]
    assert [list(filter(None, row)) for row in found] == _without_end([list(filter(None, row)) for row in told])


def _without_end(table: list[list[str]]) -> list[list[str]]:
    while table and not table[-1]:
        table.pop()
    return table


def _read(body: bytes) -> list[list[str]]:
    """Return the rows; their CSV has a line for each."""
    import python_calamine

    try:
        found = list(workbook_worker.sheet_rows(body))
    except (python_calamine.CalamineError, ValueError, OSError):
        return []
    held = _Held()
    with redirect_stdout(io.TextIOWrapper(held, write_through=True)):
        workbook_worker._write(found)
    assert count_lines([held.getvalue()]) == len(found)
    with suppress(InputError):
        lines = [record.line for record in flat(parse([held.getvalue()], Format.CSV, SMALL))]
        assert lines == sorted(set(lines))
        assert not lines or lines[-1] <= len(found)
    return found
