"""Which of the forms that a reply can have the caller wants: the header Accept, as RFC 9110 reads it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from assay.errors import NotAcceptable

_QUALITY: Final = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)", re.IGNORECASE)


def chosen(accept: str, offered: Sequence[str]) -> str:
    """Return the media type of `offered` that is wanted most, the earliest of equals. Raises NotAcceptable."""
    ranges = dict(_ranges(accept))
    if not ranges:
        return offered[0]
    wanted = {each: _quality(each, ranges) for each in offered}
    best = max(offered, key=lambda each: wanted[each])
    if wanted[best] <= 0:
        shown = accept[:100]
        raise NotAcceptable(f"cannot answer as {shown!r}; accept one of {', '.join(offered)}", offered=offered)
    return best


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.lower().split(","):
        name = part.partition(";")[0].strip()
        quality = _QUALITY.search(part)
        if name:
            yield name, float(quality[1]) if quality else 1.0


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """Return the quality that the most specific range gives a media type, 0 where none has it."""
    family = media_type.partition("/")[0]
    return next((ranges[each] for each in (media_type, f"{family}/*", "*/*") if each in ranges), 0.0)
