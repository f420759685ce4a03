"""Chunks of bytes to blocks of whole lines, in constant memory whatever the chunks or lines are."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from assay.text.records import Limits

BOM: Final = b"\xef\xbb\xbf"
_LF, _CR = b"\n\r"


class Frame(NamedTuple):
    """Whole lines, each ended by LF; or, where `overlong`, the first byte of one line that was skipped for its size."""

    data: bytes
    overlong: bool = False


def frames(chunks: Iterable[bytes], limits: Limits, *, bom: bool = True) -> Iterator[Frame]:
    """Yield the lines of `chunks` in blocks: line ends become LF, a missing last one is added, a BOM is dropped."""
    pieces = _pieces(chunks, max(limits.block_bytes, len(BOM)))
    return _whole_lines(_line_feeds(_without_bom(pieces) if bom else pieces), limits.record_bytes)


def _pieces(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in pieces of `size`, the last one shorter."""
    held: list[bytes] = []
    room = size
    for chunk in chunks:
        start = 0
        while len(chunk) - start >= room:
            yield b"".join([*held, chunk[start : start + room]])
            start, room, held = start + room, size, []
        held.append(chunk[start:])
        room -= len(chunk) - start
    if room < size:
        yield b"".join(held)


def _without_bom(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Drop a byte order mark, which lies within the first piece."""
    rest = iter(pieces)
    for first in rest:
        yield first.removeprefix(BOM)
        yield from rest


def _line_feeds(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Turn CRLF and lone CR into LF; a CR that ends a piece waits for the LF that may follow."""
    held = b""
    for piece in pieces:
        text = held + piece
        held = b"\r" if text.endswith(b"\r") else b""
        body = text[:-1] if held else text
        yield _unify_ends(body) if b"\r" in body else body
    if held:
        yield b"\n"


def _unify_ends(text: bytes) -> bytes:
    """Turn CRLF and CR into LF; where each CR has its LF, deleting them is faster."""
    codes = np.frombuffer(text, np.uint8)
    after = codes[1:][codes[:-1] == _CR]
    if codes[-1] != _CR and (after == _LF).all():
        return text.translate(None, b"\r")
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _whole_lines(pieces: Iterable[bytes], longest: int) -> Iterator[Frame]:
    """Cut pieces at their last LF; a line over `longest` bytes is skipped without being held."""
    carry, skipping = b"", False
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if not cut:
            carry = carry if skipping else carry + piece
        elif skipping:
            end = piece.find(b"\n") + 1
            yield Frame(carry, overlong=True)
            if cut > end:
                yield Frame(piece[end:cut])
            carry = piece[cut:]
        else:
            yield Frame(carry + piece[:cut])
            carry = piece[cut:]
        skipping = (skipping and not cut) or len(carry) > longest
        carry = carry[:1] if skipping else carry
    if carry:
        yield Frame(carry, overlong=True) if skipping else Frame(carry + b"\n")
