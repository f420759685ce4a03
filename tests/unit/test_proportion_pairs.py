"""Inputs that grow in two dimensions at once cost no more than the sum of both."""

import bz2
import json
import lzma
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from assay.errors import TooLarge
from assay.options import RankOptions
from assay.ranking.ranker import rank_blocks
from assay.sequences.contract import Windows
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.records import Limits
from rank import reply
from tests.unit.growth import Read, attempt, folders, lines_run, peak, pieces, unpack
from tests.unit.reference import SMALL, Fake

ROOMY = Limits(1 << 12, 1 << 10, 1 << 20)
"""No record of these inputs is too long, so that all of it is worked on."""


def answer(fmt: Format, windows: Windows | None = None) -> Read:
    """Return what ranks some bytes and writes the reply in each form."""
    model = Fake(lambda text: 1.0 + text.count("D"), SMALL)

    def read(data: bytes) -> None:
        blocks = parse(pieces(data), fmt, SMALL, windows=windows, limits=ROOMY)
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


def name_fields(count: int) -> list[str]:
    """Return names of fields that are different."""
    return [f"field{at}" for at in range(count)]


def dump(value: object) -> bytes:
    return json.dumps(value).encode()


WIDE = 40  # columns of a table that grows in another dimension
PAIRS: dict[str, tuple[Read, Callable[[int], bytes]]] = {
    "columns x short rows": (
        answer(Format.CSV),
        lambda size: b"sequence" + b"," * (size // 2) + b"\n" + b"\n".join(sequences(size // 8)),
    ),
    "columns x full rows": (
        answer(Format.CSV),
        lambda size: (
            cells(b"sequence", *[b"c"] * int(size**0.5)) + cells(b"ACD", *[b"x"] * int(size**0.5)) * int(size**0.5 / 4)
        ),
    ),
    "length of names x rows": (
        answer(Format.CSV),
        lambda size: (
            cells(b"sequence", b"n" * (size // 2)) + b"".join(cells(text, b"x") for text in sequences(size // 12))
        ),
    ),
    "names x rows": (
        answer(Format.CSV),
        lambda size: (
            cells(b"sequence", *[b"name%d" % at for at in range(size // 20)])
            + b"".join(cells(text, b"x") for text in sequences(size // 12))
        ),
    ),
    "names that are alike x columns": (answer(Format.CSV), lambda size: cells(b"sequence", *[b"note"] * (size // 5))),
    "names with numbers x columns": (
        answer(Format.CSV),
        lambda size: cells(b"sequence", *[b"a.%d" % at for at in range(size // 14)], *[b"a"] * (size // 14)),
    ),
    "length of cells x rows": (
        answer(Format.CSV),
        lambda size: b"sequence,note\n" + b"".join(cells(text, b"x" * WIDE) for text in sequences(size // 44)),
    ),
    "quotes x rows": (answer(Format.CSV), lambda size: b"sequence,note\n" + b'a","\n' * (size // 6)),
    "quotes x length of lines": (
        answer(Format.CSV),
        lambda size: b"sequence,note\n" + b'ACD,"\n' * (size // 12) + b'"a",' * (size // 8) + b"\n",
    ),
    "rows within a cell": (
        answer(Format.CSV),
        lambda size: b'sequence,note\nACD,"' + b"ACD,x\n" * (size // 6) + b'"\n',
    ),
    "header x windows": (
        answer(Format.FASTA, Windows(3)),
        lambda size: b">" + b"x" * (size // 2) + b"\n" + b"ACD" * (size // 6) + b"\n",
    ),
    "header x records": (
        answer(Format.FASTA),
        lambda size: b">" + b"x" * (size // 2) + b"\nACD\n" + b">a\nACD\n" * (size // 14),
    ),
    "glued records": (answer(Format.FASTA), lambda size: b">a\n" + b"ACD>b\n" * (size // 6)),
    "records of PIR x titles": (answer(Format.FASTA), lambda size: b">P1;a\ntitle\nACD*\n" * (size // 17)),
    "blanks x residues": (answer(Format.LINES), lambda size: b"A C D\n" * (size // 6)),
    "reads x lines of a read": (
        answer(Format.FASTQ),
        lambda size: (
            b"@r\nACD\n+\nIII\n" * (size // 28) + b"@r\n" + b"A\n" * (size // 8) + b"+\n" + b"I\n" * (size // 8)
        ),
    ),
    "entries x lines of an entry": (
        answer(Format.EMBL),
        lambda size: (
            b"ID   a   3 AA.\nSQ   \n     ACD\n//\n" * (size // 80)
            + b"ID   b   3 AA.\n"
            + b"DE   x\n" * (size // 40)
            + b"SQ   \n"
            + b"     A\n" * (size // 40)
        ),
    ),
    "numbers x lines": (
        answer(Format.GENBANK),
        lambda size: (
            b"LOCUS       a 3 aa\nORIGIN\n" + b"".join(b"%9d a c d\n" % at for at in range(1, size // 16)) + b"//\n"
        ),
    ),
    "rows x blocks": (
        answer(Format.STOCKHOLM),
        lambda size: alignment(int((size / 8) ** 0.5), int((size / 8) ** 0.5)),
    ),
    "rows x length of names": (answer(Format.STOCKHOLM), lambda size: alignment(size // 16, 1) + b"n" * (size // 2)),
    "one name x rows": (answer(Format.STOCKHOLM), lambda size: TITLE + b"a ACD\n" * (size // 6)),
    "one name x blocks": (answer(Format.CLUSTAL), lambda size: b"CLUSTAL W\n" + b"\na ACD\n" * (size // 7)),
    "alignments x titles": (answer(Format.CLUSTAL), lambda size: b"CLUSTAL W alignment\n\na ACD\n" * (size // 27)),
    "wrapped lines x sequences": (
        answer(Format.WRAPPED),
        lambda size: b"AC\nD\n" * (size // 10) + b"\n" + b"".join(b"%d A\n" % at for at in range(1, size // 16)),
    ),
    "marks x columns": (
        answer(Format.CSV),
        lambda size: b"sequence" + b';a,b\tc";"' * (size // 20) + b"\n" + b"ACD;;,,\t\t\n" * (size // 20),
    ),
    "a named mark x rows": (answer(Format.CSV), lambda size: b"sep=|\nsequence|x\n" + b"ACD|,;\n" * (size // 7)),
    "cells x names without a header": (
        answer(Format.CSV),
        lambda size: b"a,b," + b"ACDEF" * 5 + b",x" * (size // 4) + b"\n" + b"a,b,ACD\n" * (size // 16),
    ),
    "fields x records": (
        answer(Format.JSON),
        lambda size: dump(
            [{"sequence": "ACD", **dict.fromkeys(name_fields(int(size**0.5 / 8)), 1)}] * int(size**0.5 / 2)
        ),
    ),
    "names of fields x records": (
        answer(Format.JSON),
        lambda size: dump([{"sequence": "ACD", name: 1} for name in name_fields(size // 32)]),
    ),
    "names of fields x lines": (
        answer(Format.JSONL),
        lambda size: b"\n".join(dump({"sequence": "ACD", name: 1}) for name in name_fields(size // 32)),
    ),
    "a long value x records": (
        answer(Format.JSON),
        lambda size: dump([{"sequence": "ACD", "note": "x" * (size // 2)}, *["ACD"] * (size // 14)]),
    ),
    "blanks x values": (
        answer(Format.JSON),
        lambda size: b"[" + b" " * (size // 2) + b"\n" * (size // 8) + b'"ACD" ,' * (size // 20) + b'"ACD"]',
    ),
    "values behind each other": (answer(Format.JSON), lambda size: b'{"sequence":"ACD"}' * (size // 18)),
    "lists x records": (answer(Format.JSON), lambda size: b'[["ACD"]]' * (size // 9)),
    "depth x records": (
        answer(Format.JSON),
        lambda size: b'[{"sequence":"ACD","x":' + b"[" * 400 + b"]" * 400 + b"}" + b',"ACD"' * (size // 6) + b"]",
    ),
    "spellings of a field x records": (
        answer(Format.JSON),
        lambda size: dump([{"Sequence": "ACD", **dict.fromkeys(name_fields(40), 1)}] * (size // 500)),
    ),
    "members of bzip2": (unpack, lambda size: bz2.compress(b"ACD\n") * (size // 40)),
    "members of xz": (unpack, lambda size: lzma.compress(b"ACD\n") * (size // 64)),
    "folders x length of names": (unpack, lambda size: folders(90, size // 200)),
    "extra fields x entries": (unpack, lambda size: folders(10, 1, b"\7\7\0\0" * (size // 50))),
}
"""Inputs that grow in two dimensions at once: what is made of them may not grow by the product."""


@pytest.mark.parametrize("name", PAIRS)
def test_two_dimensions_take_no_more_than_their_sum(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds are a hundredth of the real ones, so that an input of some kilobytes meets them."""
    monkeypatch.setattr(reply, "MAX_REPLY", 300_000)
    read, make = PAIRS[name]
    attempt(read, make(1000))
    steps = [lines_run(read, make(size)) for size in (20_000, 40_000)]
    held = [peak(read, make(size)) for size in (20_000, 40_000)]
    assert steps[1] <= 2.5 * steps[0] + 1_000, steps
    assert held[1] <= 2.5 * held[0] + 50_000, held
