"""Jobs in DynamoDB: one per dropped object, claimed by exactly one worker at a time, found by id and by upload.

Three items a job, in one table with key `pk` and time to live `expires`: `upload#...` gives an identity its job and
the lease on it, `key#...` an upload's key its latest job, and `job#...` is the record. Ids are random: to know one is
to be given it. Each write is conditional by itself, so one that was cut off in between is mended by the next claim.
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

from assay.dynamo import conditional, from_item, to_item, to_values
from assay.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAY: Final = 86_400
_LIVE: Final = ("QUEUED", "RUNNING")

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED"]


@dataclass(frozen=True, slots=True)
class UploadIdentity:
    """One event of one object: `version` is its versionId or ETag. The same file dropped again has a new sequencer."""

    bucket: str
    key: str
    version: str = ""
    sequencer: str = ""

    @property
    def pk(self) -> str:
        """The key of the item that stands for the identity."""
        return "upload#" + sha256("\0".join((self.bucket, self.key, self.version, self.sequencer)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether to work: `new` and `taken_over` mean yes, `running` (by someone else) and `done` mean no."""

    job_id: str
    state: Literal["new", "taken_over", "running", "done"]

    @property
    def granted(self) -> bool:
        """True when the claimer has the job."""
        return self.state in {"new", "taken_over"}


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its record says; `created` and `updated` are ISO 8601 in UTC, `progress` is within 0..1."""

    id: str
    kind: str
    state: State
    upload: str
    created: str
    updated: str
    bucket: str = ""
    progress: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def finished(self) -> bool:
        """True when the state will not change any more."""
        return self.state not in _LIVE


class Jobs:
    """The jobs of one table; records go `days` after their last change."""

    def __init__(
        self, client: "DynamoDBClient", table: str, *, days: int = 30, clock: Callable[[], float] = time.time
    ) -> None:
        if not table:
            raise SettingsError("no state table: ASSAY_STATE_TABLE is missing")
        self._client = client
        self._table = table
        self._days = days
        self._clock = clock

    def enqueue(self, key: str, kind: str) -> Job:
        """Make a job for an object that is still to be uploaded; whoever claims that object gets this job."""
        job = Job(uuid.uuid4().hex, kind, "QUEUED", key, self._now(), self._now())
        self._record(job.id, {"kind": kind, "upload": key})
        self._point(key, job.id)
        return job

    def claim(self, upload: UploadIdentity, owner: str, lease_seconds: float) -> Claim:
        """Take the job of an upload, making it where there is none.

        Another owner's job is taken over once its lease has run out; the same owner (a retry) gets it at once.
        """
        lease = {"owner": owner, "lease": self._clock() + lease_seconds}
        job_id = self._promised(upload) or uuid.uuid4().hex
        if self._put({"pk": upload.pk, "job": job_id, **lease}, "attribute_not_exists(pk)"):
            self._begin(job_id, upload)
            return Claim(job_id, "new")
        free = "#owner = :mine OR #lease < :now"
        granted = self._set(upload.pk, lease, free, mine=owner, now=self._clock())
        job_id = str(self._value(upload.pk, "job"))
        job = self.get(job_id)
        if job is not None and job.finished:
            return Claim(job_id, "done")
        if granted and job is None:
            self._begin(job_id, upload)
        return Claim(job_id, "taken_over" if granted else "running")

    def renew(self, job_id: str, owner: str, lease_seconds: float) -> bool:
        """Prolong a lease; False when it is someone else's by now."""
        identity = self._value(f"job#{job_id}", "identity")
        lease = {"lease": self._clock() + lease_seconds}
        return identity is not None and self._set(str(identity), lease, "#owner = :mine", mine=owner)

    def start(self, job_id: str, models: Mapping[str, Any]) -> bool:
        """Say that a job runs, and with which models; False when it has finished already."""
        return self._change(job_id, {"state": "RUNNING", "models": models})

    def progress(self, job_id: str, progress: float, counts: Mapping[str, int]) -> bool:
        """Say how far a job is, 0..1; False when it has finished already."""
        return self._change(job_id, {"state": "RUNNING", "progress": progress, "counts": counts})

    def succeed(self, job_id: str, counts: Mapping[str, int], results: Mapping[str, str]) -> bool:
        """End a job; `results` names the keys in the results bucket. False when it has finished already."""
        return self._change(job_id, {"state": "SUCCEEDED", "progress": 1.0, "counts": counts, "results": results})

    def fail(self, job_id: str, reason: str, results: Mapping[str, str] | None = None) -> bool:
        """End a job that can't be done; False when it has finished already."""
        return self._change(job_id, {"state": "FAILED", "reason": reason, "results": results or {}})

    def get(self, job_id: str) -> Job | None:
        """Return a job, None where there is none of that id."""
        item = self._item(f"job#{job_id}")
        return Job(id=job_id, **{name: item[name] for name in _SHOWN & item.keys()}) if item else None

    def by_upload(self, key: str) -> Job | None:
        """Return the latest job of an uploaded key."""
        job_id = self._value(f"key#{key}", "job")
        return self.get(str(job_id)) if job_id else None

    def _promised(self, upload: UploadIdentity) -> str | None:
        """Return the job that awaits this key, reserved for this identity; None where there is none, or it is taken."""
        job_id = self._value(f"key#{upload.key}", "job")
        free = "#state = :queued AND (attribute_not_exists(#identity) OR #identity = :identity)"
        given = {"identity": upload.pk}
        reserved = job_id is not None and self._set(f"job#{job_id}", given, free, queued="QUEUED")
        return str(job_id) if reserved else None

    def _begin(self, job_id: str, upload: UploadIdentity) -> None:
        values = {"bucket": upload.bucket, "upload": upload.key, "kind": upload.key.partition("/")[0]}
        self._record(job_id, {**values, "identity": upload.pk})
        self._point(upload.key, job_id)

    def _record(self, job_id: str, values: Mapping[str, Any]) -> None:
        """Write a new job; one that was promised keeps the time when it was made."""
        found = self._value(f"job#{job_id}", "created")
        times = {"created": found or self._now(), "updated": self._now()}
        self._put({"pk": f"job#{job_id}", "state": "QUEUED", **times, **values})

    def _point(self, key: str, job_id: str) -> None:
        self._put({"pk": f"key#{key}", "job": job_id})

    def _change(self, job_id: str, values: Mapping[str, Any]) -> bool:
        """Set attributes of a job that has not finished; False where it has."""
        live = {f"live{at}": state for at, state in enumerate(_LIVE)}
        condition = f"#state IN ({', '.join(f':{name}' for name in live)})"
        return self._set(f"job#{job_id}", {**values, "updated": self._now()}, condition, **live)

    def _put(self, item: Mapping[str, Any], condition: str = "") -> bool:
        """Write an item; False where the condition does not hold."""
        extra = {"ConditionExpression": condition} if condition else {}
        values = to_item({**item, "expires": self._expires()})
        with conditional() as held:
            self._client.put_item(TableName=self._table, Item=values, **extra)  # type: ignore[arg-type]
        return held.value

    def _set(self, pk: str, values: Mapping[str, Any], condition: str, **given: Any) -> bool:
        """Set attributes of an item; False where the condition does not hold."""
        values = {**values, "expires": self._expires()}
        with conditional() as held:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"pk": pk}),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression=condition,
                ExpressionAttributeNames={name: name[1:] for name in {*_names(condition), *(f"#{n}" for n in values)}},
                ExpressionAttributeValues=to_values({**values, **given}),
            )
        return held.value

    def _value(self, pk: str, name: str) -> Any:
        return (self._item(pk) or {}).get(name)

    def _item(self, pk: str) -> dict[str, Any] | None:
        """Return an item as it is now; one past its time to live is gone, though DynamoDB may still hold it."""
        reply = self._client.get_item(TableName=self._table, Key=to_item({"pk": pk}), ConsistentRead=True)
        item = from_item(reply["Item"]) if "Item" in reply else None
        return item if item and item.get("expires", 0) > self._clock() else None

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")

    def _expires(self) -> int:
        return int(self._clock()) + self._days * _DAY


_SHOWN: Final = frozenset(Job.__dataclass_fields__) - {"id"}


def _names(expression: str) -> list[str]:
    return re.findall(r"#\w+", expression)
