"""Jobs in DynamoDB: one per dropped object, claimed by exactly one worker at a time, found by id and by upload.

Three items a job, in one table with key `pk` and time to live `expires`: `upload#...` gives an identity its job,
`key#...` an upload's key its latest job, and `job#...` is the job. Ids are random: to know one is to be given it.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import ClientError

from assay.dynamo import failed_condition, from_item, to_item, to_values
from assay.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAY: Final = 86_400
_ATTEMPTS: Final = 4
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
    def digest(self) -> str:
        """The sha256 that stands for the identity."""
        return sha256("\0".join((self.bucket, self.key, self.version, self.sequencer)).encode()).hexdigest()


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
        job_id = uuid.uuid4().hex
        self._client.transact_write_items(
            TransactItems=[self._job(job_id, {"kind": kind, "upload": key}), self._pointer(f"key#{key}", job_id)]
        )
        return Job(job_id, kind, "QUEUED", key, self._now(), self._now())

    def claim(self, upload: UploadIdentity, owner: str, lease_seconds: float) -> Claim:
        """Take the job of an upload, making it where there is none.

        Another owner's job is taken over once its lease has run out; the same owner (a retry) gets it at once.
        """
        for _ in range(_ATTEMPTS):
            found = self._value(f"upload#{upload.digest}", "job")
            if found is not None:
                return self._retake(str(found), owner, lease_seconds)
            job_id = self._queued(upload.key) or uuid.uuid4().hex
            if self._create(job_id, upload, owner, lease_seconds):
                return Claim(job_id, "new")
        return self._retake(str(self._value(f"upload#{upload.digest}", "job")), owner, lease_seconds)

    def renew(self, job_id: str, owner: str, lease_seconds: float) -> bool:
        """Prolong a lease; False when the job is someone else's by now, or finished."""
        return self._change(job_id, {"lease": self._clock() + lease_seconds}, "#owner = :mine", {"mine": owner})

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

    def _queued(self, key: str) -> str | None:
        """Return the job that awaits this key, if there is one that no upload has claimed."""
        job_id = self._value(f"key#{key}", "job")
        item = self._item(f"job#{job_id}") if job_id else None
        return str(job_id) if item and item["state"] == "QUEUED" and "owner" not in item else None

    def _create(self, job_id: str, upload: UploadIdentity, owner: str, lease_seconds: float) -> bool:
        """Write identity, job and pointer together; False when someone else wrote the identity or took the job."""
        values: dict[str, Any] = {"owner": owner, "lease": self._clock() + lease_seconds}
        values |= {"bucket": upload.bucket, "upload": upload.key, "kind": upload.key.partition("/")[0]}
        identity = self._pointer(f"upload#{upload.digest}", job_id, ConditionExpression="attribute_not_exists(pk)")
        job = self._job(job_id, values)
        try:
            self._client.transact_write_items(TransactItems=[identity, job, self._pointer(f"key#{upload.key}", job_id)])
        except self._client.exceptions.TransactionCanceledException:
            return False
        return True

    def _retake(self, job_id: str, owner: str, lease_seconds: float) -> Claim:
        values = {"owner": owner, "lease": self._clock() + lease_seconds}
        free = "(#owner = :mine OR #lease < :now)"
        if self._change(job_id, values, free, {"mine": owner, "now": self._clock()}):
            return Claim(job_id, "taken_over")
        job = self.get(job_id)
        return Claim(job_id, "running" if job and not job.finished else "done")

    def _job(self, job_id: str, values: Mapping[str, Any]) -> Any:
        """Return the write of a new job, or of a queued one that gets its owner."""
        values = {"state": "QUEUED", "updated": self._now(), "expires": self._expires(), **values}
        assignments = ", ".join(f"#{name} = :{name}" for name in values)
        return {
            "Update": {
                "TableName": self._table,
                "Key": to_item({"pk": f"job#{job_id}"}),
                "UpdateExpression": f"SET created = if_not_exists(created, :updated), {assignments}",
                "ConditionExpression": "attribute_not_exists(#owner)",
                "ExpressionAttributeNames": {f"#{name}": name for name in {*values, "owner"}},
                "ExpressionAttributeValues": to_values(values),
            }
        }

    def _pointer(self, pk: str, job_id: str, **condition: str) -> Any:
        item = to_item({"pk": pk, "job": job_id, "expires": self._expires()})
        return {"Put": {"TableName": self._table, "Item": item, **condition}}

    def _change(
        self, job_id: str, values: Mapping[str, Any], condition: str = "", given: Mapping[str, Any] | None = None
    ) -> bool:
        """Set attributes of a job that has not finished, under a further condition; False where that is not so."""
        values = {**values, "updated": self._now(), "expires": self._expires()}
        live = "#state IN (:QUEUED, :RUNNING)"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item({"pk": f"job#{job_id}"}),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression=f"{live} AND {condition}" if condition else live,
                ExpressionAttributeNames=_names({*values, "state"}, condition),
                ExpressionAttributeValues=to_values({**values, **(given or {}), **{name: name for name in _LIVE}}),
            )
        except ClientError as error:
            if failed_condition(error):
                return False
            raise
        return True

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


def _names(names: set[str], condition: str) -> dict[str, str]:
    return {f"#{name}": name for name in {*names, *(name for name in ("owner", "lease") if f"#{name}" in condition)}}
