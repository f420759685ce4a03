"""Time and memory in proportion to the input: lines of Python are counted, memory is traced, and a
clock is read only where the work is done in C.
"""

import bz2
import io
import json
import lzma
import resource
import struct
import sys
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from assay.abstracts.cleaning import clean
from assay.errors import AssayError, TooLarge
from assay.http.encodings import parse_multipart
from assay.http.messages import parse_json
from assay.options import RankOptions
from assay.ranking.ranker import rank_blocks
from assay.sequences.contract import Windows
from assay.sequences.formats import Format, sniff_format
from assay.sequences.parsing import parse
from assay.text import packing
from assay.text.compression import gunzip
from assay.text.records import Limits
from rank import reply
from tests.unit.reference import SMALL, Fake
from tests.workbooks import workbook

LIMITS = Limits(1 << 12, 1 << 10, 1 << 12)
FORM = "multipart/form-data; boundary=b"
Read = Callable[[bytes], object]


def drained(fmt: Format) -> Read:
    """Return what parses some bytes without keeping anything."""
    return lambda data: sum(block.received for block in parse(_pieces(data), fmt, SMALL, limits=LIMITS))


def _pieces(data: bytes) -> Iterator[bytes]:
    yield from (data[at : at + 4096] for at in range(0, len(data), 4096))


def attempted(read: Read, data: bytes) -> None:
    """Read, whether that is refused or not."""
    with suppress(AssayError):
        read(data)


