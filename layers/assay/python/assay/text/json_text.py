"""How JSON begins. Imports little, because the portal uses it too."""

import re
from typing import Any, Final

_BRACKETS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[\"{\]\[])")


def looks_like_json(head: bytes) -> bool:
    """Say whether text begins as JSON of objects or lists does; TeX's braces and references in brackets do not."""
    return bool(_BRACKETS.match(head))


class NamedTwice(ValueError):
    """A JSON object has a name twice: of two values none can be told to be the right one."""


def require_once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a decoded object with unique names. Raises NamedTwice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise NamedTwice(f"the JSON has the name {name[:100]!r} twice in one object")
            seen.add(name)
    return found
