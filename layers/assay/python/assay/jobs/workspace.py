"""A job's working objects in the results bucket: written by one step, read by another, overwritten by any retry."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Self

from assay.aws.s3 import Bucket, MemoryBucket, Writer
from assay.errors import AssayError, ManifestInvalid, ObjectMissing
from assay.jobs.byte_ranges import PIECE, Shard, Tally

if TYPE_CHECKING:
    from assay.jobs.progress import ShardNotes

VERSION: Final = 1
_PACKED: Final = ("", "gzip", "bz2", "xz", "zstd", "zip", "workbook")
PACKINGS: Final = (
    *_PACKED,
    *(f"{each}+{codec}".strip("+") for each in _PACKED for codec in ("utf-16-le", "utf-16-be")),
)
"""How a file may be packed, and from which encoding its text is read, `gzip+utf-16-le`; empty for plain text.

`assay.text.packing` reads these. It is not imported: the portal reads no file, and starts sooner without it.
"""

PinnedModels = Mapping[str, Mapping[str, str]]
"""The model of each role: `{"gate": {"name": ..., "version": ...}}`."""


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
class JobPlan:
    """The pins of a job. Raises `ManifestInvalid` naming the field that cannot be.

    `format` is the kind's word (`lines`, `fasta`, `csv`, ...). `header` is a CSV's header row at byte `header_at`; the
    shards that start after it read it before their lines. `models` maps a role to name and version, `options` are the
    kind's.
    """

    job_id: str
    kind: str
    source: Source
    format: str
    shard_bytes: int
    shards: int
    models: PinnedModels
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
            raise ManifestInvalid(f"job {self.job_id} has {self.shards} shards, but not number {index}")
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
        raise ManifestInvalid(f"a job's manifest has an invalid {name!r}", field=name)


_PARTIAL: Final = re.compile(r"/(\d{5,})\.json")
_LONGEST_KEY: Final = 1024
_SUMMARIES: Final = {"rank": "ranking", "classify": "classification"}


def folder(job_id: str) -> str:
    """Return the prefix of a job's working objects."""
    return f"partials/{job_id}/"


def manifest_key(job_id: str) -> str:
    """Return where a job's pins lie."""
    return f"{folder(job_id)}manifest.json"


def shards_key(job_id: str) -> str:
    """Return where the list lies that the state machine's map reads."""
    return f"{folder(job_id)}shards.json"


def partial_key(job_id: str, shard: int) -> str:
    """Return where a shard's result lies; it exists once the shard is done."""
    return f"{folder(job_id)}{shard:05d}.json"


def part_key(job_id: str, shard: int, name: str) -> str:
    """Return where something else of a shard lies: `part_key(job, 7, "rejected.csv")` ends in `00007.rejected.csv`."""
    return f"{folder(job_id)}{shard:05d}.{name}"


def shard_of(key: str) -> int | None:
    """Return which shard's result a key is of, None for any other key."""
    found = _PARTIAL.search(key)
    return int(found[1]) if found and found.end() == len(key) else None


def result_key(job_id: str, name: str) -> str:
    """Return where a result lies: `result_key(job, "ranking.csv")`."""
    return f"results/{job_id}/{name}"


def summary_key(job_id: str, kind: str) -> str:
    """Return where a job's summary lies, written last: `ranking.json` or `classification.json`."""
    return result_key(job_id, f"{_SUMMARIES[kind]}.json")


def pointer_key(upload: str) -> str:
    """Return where the pointer of an upload lies; a key too long to be part of another is named by its sha256."""
    plain = f"by-upload/{upload}.json"
    return plain if len(plain.encode()) <= _LONGEST_KEY else f"by-upload/{sha256(upload.encode()).hexdigest()}.json"


