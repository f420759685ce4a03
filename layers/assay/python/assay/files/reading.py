"""The bytes of a shard, fetched ahead of the compute and held to what the plan pinned."""

from collections.abc import Iterator
from itertools import chain

from assay.files.manifest import Manifest
from assay.sequences import gunzip
from assay.shards import LineCounter, Shard, owned
from assay.storage import READ_AHEAD, Bucket

_MARKS = {"fasta": b">"}
"""What begins a record, where that is not every line."""
_TAIL = 1 << 16
"""What is read past a shard's end at first: nearly always enough for the line that goes on there."""


def text(uploads: Bucket, manifest: Manifest, shard: Shard, counter: LineCounter) -> Iterator[bytes]:
    """Yield a shard's own lines, unpacked; `counter` sees each chunk before it is given out.

    Raises ObjectChanged, ObjectMissing, UnreadableInput.
    """
    if manifest.shards > 1:
        found = owned(_fetched(uploads, manifest, shard), shard, _MARKS.get(manifest.format, b""))
    else:
        found = _read(uploads, manifest, 0, manifest.source.size)
        found = gunzip(found) if manifest.compression else found
    for chunk in found:
        counter.add(chunk)
        yield chunk


def _fetched(uploads: Bucket, manifest: Manifest, shard: Shard) -> Iterator[bytes]:
    """Yield the object from where the shard is read to its end; past the shard's own end only as it is asked for."""
    size = manifest.source.size
    near = min(shard.stop + _TAIL, size)
    own = _read(uploads, manifest, shard.read_from, shard.stop)
    return chain(own, _read(uploads, manifest, shard.stop, near, _TAIL), _read(uploads, manifest, near, size))


def _read(uploads: Bucket, manifest: Manifest, start: int, stop: int, size: int = READ_AHEAD) -> Iterator[bytes]:
    source = manifest.source
    pins = {"etag": source.etag, "version": source.version_id}
    return uploads.chunks(source.key, start=start, stop=stop, size=size, **pins)
