"""A zip with one file in it, read from its start to its end in constant memory, as a stream is.

The standard library's reader wants to seek, which an upload that is streamed cannot. Source of the format: PKWARE's
APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from assay.errors import UnreadableInput
from assay.text.compression import PIECE

_LOCAL: Final = b"PK\x03\x04"
_DESCRIPTOR: Final = b"PK\x07\x08"
_CENTRAL: Final = b"PK\x01\x02"
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_FIELDS: Final = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIBED, _MASKED = 0x0001, 0x0008, 0x2000
_AGES: Final = 99
_WIDE: Final = 0xFFFFFFFF
_METHODS: Final = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
_ASIDE: Final = ("__MACOSX/", "desktop.ini", "Thumbs.db", ".DS_Store")
"""What systems add to an archive without being asked."""
_MOST_ENTRIES: Final = 100
_MOST_INDEX: Final = 1 << 20
"""Bytes behind the last file: the list of what there is."""
_AGAIN: Final = "zip it again, with the usual method, or send the file itself"
Told = Callable[[str], None]


class _Entry(NamedTuple):
    """A file's local header: its name, how it is packed, and its size and checksum if they are there."""

    name: str
    flags: int
    method: int
    checksum: int
    packed: int

    @property
    def aside(self) -> bool:
        """Say whether this is a folder, or what a system added."""
        return self.name.endswith("/") or self.name.startswith(_ASIDE) or self.name.rpartition("/")[2] in _ASIDE

    @property
    def described(self) -> bool:
        """Say whether size and checksum follow the file."""
        return bool(self.flags & _DESCRIBED)


def unzip(chunks: Iterable[bytes], told: Told | None = None) -> Iterator[bytes]:
    """Yield the one file of a zip in pieces of at most 1 MiB; `told` hears its name before the first.

    Raises `UnreadableInput` if there is no file, a second one, a password, another method than store and deflate,
    a wrong checksum, a missing end, or something behind it.
    """
    source = _Source(chunk[at : at + PIECE] for chunk in chunks for at in range(0, len(chunk), PIECE))
    found: _Entry | None = None
    entries = 0
    while source.begins(_LOCAL):
        entries += 1
        entry = _entry(source)
        if entries > _MOST_ENTRIES:
            raise UnreadableInput("the zip has many entries: send one file, or a zip with one file")
        if not entry.aside:
            _hold_first(found, entry)
            found = entry
            if told:
                told(entry.name)
        pieces = _content(source, entry)
        yield from (piece for piece in pieces if not entry.aside)
    _close(source, entries)
    if found is None:
        raise UnreadableInput("the zip is empty")


def _hold_first(found: _Entry | None, entry: _Entry) -> None:
    """Refuse a second file."""
    if found is not None:
        names = f"{found.name[:100]!r} and {entry.name[:100]!r}"
        raise UnreadableInput(f"the zip has more than one file, {names}: send them one by one, or a zip with one")


@dataclass(slots=True)
class _Source:
    """Bytes that come in chunks, taken in the amounts that the format has."""

    chunks: Iterator[bytes]
    held: bytes = b""

    def begins(self, mark: bytes) -> bool:
        """Say whether `mark` comes next."""
        return self.peek(len(mark)) == mark

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes, or all that there are."""
        while len(self.held) < size and (more := next(self.chunks, b"")):
            self.held += more
        return self.held[:size]

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes and pass them. Raises UnreadableInput if there are fewer."""
        found = self.peek(size)
        if len(found) < size:
            raise UnreadableInput("the zip data is truncated")
        self.held = self.held[size:]
        return found

    def some(self, most: int) -> bytes:
        """Return what is at hand of the next `most` bytes, at least one. Raises UnreadableInput at the end."""
        return self.take(min(most, len(self.held) or len(self.peek(1)) or 1))


