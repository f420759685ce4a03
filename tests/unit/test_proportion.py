"""Steps, memory and time in proportion to the input."""

import json
from collections.abc import Callable

import pytest

from assay.abstracts.cleaning import clean
from assay.errors import AssayError
from assay.http.encodings import parse_multipart
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.compression import gunzip
from assay.text.json_values import parse_json
from assay.text.records import Limits
from tests.unit.growth import Read, attempt, gzip_fast, lines_run, measure_time, peak, pieces
from tests.unit.reference import SMALL

LIMITS = Limits(1 << 12, 1 << 10, 1 << 12)
FORM = "multipart/form-data; boundary=b"


def drain(fmt: Format) -> Read:
    """Return what parses some bytes without keeping anything."""
    return lambda data: sum(block.received for block in parse(pieces(data), fmt, SMALL, limits=LIMITS))


def form(fields: int) -> bytes:
    part = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
    return part * fields + b"--b--\r\n"


HARD: dict[str, tuple[Read, Callable[[int], bytes]]] = {
    "one endless line": (drain(Format.LINES), lambda size: b"A" * size),
    "an endless FASTA header": (drain(Format.FASTA), lambda size: b">" + b"x" * size),
    "a FASTA record of short lines": (drain(Format.FASTA), lambda size: b">p\n" + b"A\n" * (size // 2)),
    "headers without residues": (drain(Format.FASTA), lambda size: b">\n" * (size // 2)),
    "a quote that is never closed": (drain(Format.CSV), lambda size: b'sequence\n"' + b"A\n" * (size // 2)),
    "quotes only": (drain(Format.CSV), lambda size: b"sequence\n" + b'"' * size),
    "many columns": (drain(Format.CSV), lambda size: b"sequence" + b",c" * (size // 2) + b"\nACD\n"),
    "blank lines": (drain(Format.LINES), lambda size: b"\n" * size),
    "carriage returns": (drain(Format.LINES), lambda size: b"\r" * size),
    "gzip of members of nothing": (lambda data: list(gunzip([data])), lambda size: gzip_fast(b"") * (size // 20)),
    "deep JSON": (parse_json, lambda size: b"[" * size),
    "many fields of JSON": (parse_json, lambda size: json.dumps({str(at): at for at in range(size // 10)}).encode()),
    "a long number": (parse_json, lambda size: b"[" + b"9" * size + b"]"),
    "many parts": (lambda data: parse_multipart(data, FORM), lambda size: form(size // 50)),
    "tags never closed": (lambda data: clean(data.decode()), lambda size: b"<a x=" * (size // 5)),
    "spaces in a tag": (lambda data: clean(data.decode()), lambda size: b"<a" + b" " * size),
}


TEXTS: dict[str, Callable[[int], str]] = {
    "marks x length": lambda size: "a" + "\u0301\u0316" * (size // 2),
    "marks x letters": lambda size: ("a" + "\u0301\u0316" * 20) * (size // 41),
    "links x length": lambda size: "www.x" * (size // 5) + "\uff0c",
    "entities x length": lambda size: "&" + "amp;" * (size // 4),
    "tags x length": lambda size: "</a>" + "<a b" * (size // 4),
}
"""What is worked on in C, which no count of lines sees."""


def make_hard(name: str, size: int) -> tuple[Read, bytes]:
    read, make = HARD[name]
    return read, make(size)


@pytest.mark.parametrize("name", HARD)
def test_twice_the_input_takes_about_twice_the_steps(name: str) -> None:
    small, large = (lines_run(*make_hard(name, size)) for size in (6_000, 12_000))
    assert large <= 2.6 * small + 1_000


@pytest.mark.parametrize("name", HARD)
def test_memory_is_bounded_by_the_input(name: str) -> None:
    read, data = make_hard(name, 100_000)
    attempt(read, data[:100])
    assert peak(read, data) < 40 * len(data) + (1 << 20)


@pytest.mark.parametrize("name", ["one endless line", "an endless FASTA header", "a quote that is never closed"])
def test_what_has_no_end_is_held_nowhere(name: str) -> None:
    small, large = (peak(*make_hard(name, size)) for size in (50_000, 200_000))
    assert large < 1.5 * small


def test_a_bomb_is_stopped_while_it_unpacks() -> None:
    bomb = gzip_fast(b"\0" * (16 << 20))
    given = []
    with pytest.raises(AssayError):
        given += [len(piece) for piece in gunzip([bomb])]
    assert peak(lambda data: sum(map(len, gunzip([data]))), bomb) < 8 << 20


@pytest.mark.parametrize("name", TEXTS)
def test_twice_the_text_takes_about_twice_the_time(name: str) -> None:
    texts = [TEXTS[name](size) for size in (50_000, 100_000)]
    small, large = (measure_time(lambda text=text: clean(text)) for text in texts)  # type: ignore[misc]
    assert large <= 2.5 * small + 0.01
