"""Gzip as a stream: any number of members, bounded memory, and no bombs."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from assay.errors import TooLarge, UnreadableInput

MAGIC: Final = b"\x1f\x8b"
"""How gzip begins."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_FEED: Final = 1 << 15  # what follows a member is copied once per member, so long input would make that quadratic
_PIECE: Final = 1 << 20
_SUSPECT: Final = 4 << 20  # below this no ratio is suspicious: a small file of one repeated line packs 500:1


def gunzip(chunks: Iterable[bytes], *, limit: int | None = None, max_ratio: int = 300) -> Iterator[bytes]:
    """Yield the unpacked bytes in pieces of at most 1 MiB.

    Raises `UnreadableInput` where the input is not gzip, is corrupt or truncated, or unpacks to more than
    `max_ratio` times its size; `TooLarge` where it unpacks to more than `limit` bytes.
    """
    packed = unpacked = 0
    member = _Member()
    for data in _small(chunks):
        packed += len(data)
        for piece in member.feed(data):
            unpacked += len(piece)
            _judge(packed, unpacked, limit, max_ratio)
            yield piece
    member.close()


class _Member:
    """The member being read, replaced by the next where it ends."""

    def __init__(self) -> None:
        """Begin before the first member."""
        self._stream = zlib.decompressobj(_GZIP)
        self._members = 0
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Unpack `data`, which may end one member and begin others."""
        while data:
            data = data if self._begun or not self._members else data.lstrip(b"\0")
            self._begun = self._begun or bool(data)
            piece, data = self._step(data)
            if piece:
                yield piece

    def close(self) -> None:
        """Refuse input that ended within a member, or before the first."""
        if self._begun or not self._members:
            raise UnreadableInput("the gzip data is truncated")

    def _step(self, data: bytes) -> tuple[bytes, bytes]:
        """Unpack at most a piece of `data`; return it and what is left to feed."""
        try:
            piece = self._stream.decompress(data, _PIECE)
        except zlib.error as error:
            raise UnreadableInput("the gzip data is corrupt, or not gzip at all") from error
        if not self._stream.eof:
            return piece, self._stream.unconsumed_tail
        rest = self._stream.unused_data
        self._stream, self._members, self._begun = zlib.decompressobj(_GZIP), self._members + 1, False
        return piece, rest


def _small(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _FEED):
            yield chunk[start : start + _FEED]


def _judge(packed: int, unpacked: int, limit: int | None, max_ratio: int) -> None:
    """Stop at the first byte too many."""
    if unpacked > _SUSPECT and unpacked > max_ratio * packed:
        raise UnreadableInput(f"the gzip data unpacks to over {max_ratio} times its size", max_ratio=max_ratio)
    if limit is not None and unpacked > limit:
        raise TooLarge(f"the gzip data unpacks to over {limit} bytes", limit=limit)
