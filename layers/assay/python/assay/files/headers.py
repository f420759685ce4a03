"""A CSV's header row, which every shard after the first needs, and whether its rows may be cut."""

import re
from typing import Final

from assay.files.planning import QUOTED, Shape

FORMAT: Final = "csv"
_HEADER: Final = re.compile(rb"(\xef\xbb\xbf)?([\r\n]*)([^\r\n]+)[\r\n]")
_ESCAPE: Final = "surrogateescape"


def table(head: bytes) -> Shape:
    """Find the header row. A cut is safe where no row goes on behind a line end; shards look again."""
    found = _HEADER.match(head)
    quoted = any(line.count(b'"') % 2 for line in re.split(rb"[\r\n]+", head)[:-1])
    if found is None or quoted:
        return Shape(FORMAT, False, why=QUOTED if quoted else "its header row is too long")
    mark, blank, header = found.groups(b"")
    return Shape(FORMAT, True, header.decode("utf-8", _ESCAPE), len(mark + blank) if blank else 0)


def header_bytes(header: str) -> bytes:
    """Return a pinned header row as it stands in the file, ended by LF."""
    return header.encode("utf-8", _ESCAPE) + b"\n"
