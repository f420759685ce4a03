"""From an uploaded object to a manifest: pin what was dropped, look at how it begins, cut it into shards."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Protocol, Self

from assay.aws.s3 import Bucket
from assay.errors import ObjectChanged, TooLarge
from assay.jobs.byte_ranges import cut_ranges as cut
from assay.jobs.merging import Joined
from assay.jobs.workspace import JobPlan, PinnedModels, ShardResult, Source, Workspace

QUOTED: Final = "some of its cells hold line ends"
_UNPACKED: Final = 8
"""Times the size at which an object is too large to be one shard: so much it may unpack to."""
_LITTLE: Final = 1 << 16
_QUOTE: Final = '"'
_MORE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """What an event says of an object; `version_id` and `etag` empty where it does not say."""

    bucket: str
    key: str
    version_id: str = ""
    etag: str = ""

    def to_json(self) -> dict[str, str]:
        """Return what `from_json` reads: the input of a state machine."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read an upload among other fields."""
        return cls(**{name: str(values.get(name, "")) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class FileShape:
    """How a kind reads an object: its word for the format, whether cuts are safe, a CSV's header row and its place.

    `why` says what stands against cutting, for the refusal of an object too large to be one shard; a reader's `limit`,
    if given, replaces the usual one.
    """

    format: str
    splittable: bool
    header: str = ""
    header_at: int = 0
    why: str = "this format cannot be cut"
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Caps:
    """What one job may be: bytes of a shard, shards, and bytes of an object that is one shard for its format."""

    shard_bytes: int
    shards: int
    unsplit_bytes: int


class JobType(Protocol):
    """What a kind of job brings: how its files are planned, how a shard is done, how the shards are joined."""

    @property
    def name(self) -> str:
        """Return the first part of its uploads' keys."""
        ...

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Return all options, those of the object's metadata chosen. Raises InvalidOption."""
        ...

    def shape(self, head: bytes, source: Source, options: Mapping[str, Any]) -> FileShape:
        """Judge an object by its first (unpacked) bytes, content type and name. Raises UnreadableInput."""
        ...

    def models(self, options: Mapping[str, Any], /) -> PinnedModels:
        """Return role to name and version of the models that serve now. Raises NotFound, ModelUnavailable."""
        ...

    def work(self, plan: JobPlan, index: int, uploads: Bucket, working: Workspace) -> ShardResult:
        """Do a shard with the models that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
        ...

    def join(self, plan: JobPlan, working: Workspace, shards: Iterable[ShardResult]) -> Joined:
        """Write a job's results, all but its summary, from those of its shards in order. Raises Unaccounted.

        What reading the shards' results raises is raised too: ShardFailed, CutInRow.
        """
        ...


def plan_job(
    kind: JobType,
    working: Workspace,
    upload: Upload,
    uploads: Bucket,
    caps: Caps,
    *,
    fresh: bool = False,
    given: Mapping[str, Any] | None = None,
) -> JobPlan:
    """Return the job's manifest, made and kept by the first call; later ones find it and change nothing.

    `fresh` says that there was none yet, `given` has the `options` and `models` of a job that runs again. Raises
    ObjectMissing, ObjectChanged, InvalidOption, UnreadableInput, TooLarge, ModelUnavailable.
    """
    found = None if fresh else working.find_plan()
    if found is None:
        given = given or {}
        found = new_plan(kind, working.job_id, upload, uploads, caps, given.get("options"), given.get("models"))
        working.keep(found)
    return found


def new_plan(
    kind: JobType,
    job_id: str,
    upload: Upload,
    uploads: Bucket,
    caps: Caps,
    options: Mapping[str, Any] | None = None,
    models: PinnedModels | None = None,
) -> JobPlan:
    """Return a new manifest; where no options are given, they are those of the object's metadata.

    Where no models are, they are those that serve now.

    Raises as `plan_job` does.
    """
    source, metadata, head = pin_object(uploads, upload)
    if options is None:
        options = kind.options({name.replace("-", "_"): value for name, value in metadata.items()})
    from assay.text.packing import look  # the portal reads no file, and starts sooner without it

    chunks = [head] if source.size == len(head) else _read_on(uploads, source, head)
    found = look(chunks, source.key.rpartition("/")[2])
    shape = kind.shape(found.head, replace(source, key=found.name), options)
    shards = _shards(source, found.packing, shape, caps)
    return JobPlan(
        job_id=job_id,
        kind=kind.name,
        source=source,
        format=shape.format,
        shard_bytes=caps.shard_bytes,
        shards=shards,
        models=models or kind.models(options),
        options=options,
        compression=found.packing,
        most_bytes=_UNPACKED * caps.unsplit_bytes if found.packing else 0,
        header=shape.header,
        header_at=shape.header_at,
    )


def pin_object(uploads: Bucket, upload: Upload) -> tuple[Source, Mapping[str, str], bytes]:
    """Return the object as it is, its metadata, and its first bytes.

    Raises ObjectMissing; ObjectChanged where the event saw another.
    """
    etag = f'"{upload.etag.strip(_QUOTE)}"' if upload.etag else None
    try:
        info, head = uploads.read_start(upload.key, _LITTLE, etag=etag, version=upload.version_id or None)
    except ObjectChanged as error:
        message = f"{upload.key} was replaced before its job began; its new content is another job"
        raise ObjectChanged(message, key=upload.key) from error
    source = Source(uploads.name, info.key, info.size, info.etag, info.version_id, info.content_type)
    return source, info.metadata, head


def as_one_shard(manifest: JobPlan, caps: Caps) -> JobPlan:
    """Return the same with one shard, for a file that turned out not to be one that can be cut. Raises TooLarge."""
    _require_unsplit(manifest.source, QUOTED, caps)
    return replace(manifest, shards=1, header="", header_at=0)


def _shards(source: Source, compression: str, shape: FileShape, caps: Caps) -> int:
    """Return how many shards there are. Raises TooLarge, saying which limit and what to do."""
    if shape.limit is not None:
        if source.size > shape.limit:
            message = f"{source.key} has {source.size:,} bytes, and {shape.why}: at most {shape.limit:,} are read"
            raise TooLarge(message, limit=shape.limit)
        return 1
    if compression or not shape.splittable:
        _require_unsplit(source, f"{compression} can only be read from its start" if compression else shape.why, caps)
        return 1
    count = len(cut(source.size, caps.shard_bytes, splittable=True))
    if count > caps.shards:
        raise TooLarge(
            f"{source.key} has {source.size:,} bytes and would take {count:,} shards, but a job may take "
            f"{caps.shards:,} ({caps.shards * caps.shard_bytes:,} bytes): send it in parts, or have "
            "the operator raise MaxJobShards",
            limit=caps.shards,
        )
    return count


def _require_unsplit(source: Source, why: str, caps: Caps) -> None:
    """Raise TooLarge for an object that one function would not read in time."""
    if source.size > caps.unsplit_bytes:
        raise TooLarge(
            f"{source.key} has {source.size:,} bytes, and {why}, so one function has to read all of it, "
            f"which is limited to {caps.unsplit_bytes:,} bytes (MaxUnsplitMegabytes): send it in parts, or "
            "uncompressed with a sequence a line",
            limit=caps.unsplit_bytes,
        )


def _read_on(uploads: Bucket, source: Source, head: bytes) -> Iterator[bytes]:
    """Yield an object from its start, of which the head is there; what is not asked for is not read."""
    yield head
    start, stop = len(head), min(source.size, len(head) + _MORE)
    while start < source.size:
        yield uploads.read_range(source.key, start, stop, etag=source.etag, version=source.version_id)
        start, stop = stop, min(source.size, stop + _MORE)


FORMAT: Final = "csv"
_HEADER: Final = re.compile(rb"(\xef\xbb\xbf)?([\r\n]*)(\"?sep=.[^\r\n]{,20}[\r\n]+)?([^\r\n]+)[\r\n]", re.IGNORECASE)
_ESCAPE: Final = "surrogateescape"


def table_shape(head: bytes) -> FileShape:
    """Find the header row. A cut is safe where no row goes on behind a line end; shards look again."""
    found = _HEADER.match(head)
    quoted = any(line.count(b'"') % 2 for line in re.split(rb"[\r\n]+", head)[:-1])
    if found is None or quoted:
        return FileShape(FORMAT, False, why=QUOTED if quoted else "its header row is too long")
    mark, blank, named, header = found.groups(b"")
    at = len(mark + blank + named) if blank or named else 0
    text = b"\n".join(filter(None, (named.strip(), header)))
    return FileShape(FORMAT, True, text.decode("utf-8", _ESCAPE), at)


def header_bytes(header: str) -> bytes:
    """Return a pinned header row as in the file, ended by LF, behind the line that names its separator."""
    return header.encode("utf-8", _ESCAPE) + b"\n"


def line_of(header: str) -> int:
    """Return the number of the first line of a pinned header, so that what follows it is numbered from 1."""
    return -header.count("\n")
