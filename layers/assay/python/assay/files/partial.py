"""What a shard leaves behind: small enough for one object, and all that merging needs beside the larger parts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class ShardResult:
    """One shard, done. Lines within it are numbered from 1; `lines` of them, so that merging can number them all.

    `cut` says that the shard ended within a row, so that this file cannot be cut and the shard holds nothing else.
    `pin` names the manifest it was made under, `parts` its other objects by name and size in bytes
    (`{"rejected.csv": 120}` lies at `part_key(job, shard, "rejected.csv")`), `body` is the kind's own.

    `size` says how many bytes of the object as it lies there (packed, where it is gzip) the shard owns and has read,
    from the byte `first` on; None in results of earlier versions.
    """

    shard: int
    pin: str
    lines: int
    counts: Mapping[str, int]
    parts: Mapping[str, int] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    cut: bool = False
    first: int = 0
    size: int | None = None

    def to_json(self) -> str:
        """Return JSON from which `from_json` makes an equal value."""
        return json.dumps(asdict(self), ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


def added(results: list[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of counts by name."""
    names = {name: None for counts in results for name in counts}
    return {name: sum(counts.get(name, 0) for counts in results) for name in names}


def first_lines(results: list[ShardResult]) -> list[int]:
    """Return the line of the whole file that each shard's line 1 is; results in order of their shards, none missing."""
    starts, line = [], 1
    for result in results:
        starts.append(line)
        line += result.lines
    return starts
