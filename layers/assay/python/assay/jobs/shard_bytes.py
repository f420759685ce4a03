"""The bytes of a shard, fetched ahead of the compute and held to what the plan pinned."""

from collections.abc import Iterator
from itertools import chain

from assay.aws.s3 import READ_AHEAD, Bucket
from assay.errors import AnswerInvalid
from assay.jobs.byte_ranges import Shard, Tally, own_lines
from assay.jobs.workspace import JobPlan
from assay.text import packing

_MARKS = {"fasta": b">"}
"""What begins a record, where that is not every line."""
_TAIL = 1 << 16
"""What is read past a shard's end at first: nearly always enough for the line that goes on there."""


def read_shard(uploads: Bucket, manifest: JobPlan, shard: Shard, tally: Tally) -> Iterator[bytes]:
    """Yield a shard's own lines, unpacked; `tally` sees each chunk before it is given out.

    Raises ObjectChanged, ObjectMissing; UnreadableInput, TooLarge for what cannot be unpacked; AnswerInvalid where the
    store gave other bytes than asked for.
    """
    if manifest.shards > 1:
        own = own_lines(_fetch(uploads, manifest, shard), shard, _MARKS.get(manifest.format, b""), tally.begin)
        found = tally.weigh(own)
    else:
        found = tally.weigh(_read(uploads, manifest, 0, manifest.source.size))
        if manifest.compression:
            found = packing.open_text(found, manifest.compression, limit=manifest.most_bytes or None)
    for chunk in found:
        tally.add(chunk)
        yield chunk
    _require_end(manifest, shard, tally)


def _require_end(manifest: JobPlan, shard: Shard, tally: Tally) -> None:
    """Raise AnswerInvalid where a shard ended before its own end; the last one ends with the object."""
    end, size = tally.first + tally.size, manifest.source.size
    if (tally.size and end < shard.stop) or (manifest.shards == 1 and end != size):
        raise AnswerInvalid(
            f"shard {shard.index + 1} of {manifest.source.key} ended at byte {end:,}", key=manifest.source.key
        )


def _fetch(uploads: Bucket, manifest: JobPlan, shard: Shard) -> Iterator[bytes]:
    """Yield the object from where the shard is read to its end; past the shard's own end only as it is asked for."""
    size = manifest.source.size
    near = min(shard.stop + _TAIL, size)
    own = _read(uploads, manifest, shard.read_from, shard.stop)
    return chain(own, _read(uploads, manifest, shard.stop, near, _TAIL), _read(uploads, manifest, near, size))


def _read(uploads: Bucket, manifest: JobPlan, start: int, stop: int, size: int = READ_AHEAD) -> Iterator[bytes]:
    source = manifest.source
    pins = {"etag": source.etag, "version": source.version_id}
    return uploads.chunks(source.key, start=start, stop=stop, size=size, **pins)