def _entry(source: _Source) -> _Entry:
    """Read a file's local header. Raises UnreadableInput if it is not supported."""
    _, _, flags, method, _, _, checksum, packed, size, name_size, extra_size = _FIELDS.unpack(source.take(_FIELDS.size))
    name = source.take(name_size).decode("utf-8" if flags & 0x800 else "cp437", "replace")
    extra = source.take(extra_size)
    if flags & (_ENCRYPTED | _MASKED) or method == _AGES:
        raise UnreadableInput("the zip has a password: send it without one")
    if method not in (_STORED, _DEFLATED):
        raise UnreadableInput(f"the zip is packed with {_METHODS.get(method, f'method {method}')}: {_AGAIN}")
    entry = _Entry(name, flags, method, checksum, _wide(extra, size) if packed == _WIDE else packed)
    if method == _STORED and entry.described and not packed:
        raise UnreadableInput(f"the zip does not say how long its file is: {_AGAIN}")
    return entry


def _wide(extra: bytes, size: int) -> int:
    """Return the packed size as zip64 has it, behind the whole size where that is wide too."""
    at = 0
    while len(extra) >= at + 4:
        kind, length = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + length][8 if size == _WIDE else 0 :]
        if kind == 1 and len(field) >= 8:
            return int.from_bytes(field[:8], "little")
        at += 4 + length
    raise UnreadableInput("the zip data is corrupt: a size is missing")


def _content(source: _Source, entry: _Entry) -> Iterator[bytes]:
    """Yield a file's bytes, held to its checksum."""
    checksum = 0
    for piece in _inflate(source) if entry.method == _DEFLATED else _copy_stored(source, entry.packed):
        checksum = zlib.crc32(piece, checksum)
        yield piece
    wanted = _skip_descriptor(source) if entry.described else entry.checksum
    if checksum != wanted:
        raise UnreadableInput("the zip data is corrupt: its checksum differs")


def _copy_stored(source: _Source, size: int) -> Iterator[bytes]:
    while size:
        piece = source.some(min(size, PIECE))
        size -= len(piece)
        yield piece


def _inflate(source: _Source) -> Iterator[bytes]:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    while not stream.eof:
        data = stream.unconsumed_tail or source.some(PIECE)
        try:
            piece = stream.decompress(data, PIECE)
        except zlib.error as error:
            raise UnreadableInput("the zip data is corrupt") from error
        if piece:
            yield piece
    source.held = stream.unused_data + source.held


def _skip_descriptor(source: _Source) -> int:
    """Pass the sizes that follow a file, of 4 or 8 bytes each; return the checksum before them."""
    signed = 4 if source.begins(_DESCRIPTOR) else 0
    for width in (4, 8):
        end = signed + 4 + 2 * width
        if source.peek(end + 4)[end:] in (_LOCAL, _CENTRAL):
            return int.from_bytes(source.take(end)[signed : signed + 4], "little")
    raise UnreadableInput("the zip data is truncated or corrupt")


def _close(source: _Source, entries: int) -> None:
    """Skip the central directory, which must list the entries that were seen, with nothing after it."""
    rest = source.peek(_MOST_INDEX + 1)
    if len(rest) > _MOST_INDEX:
        raise UnreadableInput("the zip data is corrupt: something else follows its files")
    at, listed = _skip_list(rest)
    if rest[at : at + 4] != _END and not _END.startswith(rest[at : at + 4]):
        raise UnreadableInput("the zip data is corrupt: something else follows its files")
    if len(rest) < at + _END_SIZE:
        raise UnreadableInput("the zip data is truncated")
    if len(rest) != at + _END_SIZE + int.from_bytes(rest[at + 20 : at + 22], "little"):
        raise UnreadableInput("the zip data is corrupt: something follows its end, or it is truncated")
    if listed != entries:
        raise UnreadableInput(f"the zip data is corrupt: it lists {listed} entries, and has {entries}")


def _skip_list(rest: bytes) -> tuple[int, int]:
    """Return where the list of entries ends, zip64's records included, and how many it has."""
    at = listed = 0
    while rest[at : at + 4] == _CENTRAL:
        sizes = struct.unpack("<3H", rest[at + 28 : at + 34].ljust(6, b"\0"))
        at, listed = at + 46 + sum(sizes), listed + 1
    if rest[at : at + 4] == b"PK\x06\x06":
        at += 12 + int.from_bytes(rest[at + 4 : at + 12], "little")
    if rest[at : at + 4] == b"PK\x06\x07":
        at += 20
    return at, listed
