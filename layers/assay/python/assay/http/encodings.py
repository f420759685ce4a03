"""Bodies as they travel: packed, as the header Content-Encoding says, or of several parts; unpacked or refused."""

import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from assay.errors import UPLOADS_HINT, MalformedBody, TooLarge, UnsupportedMediaType

MAX_BYTES: Final = 16 << 20
"""Of a body, unpacked."""
GZIP: Final = b"\x1f\x8b"
_FEED: Final = 1 << 13
_ACCEPTED: Final = "gzip, deflate, identity"
_MAX_PARTS: Final = 64


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
    return _inflate(body, 16 + zlib.MAX_WBITS, "gzip")


def _deflate(body: bytes) -> bytes:
    """Return what zlib packed, as RFC 9110 has it, or bare deflate data, as some clients send."""
    bare = body[:1] == b"" or body[0] & 0x0F != 8 or int.from_bytes(body[:2], "big") % 31
    return _inflate(body, -zlib.MAX_WBITS if bare else zlib.MAX_WBITS, "deflate")


def _inflate(body: bytes, bits: int, name: str) -> bytes:
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


@dataclass(frozen=True, slots=True)
class Part:
    """One file or field of a multipart body."""

    name: str
    filename: str
    content_type: str
    body: bytes


def parse_multipart(body: bytes, content_type: str) -> dict[str, Part]:
    """Return the parts of a multipart/form-data body by name.

    Raises MalformedBody, also where a name stands twice; TooLarge.
    """
    # Imported here, for most requests are not multipart.
    from multipart import MultipartError, MultipartParser, ParserLimitReached, parse_options_header  # type: ignore[import-untyped]

    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise MalformedBody("the multipart Content-Type has no boundary")
    limits = {"part_limit": _MAX_PARTS, "memory_limit": len(body) + 1, "spool_limit": len(body) + 1}
    try:
        parser = MultipartParser(io.BytesIO(body), boundary, len(body), strict=True, **limits)
        found = [Part(part.name, part.filename or "", part.content_type or "", part.raw) for part in parser]
    except ParserLimitReached as error:
        raise TooLarge(f"the multipart body is over a limit: {error}") from None
    except (MultipartError, ValueError, LookupError) as error:
        raise MalformedBody(f"the multipart body cannot be read: {error}") from None
    for part in found:
        twice = [each for each in found if each.name == part.name]
        if len(twice) > 1:
            raise MalformedBody(_twice(twice), field=part.name)
    return {part.name: part for part in found}


def _twice(parts: list[Part]) -> str:
    """Say which name stands more than once: neither may be dropped unseen."""
    name = parts[0].name[:80]
    files = [part.filename[:80] for part in parts if part.filename]
    if files:
        listed = ", ".join(map(repr, files[:8]))
        return f"the form has {len(parts)} files {name!r}, {listed}: send them one by one, or joined"
    return f"the form has {name!r} {len(parts)} times: send it once"
