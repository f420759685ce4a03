"""How JSON begins, for whoever has only the text to go by. Imports nothing: the portal asks too."""

import re
from typing import Final

_BRACKETS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\{\s*[\"}]|\[\s*[\"{\]\[])")


def looks_like_json(head: bytes) -> bool:
    """Say whether text begins as JSON of objects or lists does; TeX's braces and references in brackets do not."""
    return bool(_BRACKETS.match(head))
