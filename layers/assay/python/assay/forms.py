"""Forms as browsers and curl send them: multipart/form-data, bounded, with every defect the caller's error."""

import io
from dataclasses import dataclass
from typing import Final

from assay.errors import MalformedBody, TooLarge

_MAX_PARTS: Final = 64


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
