"""A CSV's header row, which every shard after the first needs, and whether its rows may be cut."""

import re
from typing import Final

from assay.files.planning import QUOTED, Shape

FORMAT: Final = "csv"
_HEADER: Final = re.compile(rb"(\xef\xbb\xbf)?([\r\n]*)(\"?sep=.[^\r\n]{,20}[\r\n]+)?([^\r\n]+)[\r\n]", re.IGNORECASE)
_ESCAPE: Final = "surrogateescape"


def table(head: bytes) -> Shape:
    """Find the header row. A cut is safe where no row goes on behind a line end; shards look again."""
    found = _HEADER.match(head)
    quoted = any(line.count(b'"') % 2 for line in re.split(rb"[\r\n]+", head)[:-1])
    if found is None or quoted:
        return Shape(FORMAT, False, why=QUOTED if quoted else "its header row is too long")
    mark, blank, named, header = found.groups(b"")
    at = len(mark + blank + named) if blank or named else 0
    text = b"\n".join(filter(None, (named.strip(), header)))
    return Shape(FORMAT, True, text.decode("utf-8", _ESCAPE), at)


def header_bytes(header: str) -> bytes:
    """Return a pinned header row as it stands in the file, ended by LF, behind the line that names its separator."""
    return header.encode("utf-8", _ESCAPE) + b"\n"


def line_of(header: str) -> int:
    """Return the number of the first line of a pinned header, so that what follows it is numbered from 1."""
    return -header.count("\n")