@dataclass(frozen=True, slots=True)
class ShardResult:
    """One shard, done. Lines within it are numbered from 1; `lines` of them, so that merging can number them all.

    `cut` says that the shard ended within a row, so that this file cannot be cut and the shard holds nothing else.
    `pin` names the manifest it was made under, `parts` its other objects by name and size in bytes
    (`{"rejected.csv": 120}` lies at `part_key(job, shard, "rejected.csv")`), `body` is the kind's own.

    `size` is the number of bytes of the stored object (packed, if it is gzip) that the shard owns and has read, from
    the byte `first` on; None in results of earlier versions.
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


def add_counts(results: list[Mapping[str, int]]) -> dict[str, int]:
    """Return the sums of counts by name."""
    names = {name: None for counts in results for name in counts}
    return {name: sum(counts.get(name, 0) for counts in results) for name in names}


_JSON = "application/json"
_MOST_BYTES = 64 << 20
"""Of a partial: 10,000 rows with carried cells of some kilobytes each."""
_FAILED = "failed.json"
_VOID = ""
"""The pin of a result that was taken back: no manifest has it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a shard gave up: the error's name and its message."""

    shard: int
    error: str
    cause: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """The working objects of one job; `memory` keeps the parts of its shards where one function does and joins them.

    `notes` is where shards note how far they are, None where nobody looks.
    """

    results: Bucket
    job_id: str
    memory: MemoryBucket | None = None
    notes: "ShardNotes | None" = None

    @property
    def parts(self) -> Bucket:
        """Return where the parts of shards lie."""
        return self.memory or self.results

    def begin_tally(self, shard: int, piece: int = PIECE) -> Tally:
        """Return what counts a shard's bytes, given out in pieces of that size, and notes now and then how many."""
        return Tally(partial(self.notes.write, self.job_id, shard) if self.notes else None, piece)

    def end_tally(self, result: ShardResult) -> None:
        """Note what a shard that is done has read."""
        if self.notes:
            self.notes.write(self.job_id, result.shard, result.size or 0, result.counts.get("received", 0))

    def keep(self, manifest: JobPlan) -> None:
        """Write what was planned."""
        self.results.put(manifest_key(self.job_id), manifest.to_json().encode(), _JSON)

    def list_shards(self, manifest: JobPlan) -> None:
        """Write the list of shards, which the state machine's map reads."""
        items = [{"job_id": self.job_id, "kind": manifest.kind, "shard": index} for index in range(manifest.shards)]
        self.results.put(shards_key(self.job_id), json.dumps(items).encode(), _JSON)

    def manifest(self) -> JobPlan:
        """Return what was planned. Raises ObjectMissing before that, ManifestInvalid."""
        return JobPlan.from_json(self._read(manifest_key(self.job_id)))

    def find_plan(self) -> JobPlan | None:
        """Return what was planned, None where nothing was yet."""
        try:
            return self.manifest()
        except ObjectMissing:
            return None

    def save(self, result: ShardResult) -> None:
        """Write a shard's result, the last of its objects."""
        self.results.put(partial_key(self.job_id, result.shard), result.to_json().encode(), _JSON)

    def load(self, shard: int) -> ShardResult:
        """Return a shard's result. Raises ObjectMissing while it is not done."""
        return ShardResult.from_json(self._read(partial_key(self.job_id, shard)))

    def find_result(self, shard: int, pin: str) -> ShardResult | None:
        """Return a shard's result made under the manifest `pin`, None where it has yet to be made."""
        try:
            result = self.load(shard)
        except ObjectMissing:
            return None
        return result if result.pin == pin else None

    def list_done(self) -> list[int]:
        """Return the shards whose result exists, in order; counted so, a retry counts once."""
        shards = map(shard_of, self.results.keys(folder(self.job_id)))
        return sorted(shard for shard in shards if shard is not None)

    def part(self, shard: int, name: str) -> str:
        """Return the key of another object of a shard."""
        return part_key(self.job_id, shard, name)

    def open_part(self, shard: int, name: str, content_type: str) -> Writer:
        """Return what writes another object of a shard, as a context."""
        return Writer(self.parts, self.part(shard, name), content_type)

    def lines(self, shard: int, name: str, size: int) -> Iterator[bytes]:
        """Yield an object of a shard, of `size` bytes, in pieces of whole lines."""
        carry = b""
        for chunk in self.parts.chunks(self.part(shard, name), stop=size):
            text = carry + chunk
            cut = text.rfind(b"\n") + 1
            carry = text[cut:]
            yield text[:cut]

    def note(self, failure: Failure) -> None:
        """Write down why a shard gave up."""
        body = json.dumps({"error": failure.error, "cause": failure.cause}).encode()
        self.results.put(self.part(failure.shard, _FAILED), body, _JSON)

    def void(self, shard: int, error: AssayError) -> None:
        """Take back a shard's result, so that the next run does the shard again, and write down why."""
        self.note(Failure(shard, type(error).__name__, error.message))
        self.save(ShardResult(shard, _VOID, 0, {}))

    def failures(self) -> Iterator[Failure]:
        """Yield the shards that gave up and have not been done since, in order."""
        keys = set(self.results.keys(folder(self.job_id)))
        for key in sorted(key for key in keys if key.endswith(f".{_FAILED}")):
            shard = int(key.rpartition("/")[2].partition(".")[0])
            if partial_key(self.job_id, shard) not in keys or self.load(shard).pin == _VOID:
                said = json.loads(self._read(key))
                yield Failure(shard, said["error"], said["cause"])

    def _read(self, key: str) -> bytes:
        found = self.results.get(key, limit=_MOST_BYTES)
        assert found is not None  # only a conditional read gives None
        return found[0]
