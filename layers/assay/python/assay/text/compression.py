"""Unpack gzip, bzip2, xz and Zstandard as a stream: any number of members, bounded memory, no bombs."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from assay.errors import RuntimeMissing, TooLarge, UnreadableInput

PIECE: Final = 1 << 20
"""Bytes that are unpacked at once, at most."""
MAX_RATIO: Final = 300
_GZIP: Final = 16 + zlib.MAX_WBITS
_FEED: Final = 1 << 15  # what follows a member is copied once per member, so long input would make that quadratic
_SUSPECT: Final = 4 << 20  # below this no ratio is suspicious: a small file of one repeated line packs 500:1
_DICTIONARY: Final = 128 << 20
"""Bytes that a reader may hold for what was unpacked before: `xz -9` has 64 MiB, `zstd --ultra -22` 128 MiB."""
_MANY: Final = 10_000
_SMALLEST: Final = 100
"""Bytes of a member on average, if there are many: a stream of empty ones would cost a reader each."""


class Stream(Protocol):
    """What unpacks one member, as the standard library has it for bzip2, xz and Zstandard."""

    @property
    def eof(self) -> bool:
        """Say whether the member has ended."""

    @property
    def unused_data(self) -> bytes:
        """Return the bytes after the member's end."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Unpack some more, at most `max_length` bytes; the rest waits for the next call."""


Read = Callable[[Iterable[bytes]], Iterator[bytes]]


def gunzip(chunks: Iterable[bytes], *, limit: int | None = None, max_ratio: int = MAX_RATIO) -> Iterator[bytes]:
    """Yield the unpacked bytes in pieces of at most 1 MiB.

    Raises `UnreadableInput` where the input is not gzip, is corrupt or truncated, or unpacks to more than
    `max_ratio` times its size; `TooLarge` where it unpacks to more than `limit` bytes.
    """
    return judge_ratio(chunks, READERS["gzip"], "gzip", limit=limit, max_ratio=max_ratio)


def judge_ratio(
    chunks: Iterable[bytes], read: Read, name: str, *, limit: int | None = None, max_ratio: int = MAX_RATIO
) -> Iterator[bytes]:
    """Yield what `read` unpacks. Raises like `read`, and like `gunzip` if it is too much or out of proportion."""
    given = _Counted(chunks)
    unpacked = 0
    for piece in read(given):
        unpacked += len(piece)
        if unpacked > _SUSPECT and unpacked > max_ratio * given.size:
            raise UnreadableInput(f"the {name} data unpacks to over {max_ratio} times its size", max_ratio=max_ratio)
        if limit is not None and unpacked > limit:
            raise TooLarge(f"the {name} data unpacks to over {limit} bytes", limit=limit)
        yield piece


class _Counted:
    """Chunks in small pieces, and how many bytes have been given."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield the same bytes, some 32 KiB at a time."""
        for chunk in self._chunks:
            for start in range(0, len(chunk), _FEED):
                piece = chunk[start : start + _FEED]
                self.size += len(piece)
                yield piece


class _Members:
    """The member that is read now; the next one replaces it at its end."""

    def __init__(self, name: str, make: Callable[[], Stream], errors: tuple[type[Exception], ...]) -> None:
        self._name, self._make, self._errors = name, make, errors
        self._stream = make()
        self._ended = self._fed = 0
        self._begun = False

    def read(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield what all members hold."""
        for data in chunks:
            self._fed += len(data)
            yield from self._feed(data)
        if self._begun or not self._ended:
            raise UnreadableInput(f"the {self._name} data is truncated")

    def _feed(self, data: bytes) -> Iterator[bytes]:
        """Unpack `data`, which may end one member and begin others; zeros between them are padding."""
        more = False
        while data or more:
            data = data if self._begun or not self._ended else data.lstrip(b"\0")
            if not data and not self._begun:
                return
            self._begun = True
            piece, data, more = self._step(data)
            if piece:
                yield piece

    def _step(self, data: bytes) -> tuple[bytes, bytes, bool]:
        """Unpack at most a piece; return it, what is left to feed, and whether there is more without being fed."""
        try:
            piece = self._stream.decompress(data, PIECE)
        except self._errors as error:
            raise UnreadableInput(f"the {self._name} data is corrupt, or not {self._name} at all") from error
        if not self._stream.eof:
            return piece, b"", len(piece) == PIECE
        rest = self._stream.unused_data
        self._begin()
        return piece, rest, False

    def _begin(self) -> None:
        """Be ready for another member."""
        self._stream, self._ended, self._begun = self._make(), self._ended + 1, False
        if self._ended > _MANY and self._fed < self._ended * _SMALLEST:
            raise UnreadableInput(f"the {self._name} data has too many parts: pack it again in one")


class _Zlib:
    """zlib's own reader, as those of the other kinds are asked."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)

    @property
    def eof(self) -> bool:
        """Say whether the member has ended."""
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        """Return the bytes after the member's end."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Unpack some more."""
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


def _gzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    return _Members("gzip", _Zlib, (zlib.error,)).read(chunks)


def _bzip2(chunks: Iterable[bytes]) -> Iterator[bytes]:
    from bz2 import BZ2Decompressor

    return _Members("bzip2", BZ2Decompressor, (OSError, ValueError)).read(chunks)


def _xz(chunks: Iterable[bytes]) -> Iterator[bytes]:
    from lzma import FORMAT_XZ, LZMADecompressor, LZMAError

    return _Members("xz", lambda: LZMADecompressor(FORMAT_XZ, _DICTIONARY), (LZMAError,)).read(chunks)


def _zstandard(chunks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
    except ImportError:
        raise RuntimeMissing("this deployment cannot read Zstandard: backports.zstd is not installed") from None

    options: dict[int, int] = {DecompressionParameter.window_log_max: _DICTIONARY.bit_length() - 1}
    return _Members("Zstandard", lambda: ZstdDecompressor(options=options), (ZstdError,)).read(chunks)


READERS: Final[dict[str, Read]] = {"gzip": _gzip, "bz2": _bzip2, "xz": _xz, "zstd": _zstandard}
"""What reads each kind of packed stream."""
