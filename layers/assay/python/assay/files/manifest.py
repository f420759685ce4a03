"""What is the same for a whole file job, pinned once by its plan: every shard, retry and redrive reads it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Final, Self

from assay.errors import ManifestInvalid
from assay.shards import Shard

VERSION: Final = 1
_PACKED: Final = ("", "gzip", "bz2", "xz", "zstd", "zip", "workbook")
PACKINGS: Final = (
    *_PACKED,
    *(f"{each}+{codec}".strip("+") for each in _PACKED for codec in ("utf-16-le", "utf-16-be")),
)
"""How a file may be packed, and from which encoding its text is read, `gzip+utf-16-le`; empty for plain text.

`assay.text.packing` reads these; it is not imported, for it brings NumPy, which the portal does not have.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """The uploaded object as it was when its job was planned; `size` in bytes, `version_id` None without versions."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None = None
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The pins of a job. Raises `ManifestInvalid` naming the field that cannot be.

    `format` is the kind's own word (`lines`, `fasta`, `csv`, ...), `header` a CSV's header row, which the shards that
    start after it (at byte `header_at`) read before their own lines, `models` role to name and version,
    `options` the kind's own.
    """

    job_id: str
    kind: str
    source: Source
    format: str
    shard_bytes: int
    shards: int
    models: Mapping[str, Mapping[str, str]]
    options: Mapping[str, Any] = field(default_factory=dict)
    compression: str = ""
    header: str = ""
    header_at: int = 0
    most_bytes: int = 0

    def __post_init__(self) -> None:
        """Check what a shard relies on."""
        for name in ("job_id", "kind", "format"):
            _require(isinstance(getattr(self, name), str) and bool(getattr(self, name)), name)
        _require(self.compression in PACKINGS, "compression")
        _require(_count(self.most_bytes, 0), "most_bytes")
        _require(isinstance(self.header, str) and _count(self.header_at, 0), "header")
        _require(isinstance(self.source, Source) and _plain(self.source) and bool(self.source.key), "source")
        _require(_count(self.shard_bytes, 1), "shard_bytes")
        most = max(-(-self.source.size // self.shard_bytes), 1)
        _require(_count(self.shards, 1) and self.shards in (1, most), "shards")
        _require(_flat(self.options), "options")
        _require(isinstance(self.models, Mapping) and all(_flat(named) for named in self.models.values()), "models")

    def shard(self, index: int) -> Shard:
        """Return the byte range of a shard; the only one has all bytes. Raises ManifestInvalid for one beyond."""
        if not 0 <= index < self.shards:
            raise ManifestInvalid(f"job {self.job_id} has {self.shards} shards, and none of index {index}")
        step = self.shard_bytes if self.shards > 1 else max(self.source.size, 1)
        return Shard(index, index * step, min((index + 1) * step, self.source.size))

    @property
    def pin(self) -> str:
        """Return a digest of all this; a partial made under another manifest has another."""
        return sha256(self.to_json().encode()).hexdigest()[:32]

    def to_json(self) -> str:
        """Return JSON from which `from_json` makes an equal value."""
        return json.dumps({"version": VERSION, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote. Raises ManifestInvalid."""
        try:
            body = json.loads(text)
            _require(body.pop("version") == VERSION, "version")
            return cls(**{**body, "source": Source(**body["source"])})
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ManifestInvalid(f"a job's manifest cannot be read: {error}") from error


def _count(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _plain(source: Source) -> bool:
    """Say whether an object is pinned by a size and text: what nests could not be written again."""
    texts = (source.bucket, source.key, source.etag, source.content_type, source.version_id or "")
    return _count(source.size, 0) and all(isinstance(text, str) for text in texts)


def _flat(values: object) -> bool:
    """Say whether this is an object of numbers, text, true, false and null."""
    return isinstance(values, Mapping) and not any(isinstance(value, (Mapping, list)) for value in values.values())


def _require(holds: bool, name: str) -> None:
    if not holds:
        raise ManifestInvalid(f"a job's manifest is wrong in {name!r}", field=name)
