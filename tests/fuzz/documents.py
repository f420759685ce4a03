"""Containers and JSON out of any bytes: opened or refused alike however they are cut, no worse than by the library."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from assay.packing import look, text
from assay.sequences import Limits
from assay.sequences.values import Value, values
from tests.fuzz.parsing import agreed, cut, knobs, outcome

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
        assert b"".join(text(cut(whole, size), name, limit=_MOST)) == body
        torn = bytearray(whole)
        torn[size * 7 % len(torn)] ^= 1 + size
        agreed(_opened, bytes(torn), size)


def _opened(chunks: Iterable[bytes]) -> bytes:
    held = list(chunks)
    return b"".join(text(held, look(held).packing, limit=_MOST))


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


def _values(chunks: Iterable[bytes]) -> str:
    return repr(list(values(chunks, ("sequences",), Limits())))


def _refuse(name: str) -> float:
    raise ValueError(name)
