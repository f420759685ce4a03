"""Containers and JSON out of any bytes: opened or refused alike however they are cut, no worse than by the library."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final

from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.json_values import Value, values
from assay.text.packing import look, open_text
from assay.text.records import Limits
from tests.fuzz.parsing import agreed, cut, knobs, outcome
from tests.unit.reference import SMALL, Record, flat

_MOST: Final = 1 << 16


def _zipped(body: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", body)
    return held.getvalue()


PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": _zipped,
}


def containers(data: bytes) -> None:
    """What begins as something packed is opened or refused; what was packed comes back; damage is no crash."""
    size, _, body = knobs(data)
    agreed(_opened, body, size)
    for name, pack in PACKERS.items():
        whole = pack(body)
        assert b"".join(open_text(cut(whole, size), name, limit=_MOST)) == body
        torn = bytearray(whole)
        torn[size * 7 % len(torn)] ^= 1 + size
        agreed(_opened, bytes(torn), size)


def _opened(chunks: Iterable[bytes]) -> bytes:
    held = list(chunks)
    return b"".join(open_text(held, look(held).packing, limit=_MOST))


def listed(data: bytes) -> None:
    """A document gives the same records or the same refusal however it is cut, and those that the library sees."""
    size, _, body = knobs(data)
    known, found = outcome(_values, [body])
    assert outcome(_values, cut(body, size))[0] == known
    with suppress(ValueError, RecursionError):
        whole = json.loads(body.decode("utf-8"), parse_constant=_refuse)
        if isinstance(whole, list):
            assert (
                outcome(_values, cut(body, size))[1] == found == repr(list(map(Value, range(1, len(whole) + 1), whole)))
            )


def flat_files(data: bytes) -> None:
    """FASTQ, flat files and alignments: the same records however they are cut, lines ascending within a block."""
    size, limits, body = knobs(data)
    for fmt in (Format.FASTQ, Format.EMBL, Format.GENBANK, Format.STOCKHOLM, Format.CLUSTAL):
        agreed(partial(_flat, fmt=fmt, limits=limits), body, size)


def _flat(chunks: Iterable[bytes], fmt: Format, limits: Limits) -> list[Record]:
    return list(flat(parse(chunks, fmt, SMALL, limits=limits)))


def _values(chunks: Iterable[bytes]) -> str:
    return repr(list(values(chunks, ("sequences",), Limits())))


def _refuse(name: str) -> float:
    raise ValueError(name)
