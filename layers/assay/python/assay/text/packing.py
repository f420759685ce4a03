"""Recognise a packed input by its first bytes and unpack it: one way for requests, files and commands."""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from assay.errors import UPLOADS_HINT, TooLarge
from assay.text.compression import MAX_RATIO, READERS, Read, judge_ratio
from assay.text.signatures import HEAD, recognise
from assay.text.workbook import read_workbook
from assay.text.zip_archive import unzip

_CODECS: Final = ("utf-16-le", "utf-16-be")
_ENDINGS: Final = (".gz", ".gzip", ".bgz", ".bz2", ".xz", ".zst", ".zstd", ".zip")
PACKED_TYPES: Final = (
    "application/gzip",
    "application/x-gzip",
    "application/zip",
    "application/x-zip-compressed",
    "application/bzip2",
    "application/x-bzip2",
    "application/x-bzip",
    "application/x-xz",
    "application/zstd",
    "application/x-zstd",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
"""Content types that say how something is packed, and nothing of what is inside."""
WORKBOOKS: Final = ("xlsx", "xls", "ods")
PACKED: Final = ("", *READERS, "zip", "workbook")
PACKINGS: Final = (*PACKED, *(f"{each}+{codec}".strip("+") for each in PACKED for codec in _CODECS))
"""The words for all that is unpacked: how, and then from which encoding, `gzip+utf-16-le`; empty for plain text."""


class Look(NamedTuple):
    """How input is packed (of `PACKINGS`), the first `HEAD` bytes of the text inside, and the name of that."""

    packing: str
    head: bytes
    name: str


def look(chunks: Iterable[bytes], name: str = "") -> Look:
    """Judge input by its beginning; as many chunks are taken as that needs. Raises UnreadableInput, RuntimeMissing."""
    rest = iter(chunks)
    taken = _take(rest)
    first = b"".join(taken)[:HEAD]
    found = recognise(first)
    packed = "" if found is None else "workbook" if found.name in WORKBOOKS else found.name
    packed = packed if packed in PACKED else ""
    names: list[str] = []
    read = (lambda each: unzip(each, names.append)) if packed == "zip" else _reader(packed)
    head = b"".join(_take(judge_ratio(chain(taken, rest), read, packed)))[:HEAD] if read else first
    codec = _codec(head)
    inner = names[0].rpartition("/")[2] if names else _stem(name) if packed else name
    inner = f"{inner}.csv" if packed == "workbook" else inner
    return Look(f"{packed}+{codec}".strip("+"), b"".join(_decode([head], codec)) if codec else head, inner)


def open_text(
    chunks: Iterable[bytes], packing: str, *, limit: int | None = None, max_ratio: int = MAX_RATIO
) -> Iterator[bytes]:
    """Yield the text inside, UTF-16 as UTF-8, in pieces of a few MiB at most.

    Raises UnreadableInput where it is corrupt, truncated, out of proportion, or not one file; TooLarge over `limit`
    bytes; RuntimeMissing where this deployment has no reader for it.
    """
    packed, _, codec = packing.rpartition("+") if "+" in packing else ("", "", packing)
    if codec not in _CODECS:
        packed, codec = codec, ""
    read = _reader(packed)
    whole = judge_ratio(chunks, read, packed, limit=limit, max_ratio=max_ratio) if read else iter(chunks)
    return _decode(whole, codec) if codec else whole


def _reader(packed: str) -> Read | None:
    """Return what reads input that is packed so, None for plain text."""
    return {**READERS, "zip": unzip, "workbook": read_workbook}.get(packed)


def _take(chunks: Iterator[bytes]) -> list[bytes]:
    """Return as many chunks as `HEAD` bytes need."""
    taken, size = [], 0
    while size < HEAD and (chunk := next(chunks, None)) is not None:
        taken.append(chunk)
        size += len(chunk)
    return taken


def _stem(name: str) -> str:
    """Return a file's name without the ending that says how it is packed."""
    return next((name[: -len(ending)] for ending in _ENDINGS if name.lower().endswith(ending)), name)


def _codec(head: bytes) -> str:
    """Return which UTF-16 this is, empty for none: by its mark, or by a NUL beside nearly every letter."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _CODECS[0] if head.startswith(codecs.BOM_UTF16_LE) else _CODECS[1]
    if len(head) < 8 or 0 not in head:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 2 * 9 // 10
    if even and odd:
        return ""
    return _CODECS[0] if odd > most else _CODECS[1] if even > most else ""


def _decode(chunks: Iterable[bytes], codec: str) -> Iterator[bytes]:
    """Yield UTF-16 as UTF-8; invalid characters become U+FFFD, and a byte order mark stays."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8")
    yield decoder.decode(b"", True).encode("utf-8")


def unpack(body: bytes, name: str, limit: int) -> tuple[bytes, str]:
    """Return a body as unpacked text, and the name of the file inside.

    Raises UnreadableInput, TooLarge over `limit` bytes, RuntimeMissing.
    """
    found = look([body], name)
    if not found.packing:
        return body, name
    try:
        return b"".join(open_text([body], found.packing, limit=limit)), found.name
    except TooLarge as error:
        raise TooLarge(f"{error.message}; {UPLOADS_HINT}", limit=limit) from None
