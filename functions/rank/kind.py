"""Files of sequences as a kind of job: their options, their formats, the models that are pinned for them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from assay.files.headers import table
from assay.files.manifest import Source
from assay.files.planning import Shape
from assay.options import RANKING, RankOptions, from_metadata
from assay.sequences.formats import Format, sniff
from assay.sequences.json_items import fields_of
from rank.reading import with_options


@dataclass(frozen=True, slots=True)
class RankKind:
    """Ranking; `serving` says which gate and score model serve now for those options."""

    serving: Callable[[RankOptions], Mapping[str, Mapping[str, str]]]
    name: str = "rank"

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Return all options. Raises InvalidOption."""
        return asdict(with_options(RankOptions(), from_metadata(metadata, RANKING)))

    def shape(self, head: bytes, source: Source, options: Mapping[str, Any]) -> Shape:
        """Say how a file is read. A CSV's cut is safe where no row goes on behind a line end; shards look again."""
        fmt = sniff(head, source.content_type, source.key.rpartition("/")[2], options["column"])
        if fmt is Format.CSV:
            return table(head)
        if fmt is Format.JSON:
            return Shape(fmt.value, False, why="it is one JSON document")
        if fmt is Format.JSONL:
            return Shape(fmt.value, True, json.dumps(fields_of(head, options["column"])))
        if fmt is Format.WRAPPED:
            return Shape(fmt.value, False, why="its sequences go on over several lines")
        if fmt not in (Format.LINES, Format.FASTA):
            return Shape(fmt.value, False)
        return Shape(fmt.value, True)

    def models(self, options: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
        """Return who serves as `gate` and as `score`. Raises NotFound, InvalidOption, ModelUnavailable."""
        return self.serving(RankOptions(**options))
