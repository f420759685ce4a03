"""Bodies that were packed on their way, as the header Content-Encoding says: unpacked, bounded, or refused."""

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from assay.errors import UPLOADS_HINT, MalformedBody, TooLarge, UnsupportedMediaType

MAX_BYTES: Final = 16 << 20
"""Of a body, unpacked."""
GZIP: Final = b"\x1f\x8b"
_FEED: Final = 1 << 13
_ACCEPTED: Final = "gzip, deflate, identity"


def decode_body(body: bytes, encoding: str) -> bytes:
    """Return a body as it was before what the header Content-Encoding lists was done to it, last thing first.

    Raises UnsupportedMediaType for what is not known here, MalformedBody for what is not so packed, TooLarge.
    """
    for name in reversed([each.strip().lower() for each in encoding.split(",") if each.strip()]):
        if name not in _DECODERS:
            message = f"Content-Encoding {name[:40]!r} is not supported here; send {_ACCEPTED}"
            raise UnsupportedMediaType(message, accepted=_ACCEPTED)
        body = _DECODERS[name](body)
    return body


def unpack_gzip(body: bytes) -> bytes:
    """Return what a gzip body holds, of any number of members. Raises MalformedBody, TooLarge."""
    return _inflated(body, 16 + zlib.MAX_WBITS, "gzip")


def _deflate(body: bytes) -> bytes:
    """Return what zlib packed, as RFC 9110 has it, or bare deflate data, as some clients send."""
    bare = body[:1] == b"" or body[0] & 0x0F != 8 or int.from_bytes(body[:2], "big") % 31
    return _inflated(body, -zlib.MAX_WBITS if bare else zlib.MAX_WBITS, "deflate")


def _inflated(body: bytes, bits: int, name: str) -> bytes:
    """Unpack members that follow each other, fed a little at a time: what follows a member is copied for each."""
    parts: list[bytes] = []
    stream, at, size = zlib.decompressobj(bits), 0, 0
    while at < len(body):
        data = body[at : at + _FEED]
        stream = zlib.decompressobj(bits) if stream.eof else stream
        try:
            parts.append(stream.decompress(data, MAX_BYTES - size + 1))
        except zlib.error:
            raise MalformedBody(f"the body is not {name}, or it is damaged") from None
        at += len(data) - len(stream.unused_data)
        size += len(parts[-1])
        if size > MAX_BYTES:
            raise TooLarge(f"the body unpacks to over {MAX_BYTES} bytes; {UPLOADS_HINT}", limit=MAX_BYTES)
    if body and not stream.eof:
        raise MalformedBody(f"the {name} body is truncated")
    return b"".join(parts)


def _same(body: bytes) -> bytes:
    return body


_DECODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "gzip": unpack_gzip,
    "x-gzip": unpack_gzip,
    "deflate": _deflate,
    "identity": _same,
}
