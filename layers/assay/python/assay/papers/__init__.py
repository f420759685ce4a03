"""Papers: from words on pages to the abstract. Pure: no I/O, no PDF library."""

from typing import Final

MAX_BYTES: Final = 64 << 20
"""Of a PDF that is read."""
