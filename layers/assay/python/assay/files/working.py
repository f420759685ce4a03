"""A job's working objects in the results bucket: written by one step, read by another, overwritten by any retry."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from assay.aws.s3 import Bucket
from assay.errors import AssayError, ObjectMissing
from assay.files import layout
from assay.files.manifest import Manifest
from assay.files.partial import ShardResult

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
class Working:
    """The working objects of one job."""

    results: Bucket
    job_id: str

    def keep(self, manifest: Manifest) -> None:
        """Write what was planned: the list of shards first, so that a manifest means that all is there."""
        items = [{"job_id": self.job_id, "kind": manifest.kind, "shard": index} for index in range(manifest.shards)]
        self.results.put(layout.shards_key(self.job_id), json.dumps(items).encode(), _JSON)
        self.results.put(layout.manifest_key(self.job_id), manifest.to_json().encode(), _JSON)

    def manifest(self) -> Manifest:
        """Return what was planned. Raises ObjectMissing before that, ManifestInvalid."""
        return Manifest.from_json(self._read(layout.manifest_key(self.job_id)))

    def planned(self) -> Manifest | None:
        """Return what was planned, None where nothing was yet."""
        try:
            return self.manifest()
        except ObjectMissing:
            return None

    def save(self, result: ShardResult) -> None:
        """Write a shard's result, the last of its objects."""
        self.results.put(layout.partial_key(self.job_id, result.shard), result.to_json().encode(), _JSON)

    def load(self, shard: int) -> ShardResult:
        """Return a shard's result. Raises ObjectMissing while it is not done."""
        return ShardResult.from_json(self._read(layout.partial_key(self.job_id, shard)))

    def finished(self, shard: int, pin: str) -> ShardResult | None:
        """Return a shard's result made under the manifest `pin`, None where it has yet to be made."""
        try:
            result = self.load(shard)
        except ObjectMissing:
            return None
        return result if result.pin == pin else None

    def done(self) -> list[int]:
        """Return the shards whose result exists, in order; counted so, a retry counts once."""
        shards = map(layout.shard_of, self.results.keys(layout.folder(self.job_id)))
        return sorted(shard for shard in shards if shard is not None)

    def part(self, shard: int, name: str) -> str:
        """Return the key of another object of a shard."""
        return layout.part_key(self.job_id, shard, name)

    def lines(self, shard: int, name: str, size: int) -> Iterator[bytes]:
        """Yield an object of a shard, of `size` bytes, in pieces of whole lines."""
        carry = b""
        for chunk in self.results.chunks(self.part(shard, name), stop=size):
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
        keys = set(self.results.keys(layout.folder(self.job_id)))
        for key in sorted(key for key in keys if key.endswith(f".{_FAILED}")):
            shard = int(key.rpartition("/")[2].partition(".")[0])
            if layout.partial_key(self.job_id, shard) not in keys or self.load(shard).pin == _VOID:
                said = json.loads(self._read(key))
                yield Failure(shard, said["error"], said["cause"])

    def _read(self, key: str) -> bytes:
        found = self.results.get(key, limit=_MOST_BYTES)
        assert found is not None  # only a conditional read gives None
        return found[0]