def lines_run(read: Read, data: bytes) -> int:
    """Return how many lines of Python reading takes: a measure of time that does not depend on the machine."""
    count = 0

    def trace(*_: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        attempted(read, data)
    finally:
        sys.settrace(before)
    return count


def peak(read: Read, data: bytes) -> int:
    """Return the most bytes that reading holds."""
    tracemalloc.start()
    try:
        attempted(read, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def form(fields: int) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
    return part * fields + b"--b--\r\n"


HARD: dict[str, tuple[Read, Callable[[int], bytes]]] = {
    "one endless line": (drained(Format.LINES), lambda size: b"A" * size),
    "an endless FASTA header": (drained(Format.FASTA), lambda size: b">" + b"x" * size),
    "a FASTA record of short lines": (drained(Format.FASTA), lambda size: b">p\n" + b"A\n" * (size // 2)),
    "headers without residues": (drained(Format.FASTA), lambda size: b">\n" * (size // 2)),
    "a quote that is never closed": (drained(Format.CSV), lambda size: b'sequence\n"' + b"A\n" * (size // 2)),
    "quotes only": (drained(Format.CSV), lambda size: b"sequence\n" + b'"' * size),
    "many columns": (drained(Format.CSV), lambda size: b"sequence" + b",c" * (size // 2) + b"\nACD\n"),
    "blank lines": (drained(Format.LINES), lambda size: b"\n" * size),
    "carriage returns": (drained(Format.LINES), lambda size: b"\r" * size),
    "gzip of members of nothing": (lambda data: list(gunzip([data])), lambda size: _packed(b"") * (size // 20)),
    "deep JSON": (parse_json, lambda size: b"[" * size),
    "many fields of JSON": (parse_json, lambda size: json.dumps({str(at): at for at in range(size // 10)}).encode()),
    "a long number": (parse_json, lambda size: b"[" + b"9" * size + b"]"),
    "many parts": (lambda data: parse_multipart(data, FORM), lambda size: form(size // 50)),
    "tags never closed": (lambda data: clean(data.decode()), lambda size: b"<a x=" * (size // 5)),
    "spaces in a tag": (lambda data: clean(data.decode()), lambda size: b"<a" + b" " * size),
}


ROOMY = Limits(1 << 12, 1 << 10, 1 << 20)
"""No record of these inputs is too long, so that all of it is worked on."""


def answered(fmt: Format, windows: Windows | None = None) -> Read:
    """Return what ranks some bytes and writes the reply in each form."""
    model = Fake(lambda text: 1.0 + text.count("D"), SMALL)

    def read(data: bytes) -> None:
        blocks = parse(_pieces(data), fmt, SMALL, windows=windows, limits=ROOMY)
        options = RankOptions(top_k=10_000)
        found = rank_blocks(blocks, model, model, options, deduplicate=False, on_rejects=lambda _: None)
        for make, _ in reply.FORMS.values():
            with suppress(TooLarge):
                make(reply.Ranked(found, reply.FirstRejects(), {}))

    return read


def sequences(count: int) -> Iterator[bytes]:
    """Yield different sequences, so far as there are."""
    yield from (bytes(b"ACD"[at // step % 3] for step in (1, 3, 9)) for at in range(count))


def cells(*made: bytes) -> bytes:
    return b",".join(made) + b"\n"


TITLE = b"# STOCKHOLM 1.0\n"


def alignment(rows: int, blocks: int) -> bytes:
    """Return blocks of the same rows."""
    block = b"".join(b"n%d A\n" % at for at in range(rows))
    return TITLE + b"\n".join([block] * blocks)


def named(count: int) -> list[str]:
    """Return names of fields that are different."""
    return [f"field{at}" for at in range(count)]


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def unpacked(data: bytes) -> int:
    """Unpack some bytes as input is, without keeping anything."""
    pieces = [data[at : at + 4096] for at in range(0, len(data), 4096)]
    return sum(map(len, packing.open_text(pieces, packing.look(pieces).packing, max_ratio=1 << 20)))


def folders(count: int, length: int, extra: bytes = b"", data: bytes = b"ACD\n") -> bytes:
    """Return a zip of empty folders with long names, and a file of `data`; `extra` stands before each folder."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for at in range(count):
            folder = zipfile.ZipInfo(f"{at}{'n' * length}/")
            folder.extra = extra[: (1 << 16) - 8]
            archive.writestr(folder, b"")
        archive.writestr("a.txt", data)
    return held.getvalue()


WIDE = 40  # columns of a table that grows in another dimension
PAIRS: dict[str, tuple[Read, Callable[[int], bytes]]] = {
    "columns x short rows": (
        answered(Format.CSV),
        lambda size: b"sequence" + b"," * (size // 2) + b"\n" + b"\n".join(sequences(size // 8)),
    ),
    "columns x full rows": (
        answered(Format.CSV),
        lambda size: (
            cells(b"sequence", *[b"c"] * int(size**0.5)) + cells(b"ACD", *[b"x"] * int(size**0.5)) * int(size**0.5 / 4)
        ),
    ),
    "length of names x rows": (
        answered(Format.CSV),
        lambda size: (
            cells(b"sequence", b"n" * (size // 2)) + b"".join(cells(text, b"x") for text in sequences(size // 12))
        ),
    ),
    "names x rows": (
        answered(Format.CSV),
        lambda size: (
            cells(b"sequence", *[b"name%d" % at for at in range(size // 20)])
            + b"".join(cells(text, b"x") for text in sequences(size // 12))
        ),
    ),
    "names that are alike x columns": (answered(Format.CSV), lambda size: cells(b"sequence", *[b"note"] * (size // 5))),
    "names with numbers x columns": (
        answered(Format.CSV),
        lambda size: cells(b"sequence", *[b"a.%d" % at for at in range(size // 14)], *[b"a"] * (size // 14)),
    ),
    "length of cells x rows": (
        answered(Format.CSV),
        lambda size: b"sequence,note\n" + b"".join(cells(text, b"x" * WIDE) for text in sequences(size // 44)),
    ),
    "quotes x rows": (answered(Format.CSV), lambda size: b"sequence,note\n" + b'a","\n' * (size // 6)),
    "quotes x length of lines": (
        answered(Format.CSV),
        lambda size: b"sequence,note\n" + b'ACD,"\n' * (size // 12) + b'"a",' * (size // 8) + b"\n",
    ),
    "rows within a cell": (
        answered(Format.CSV),
        lambda size: b'sequence,note\nACD,"' + b"ACD,x\n" * (size // 6) + b'"\n',
    ),
    "header x windows": (
        answered(Format.FASTA, Windows(3)),
        lambda size: b">" + b"x" * (size // 2) + b"\n" + b"ACD" * (size // 6) + b"\n",
    ),
    "header x records": (
        answered(Format.FASTA),
        lambda size: b">" + b"x" * (size // 2) + b"\nACD\n" + b">a\nACD\n" * (size // 14),
    ),
    "glued records": (answered(Format.FASTA), lambda size: b">a\n" + b"ACD>b\n" * (size // 6)),
    "records of PIR x titles": (answered(Format.FASTA), lambda size: b">P1;a\ntitle\nACD*\n" * (size // 17)),
    "blanks x residues": (answered(Format.LINES), lambda size: b"A C D\n" * (size // 6)),
    "reads x lines of a read": (
        answered(Format.FASTQ),
        lambda size: (
            b"@r\nACD\n+\nIII\n" * (size // 28) + b"@r\n" + b"A\n" * (size // 8) + b"+\n" + b"I\n" * (size // 8)
        ),
    ),
    "entries x lines of an entry": (
        answered(Format.EMBL),
        lambda size: (
            b"ID   a   3 AA.\nSQ   \n     ACD\n//\n" * (size // 80)
            + b"ID   b   3 AA.\n"
            + b"DE   x\n" * (size // 40)
            + b"SQ   \n"
            + b"     A\n" * (size // 40)
        ),
    ),
    "numbers x lines": (
        answered(Format.GENBANK),
        lambda size: (
            b"LOCUS       a 3 aa\nORIGIN\n" + b"".join(b"%9d a c d\n" % at for at in range(1, size // 16)) + b"//\n"
        ),
    ),
    "rows x blocks": (
        answered(Format.STOCKHOLM),
        lambda size: alignment(int((size / 8) ** 0.5), int((size / 8) ** 0.5)),
    ),
    "rows x length of names": (answered(Format.STOCKHOLM), lambda size: alignment(size // 16, 1) + b"n" * (size // 2)),
    "one name x rows": (answered(Format.STOCKHOLM), lambda size: TITLE + b"a ACD\n" * (size // 6)),
    "one name x blocks": (answered(Format.CLUSTAL), lambda size: b"CLUSTAL W\n" + b"\na ACD\n" * (size // 7)),
    "alignments x titles": (answered(Format.CLUSTAL), lambda size: b"CLUSTAL W alignment\n\na ACD\n" * (size // 27)),
    "wrapped lines x sequences": (
        answered(Format.WRAPPED),
        lambda size: b"AC\nD\n" * (size // 10) + b"\n" + b"".join(b"%d A\n" % at for at in range(1, size // 16)),
    ),
    "marks x columns": (
        answered(Format.CSV),
        lambda size: b"sequence" + b';a,b\tc";"' * (size // 20) + b"\n" + b"ACD;;,,\t\t\n" * (size // 20),
    ),
    "a named mark x rows": (answered(Format.CSV), lambda size: b"sep=|\nsequence|x\n" + b"ACD|,;\n" * (size // 7)),
    "cells x names without a header": (
        answered(Format.CSV),
        lambda size: b"a,b," + b"ACDEF" * 5 + b",x" * (size // 4) + b"\n" + b"a,b,ACD\n" * (size // 16),
    ),
    "fields x records": (
        answered(Format.JSON),
        lambda size: dumped([{"sequence": "ACD", **dict.fromkeys(named(int(size**0.5 / 8)), 1)}] * int(size**0.5 / 2)),
    ),
    "names of fields x records": (
        answered(Format.JSON),
        lambda size: dumped([{"sequence": "ACD", name: 1} for name in named(size // 32)]),
    ),
    "names of fields x lines": (
        answered(Format.JSONL),
        lambda size: b"\n".join(dumped({"sequence": "ACD", name: 1}) for name in named(size // 32)),
    ),
    "a long value x records": (
        answered(Format.JSON),
        lambda size: dumped([{"sequence": "ACD", "note": "x" * (size // 2)}, *["ACD"] * (size // 14)]),
    ),
    "blanks x values": (
        answered(Format.JSON),
        lambda size: b"[" + b" " * (size // 2) + b"\n" * (size // 8) + b'"ACD" ,' * (size // 20) + b'"ACD"]',
    ),
    "values behind each other": (answered(Format.JSON), lambda size: b'{"sequence":"ACD"}' * (size // 18)),
    "lists x records": (answered(Format.JSON), lambda size: b'[["ACD"]]' * (size // 9)),
    "depth x records": (
        answered(Format.JSON),
        lambda size: b'[{"sequence":"ACD","x":' + b"[" * 400 + b"]" * 400 + b"}" + b',"ACD"' * (size // 6) + b"]",
    ),
    "spellings of a field x records": (
        answered(Format.JSON),
        lambda size: dumped([{"Sequence": "ACD", **dict.fromkeys(named(40), 1)}] * (size // 500)),
    ),
    "members of bzip2": (unpacked, lambda size: bz2.compress(b"ACD\n") * (size // 40)),
    "members of xz": (unpacked, lambda size: lzma.compress(b"ACD\n") * (size // 64)),
    "folders x length of names": (unpacked, lambda size: folders(90, size // 200)),
    "extra fields x entries": (unpacked, lambda size: folders(10, 1, b"\7\7\0\0" * (size // 50))),
}
"""Inputs that grow in two dimensions at once: what is made of them may not grow by the product."""


TEXTS: dict[str, Callable[[int], str]] = {
    "marks x length": lambda size: "a" + "\u0301\u0316" * (size // 2),
    "marks x letters": lambda size: ("a" + "\u0301\u0316" * 20) * (size // 41),
    "links x length": lambda size: "www.x" * (size // 5) + "\uff0c",
    "entities x length": lambda size: "&" + "amp;" * (size // 4),
    "tags x length": lambda size: "</a>" + "<a b" * (size // 4),
}
"""What is worked on in C, which no count of lines sees."""


def _packed(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


def made(name: str, size: int) -> tuple[Read, bytes]:
    read, make = HARD[name]
    return read, make(size)


@pytest.mark.parametrize("name", HARD)
def test_twice_the_input_takes_about_twice_the_steps(name: str) -> None:
    small, large = (lines_run(*made(name, size)) for size in (6_000, 12_000))
    assert large <= 2.6 * small + 1_000


@pytest.mark.parametrize("name", HARD)
def test_memory_is_bounded_by_the_input(name: str) -> None:
    read, data = made(name, 100_000)
    attempted(read, data[:100])
    assert peak(read, data) < 40 * len(data) + (1 << 20)


@pytest.mark.parametrize("name", ["one endless line", "an endless FASTA header", "a quote that is never closed"])
def test_what_has_no_end_is_held_nowhere(name: str) -> None:
    small, large = (peak(*made(name, size)) for size in (50_000, 200_000))
    assert large < 1.5 * small


def test_a_bomb_is_stopped_while_it_unpacks() -> None:
    bomb = _packed(b"\0" * (16 << 20))
    given = []
    with pytest.raises(AssayError):
        given += [len(piece) for piece in gunzip([bomb])]
    assert peak(lambda data: sum(map(len, gunzip([data]))), bomb) < 8 << 20


def cpu(text: str) -> float:
    """Return the least seconds of this thread's time that the cleaning of a text took, of five tries."""
    tries = []
    for _ in range(5):
        started = time.thread_time()
        clean(text)
        tries.append(time.thread_time() - started)
    return min(tries)


@pytest.mark.parametrize("name", TEXTS)
def test_twice_the_text_takes_about_twice_the_time(name: str) -> None:
    small, large = (cpu(TEXTS[name](size)) for size in (50_000, 100_000))
    assert large <= 2.5 * small + 0.01


@pytest.mark.parametrize("name", PAIRS)
def test_two_dimensions_take_no_more_than_their_sum(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds are a hundredth of the real ones, so that an input of some kilobytes meets them."""
    monkeypatch.setattr(reply, "MAX_REPLY", 300_000)
    read, make = PAIRS[name]
    attempted(read, make(1000))
    steps = [lines_run(read, make(size)) for size in (20_000, 40_000)]
    held = [peak(read, make(size)) for size in (20_000, 40_000)]
    assert steps[1] <= 2.5 * steps[0] + 1_000, steps
    assert held[1] <= 2.5 * held[0] + 50_000, held


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
    "wide sizes in a zip": (unpacked, lambda size: wide_folders(50, b"\7\7\0\0" * (size // 200))),
    "folders in one chunk": (
        lambda data: sum(map(len, packing.open_text([data], "zip"))),
        lambda size: folders(90, 60, data=bytes(size * 20)),
    ),
}


def children() -> float:
    """Return the seconds of processor time that processes took which this one began."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def used(work: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    """Return the least seconds by a clock that work took, of five tries."""
    tries = []
    for _ in range(5):
        before = clock()
        with suppress(AssayError):
            work()
        tries.append(clock() - before)
    return min(tries)


@pytest.mark.parametrize("name", HEADS)
def test_twice_the_beginning_takes_about_twice_the_time(name: str) -> None:
    heads = [HEADS[name](size) for size in (30_000, 60_000)]
    small, large = (used(lambda head=head: [sniff_format(head) for _ in range(5)]) for head in heads)  # type: ignore[misc]
    assert large <= 2.5 * small + 0.01


@pytest.mark.parametrize("name", BODIES)
def test_twice_the_container_takes_about_twice_the_time(name: str) -> None:
    read, make = BODIES[name]
    bodies = [make(size) for size in (400_000, 800_000)]
    small, large = (used(lambda body=body: read(body)) for body in bodies)  # type: ignore[misc]
    assert large <= 2.5 * small + 0.01


@pytest.mark.parametrize(("rows", "columns"), [(2000, 4), (400, 20), (8000, 1)])
def test_twice_the_sheet_takes_about_twice_the_time(rows: int, columns: int) -> None:
    sheets = [workbook([["x" * 20] * columns] * count) for count in (rows, 2 * rows)]
    empty = used(lambda: [*packing.open_text([workbook([["x"]])], "workbook")], children)
    small, large = (used(lambda body=body: [*packing.open_text([body], "workbook")], children) for body in sheets)  # type: ignore[misc]
    assert large - empty <= 2.5 * max(small - empty, 0) + 0.02
