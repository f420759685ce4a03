"""How input begins and what it is packed in cost time in proportion to its size."""

import resource
import struct
from collections.abc import Callable
from functools import partial

import pytest

from assay.sequences.formats import sniff_format
from assay.text import packing
from tests.unit.growth import Read, folders, measure_time, unpack
from tests.workbooks import workbook


def wide_folders(count: int, extra: bytes) -> bytes:
    """Return local headers of folders whose size is said in a field behind all those of `extra`."""
    size = struct.pack("<2HQ", 1, 8, 0)
    field = extra[: (1 << 16) - 20 - len(extra) % 4] + size
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0, 2, len(field))
    return (header + b"n/" + field) * count


HEADS: dict[str, Callable[[int], bytes]] = {
    "blanks": lambda size: b" \n" * (size // 2) + b"x",
    "comments": lambda size: b"# " * (size // 2) + b"\nx",
    "lines of comments": lambda size: b"#\n;\n" * (size // 4) + b"x",
    "a table's marks": lambda size: b'a;b,c\td"' * (size // 8),
    "quotes": lambda size: b'"' * size,
    "reads that are none": lambda size: b"@a\n" + b"A-\n" * (size // 3),
    "a structure that is none": lambda size: b"data_" + b"#  " * (size // 3),
    "a name of a structure": lambda size: b"data_" + b"x" * (size // 2) + b" " * (size // 2),
    "an office document that is none": lambda size: b"PK\3\4" + b"xl/word/ppt/" * (size // 12),
    "half of a wrapped file": lambda size: b"A" * 30 + b"\n" + b"A" * 20 + b"\n" + b"1 A 2\n" * (size // 6),
    "wrapped lines": lambda size: (b"A" * 48 + b"\nAA\n") * (size // 52),
    "numbers": lambda size: b"1 A\n" + b"".join(b"%d A\n" % at for at in range(2, size // 8)),
    "blanks in a line": lambda size: b"A \t" * (size // 3) + b"1x",
    "JSON of one line": lambda size: b'{"a": [' + b"1, " * (size // 3),
    "a wide header": lambda size: b"sequence," + b"aa," * (size // 3),
}
"""How input may begin; what is looked at ends at `packing.HEAD` bytes."""
BODIES: dict[str, tuple[Read, Callable[[int], bytes]]] = {
    "wide sizes in a zip": (unpack, lambda size: wide_folders(50, b"\7\7\0\0" * (size // 200))),
    "folders in one chunk": (
        lambda data: sum(map(len, packing.open_text([data], "zip"))),
        lambda size: folders(90, 60, data=bytes(size * 20)),
    ),
}


def children() -> float:
    """Return the seconds of processor time that processes took which this one began."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@pytest.mark.parametrize("name", HEADS)
def test_twice_the_beginning_takes_about_twice_the_time(name: str) -> None:
    heads = [HEADS[name](size) for size in (30_000, 60_000)]
    small, large = (measure_time(lambda head=head: [sniff_format(head) for _ in range(5)]) for head in heads)  # type: ignore[misc]
    assert large <= 2.5 * small + 0.01


@pytest.mark.parametrize("name", BODIES)
def test_twice_the_container_takes_about_twice_the_time(name: str) -> None:
    read, make = BODIES[name]
    bodies = [make(size) for size in (400_000, 800_000)]
    small, large = (measure_time(lambda body=body: read(body)) for body in bodies)  # type: ignore[misc]
    assert large <= 2.5 * small + 0.01


def open_sheet(body: bytes) -> list[bytes]:
    return [*packing.open_text([body], "workbook")]


@pytest.mark.parametrize(("rows", "columns"), [(2000, 4), (400, 20), (8000, 1)])
def test_twice_the_sheet_takes_about_twice_the_time(rows: int, columns: int) -> None:
    sheets = [workbook([["x" * 20] * columns] * count) for count in (rows, 2 * rows)]
    empty = measure_time(partial(open_sheet, workbook([["x"]])), children)
    small, large = (measure_time(partial(open_sheet, body), children) for body in sheets)
    assert large - empty <= 2.5 * max(small - empty, 0) + 0.02
