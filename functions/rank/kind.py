"""Files of sequences as a kind of job: their options, their formats, the models that are pinned for them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from assay.files.manifest import Source
from assay.files.planning import QUOTED, Shape
from assay.ranking import RankOptions
from assay.sequences import Format, sniff
from rank.reading import with_options

_HEADER: Final = re.compile(rb"(\xef\xbb\xbf)?([\r\n]*)([^\r\n]+)[\r\n]")
_ESCAPE: Final = "surrogateescape"


@dataclass(frozen=True, slots=True)
class RankKind:
    """Ranking; `serving` says which gate and score model serve now for those options."""

    serving: Callable[[RankOptions], Mapping[str, Mapping[str, str]]]
    name: str = "rank"

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Return all options. Raises InvalidOption."""
        return asdict(with_options(RankOptions(), metadata))

    def shape(self, head: bytes, source: Source, options: Mapping[str, Any]) -> Shape:
        """Say how a file is read. A CSV's cut is safe where no row goes on behind a line end; shards look again."""
        fmt = sniff(head, source.content_type, source.key.rpartition("/")[2])
        if fmt is Format.CSV:
            return _csv(head)
        return Shape(fmt.value, True)

    def models(self, options: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
        """Return who serves as `gate` and as `score`. Raises NotFound, InvalidOption, ModelUnavailable."""
        return self.serving(RankOptions(**options))


def _csv(head: bytes) -> Shape:
    """Find the header row, which every shard after it needs."""
    found = _HEADER.match(head)
    quoted = any(line.count(b'"') % 2 for line in re.split(rb"[\r\n]+", head)[:-1])
    if found is None or quoted:
        return Shape(Format.CSV.value, False, why=QUOTED if quoted else "its header row is too long")
    mark, blank, header = found.groups(b"")
    return Shape(Format.CSV.value, True, header.decode("utf-8", _ESCAPE), len(mark + blank) if blank else 0)


def header_bytes(header: str) -> bytes:
    """Return a pinned header row as it stands in the file, ended by LF."""
    return header.encode("utf-8", _ESCAPE) + b"\n"
