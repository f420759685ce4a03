"""Jobs in DynamoDB: one per dropped object, claimed by exactly one worker at a time, found by id and by upload.

Three items a job, in one table with key `pk` and time to live `expires`: `upload#...` gives an identity its job and
the lease on it, `key#...` an upload's key its latest job and the caller it was promised to, and `job#...` is the
record. `sweep#...` says how far a sweep came. Ids are random: to know one is to be given it. Each write is conditional
by itself, so one that was cut off in between is mended by the next claim.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal

from assay.aws.dynamodb import LIVE_INDEX, Table
from assay.errors import ServiceError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class UploadIdentity:
    """One event of one object: `version` is its versionId or ETag. The same file dropped again has a new sequencer.

    `version_id` and `etag` are what the event said of either; they find the object again.
    """

    bucket: str
    key: str
    version: str = ""
    sequencer: str = ""
    version_id: str = ""
    etag: str = ""

    @property
    def pk(self) -> str:
        """The key of the item that stands for the identity."""
        return "upload#" + sha256("\0".join((self.bucket, self.key, self.version, self.sequencer)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether to work: `new` and `taken_over` mean yes, `running` (by someone else) and `done` mean no.

    `attempt` counts the claims of this upload that were granted, from 1.
    """

    job_id: str
    state: Literal["new", "taken_over", "running", "done"]
    attempt: int = 1

    @property
    def granted(self) -> bool:
        """True when the claimer has the job."""
        return self.state in {"new", "taken_over"}


Live = Literal["job", "promise"]
"""A job that is worked on, or has not settled; or one that waits for its upload."""
_LIVE: Final = ("QUEUED", "RUNNING")
_JOB: Final[Live] = "job"
_PROMISE: Final[Live] = "promise"
"""How jobs that wait for their upload are live: there may be many, and nobody has to look at them for a day."""
PROMISED_SECONDS: Final = 86_400.0
"""For so long a job waits for its upload, which begins within the hour and may take hours to end."""
_BEGINNING: Final = 60.0
"""Seconds within which a claimer that lives has written its job's record."""
_FREE: Final = "#owner = :mine OR #lease < :now"
CANCELLED: Final = "cancelled"
"""The reason of a job that was stopped."""

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its record says; `created` and `updated` are ISO 8601 in UTC, `expires` is seconds since 1970.

    `shards` is how many there are once they are planned, of `shard_bytes` each, `bytes` the size of the object and
    `options` those it is planned with; before that `options` are what was asked for. `ending` says that all shards are
    joined. `execution` is the state machine's run if there is one, `runs` how often it was begun, `version_id` and
    `etag` which object it is about. `owner` is the caller who asked for it, as `assay.http.messages` names one; empty
    where a file was dropped in the bucket, or calls are open. `rerun_of` is the job whose file it reads again.
    """

    id: str
    kind: str
    state: State
    upload: str
    created: str
    updated: str
    bucket: str = ""
    version_id: str = ""
    etag: str = ""
    bytes: int = 0
    shards: int = 0
    shard_bytes: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    ending: bool = False
    expires: int = field(default=0, compare=False)
    execution: str = ""
    runs: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    histograms: Mapping[str, Any] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    owner: str = ""
    rerun_of: str = ""

    @property
    def finished(self) -> bool:
        """True when the state will not change any more."""
        return self.state not in _LIVE

    def belongs(self, caller: str) -> bool:
        """True where the caller asked for the job, or nobody did: a file that was dropped belongs to all callers."""
        return self.owner in ("", caller)


@dataclass(frozen=True, slots=True)
class LastWord:
    """What the summary of a job that has ended must say, and whether it is known to: `agreed`.

    `ending` says that results were about to be put in place when it ended, by a function that may live still.
    """

    said: Mapping[str, Any] | None
    agreed: bool
    ending: bool
    changed: str


class Jobs:
    """The jobs of one table; records go `days` after their last change. `ended` is told of each job that ends, once."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        *,
        days: int = 30,
        clock: Callable[[], float] = time.time,
        ended: "Callable[[Job], None] | None" = None,
    ) -> None:
        self._table = Table(client, table, days, clock)
        self._ended = ended

    def enqueue(self, key: str, kind: str, owner: str = "", options: Mapping[str, Any] | None = None) -> Job:
        """Make a caller's job for an object that is still to be uploaded; the claim of that object gets this job."""
        now, chosen = self._table.time(), dict(options or {})
        job = Job(uuid.uuid4().hex, kind, "QUEUED", key, now, now, options=chosen, owner=owner)
        self._write(job.id, {"kind": kind, "upload": key, "options": chosen, LIVE_INDEX: _PROMISE}, owner)
        return job

    def repeat(self, job: Job, execution: str) -> bool:
        """Make a job over the file of another, to be run by that execution; False if there is one of its id."""
        kept = ("kind", "upload", "bucket", "version_id", "etag", "options", "models", "owner", "rerun_of")
        now = self._table.time()
        item = {"pk": f"job#{job.id}", "state": "QUEUED", LIVE_INDEX: _JOB, "created": now, "updated": now}
        item |= {name: getattr(job, name) for name in kept} | {"execution": execution}
        return self._table.put(item, "attribute_not_exists(pk)")

    def claim(self, upload: UploadIdentity, owner: str, lease_seconds: float) -> Claim:
        """Take the job of an upload, making it if there is none.

        Another owner's job is taken over once its lease has run out, or a minute after a claim that left no record: its
        claimer died, and is not there to go on. The same owner (a retry) gets it at once.
        """
        lease = {"owner": owner, "lease": self._table.clock() + lease_seconds}
        pk = upload.pk
        pointer = self._table.item(f"key#{upload.key}") or {}
        promised = "" if pointer.get("sequencer", "none") else str(pointer["job"])  # a promise has no event's number
        job_id = promised or uuid.uuid4().hex
        item = {"pk": pk, "job": job_id, "attempts": 1, "promised": bool(promised), **lease}
        if self._table.put(item, "attribute_not_exists(pk) OR #expires < :now", now=self._table.clock()):
            return self._follow(Claim(job_id, "new"), item, upload, pointer)
        return self._take_over(upload, lease, lease_seconds)

    def _take_over(self, upload: UploadIdentity, lease: Mapping[str, Any], lease_seconds: float) -> Claim:
        """Take the job of an upload that was claimed before, where it is free. Raises ServiceError."""
        known = self._table.item(upload.pk)
        if known is None:
            raise ServiceError("the claim on an upload expired while it was read: try again")
        job, claim = self._own(known, upload), Claim(str(known["job"]), "taken_over", int(known["attempts"]) + 1)
        if job is not None and job.finished:
            return Claim(job.id, "done")
        now = self._table.clock() + _shorter(job, lease_seconds)
        values = {**lease, "attempts": claim.attempt}
        if not self._table.set(upload.pk, values, _FREE, mine=lease["owner"], now=now):
            return Claim(claim.job_id, "running")
        return claim if job and job.bucket else self._follow(claim, {**known, **lease}, upload)

    def _follow(
        self, claim: Claim, known: Mapping[str, Any], upload: UploadIdentity, pointer: Mapping[str, Any] | None = None
    ) -> Claim:
        """Begin the job that an upload's item names; another one where that was promised and is another file's by now.

        The item comes first and names the job of every later claim: one that dies in between leaves nothing undecided.
        `pointer` is the key's, where it was read just now.
        """
        fresh = pointer is not None and not known.get("promised")
        if known.get("promised") and not self._reserve(claim.job_id, upload):
            claim, fresh = replace(claim, job_id=uuid.uuid4().hex), True
            values, same = {"job": claim.job_id, "promised": False}, "#owner = :mine AND #job = :before"
            if not self._table.set(upload.pk, values, same, mine=known["owner"], before=known["job"]):
                return Claim(str(known["job"]), "running")
        elif known.get("promised") and (job := self.get(claim.job_id)) and job.finished:
            return Claim(job.id, "done")  # it was cancelled before its file came
        self._begin(claim.job_id, upload, pointer, fresh=fresh)
        return claim

    def of(self, upload: UploadIdentity) -> Job | None:
        """Return the job of one event of an object, None where no worker has claimed it and written its record."""
        known = self._table.item(upload.pk)
        return self._own(known, upload) if known else None

    def wait(self, upload: UploadIdentity, lease_seconds: float) -> float:
        """Return for how many seconds the claim of an upload is its claimer's alone; 0 where anybody may have it."""
        known = self._table.item(upload.pk) or {}
        until = float(known.get("lease", 0)) - _shorter(self._own(known, upload), lease_seconds)
        return max(0.0, until - self._table.clock())

    def release(self, upload: UploadIdentity, owner: str) -> bool:
        """End the lease of a claimer that is known to be dead; False where it is someone else's."""
        return self._table.set(upload.pk, {"lease": 0}, "#owner = :mine", mine=owner)

    def start(
        self, job_id: str, models: Mapping[str, Any], *, shards: int = 1, execution: str = "", **plan: Any
    ) -> bool:
        """Say that a job runs, in what and with which models; False when it has finished already.

        `plan` is what else of its plan a reader is shown: `bytes`, `shard_bytes`, `options`.
        """
        runs = {"execution": execution} if execution else {}
        return self._change(job_id, {"state": "RUNNING", "models": models, "shards": shards, **runs, **plan})

    def conclude(self, job_id: str) -> bool:
        """Say that a job's results are about to be shown; False when it has finished already."""
        return self._change(job_id, {"ending": True})

    def succeed(
        self,
        job_id: str,
        counts: Mapping[str, int],
        results: Mapping[str, str],
        histograms: Mapping[str, Any] | None = None,
    ) -> bool:
        """End a job whose summary is written; `results` names the keys in the results bucket.

        False when it has finished already.
        """
        values: dict[str, Any] = {"state": "SUCCEEDED", "counts": counts, "results": results}
        values |= {"histograms": json.dumps(histograms)} if histograms else {}
        return self._change(job_id, values, ends=True, agreed=True)

    def fail(
        self,
        job_id: str,
        reason: str,
        results: Mapping[str, str] | None = None,
        said: Mapping[str, Any] | None = None,
    ) -> bool:
        """End a job that can't be done; False when it has finished already.

        What its summary has to say is kept, and the job stays among the live ones until that is known to say it.
        """
        values = {"state": "FAILED", "reason": reason, "results": results or {}}
        values |= {"word": json.dumps(said, ensure_ascii=False)} if said is not None else {}
        return self._change(job_id, values, ends=True)

    def last_word(self, job_id: str) -> LastWord | None:
        """Return what was last said of a job that FAILED; None where it did not, or there is none."""
        item = self._table.item(f"job#{job_id}")
        if not item or item["state"] != "FAILED":
            return None
        said = json.loads(item["word"]) if "word" in item else None
        return LastWord(said, LIVE_INDEX not in item, bool(item.get("ending")), str(item["updated"]))

    def agree(self, job_id: str, word: LastWord, results: Mapping[str, str], *, sure: bool) -> bool:
        """Say that the summary says `word`; False where something else was said meanwhile.

        A job that was `ending` stays among the live ones unless it is `sure` that nobody writes any more.
        """
        remove = (LIVE_INDEX,) if sure or not word.ending else ()
        same = "#state = :failed AND #updated = :seen"
        return self._table.set(
            f"job#{job_id}", {"results": results}, same, remove=remove, failed="FAILED", seen=word.changed
        )

    def reopen(self, job_id: str) -> Job | None:
        """Queue a FAILED job again, what its shards have done kept; None if there is none that FAILED."""
        runs = int(self._table.value(f"job#{job_id}", "runs") or 1) + 1
        values = {"state": "QUEUED", "reason": "", "results": {}, "runs": runs, LIVE_INDEX: _JOB}
        values |= {"updated": self._table.time()}
        gone = ("ending", "word")
        reopened = self._table.set(f"job#{job_id}", values, "#state = :failed", remove=gone, failed="FAILED")
        return self.get(job_id) if reopened else None

    def get(self, job_id: str) -> Job | None:
        """Return the job of an id, None if it is unknown."""
        item = self._table.item(f"job#{job_id}")
        return _parse_record(job_id, item) if item else None

    def by_upload(self, key: str) -> Job | None:
        """Return the latest job of an uploaded key."""
        job_id = self.latest_id(key)
        return self.get(job_id) if job_id else None

    def latest_id(self, key: str) -> str | None:
        """Return the id of the latest job of an uploaded key; its record may be gone."""
        job_id = self._table.value(f"key#{key}", "job")
        return str(job_id) if job_id else None

    def leads(self, key: str, job_id: str) -> bool:
        """Say whether a job is the latest of an uploaded key by a write, which is never told what was true before."""
        return self._table.set(f"key#{key}", {"job": job_id}, "#job = :mine", mine=job_id)

    def live(self, seconds: float) -> Iterator[str]:
        """Yield the ids of jobs that have not ended, or not settled, nor changed for so many seconds; oldest first."""
        return self._live(_JOB, seconds)

    def list_promises(self, seconds: float) -> Iterator[str]:
        """Yield the ids of jobs that have waited for their upload for so many seconds; oldest first."""
        return self._live(_PROMISE, seconds)

    def list_unfinished(self, seconds: float) -> Iterator[Job]:
        """Yield the jobs that are QUEUED or RUNNING and have not changed for so many seconds."""
        for job_id in chain(self.live(seconds), self.list_promises(seconds)):
            job = self.get(job_id)
            if job is not None and not job.finished:
                yield job

    def page(
        self, kind: Live, seconds: float, after: Mapping[str, str] | None, size: int
    ) -> list[tuple[str, dict[str, str]]]:
        """Return up to `size` ids that `live` or `promised` would yield, with the place of each; behind a place."""
        places = self._table.page(kind, self._table.time(ago=seconds), after, size)
        return [(place["pk"].partition("#")[2], place) for place in places]

    def cursor(self, kind: Live) -> Mapping[str, str] | None:
        """Return the place that was kept last, None if there is none."""
        return self._table.value(f"sweep#{kind}", "place") or None

    def keep_cursor(self, kind: Live, place: Mapping[str, str] | None) -> None:
        """Keep the place up to which the jobs of a kind were looked at; None for all."""
        self._table.set(f"sweep#{kind}", {"place": place or {}})

    def _live(self, kind: Live, seconds: float) -> Iterator[str]:
        return (pk.partition("#")[2] for pk in self._table.live(kind, self._table.time(ago=seconds)))

    def quiet(self, job: Job) -> float:
        """Return the seconds since a job's last change."""
        return self._table.clock() - datetime.fromisoformat(job.updated).timestamp()

    def _reserve(self, job_id: str, upload: UploadIdentity) -> bool:
        """Make a promised job this upload's; False where it is another's, or gone."""
        waiting = "(#state = :queued OR #reason = :cancelled)"
        free = f"#identity = :identity OR ({waiting} AND attribute_not_exists(#identity))"
        values = {"identity": upload.pk}
        return self._table.set(f"job#{job_id}", values, free, queued="QUEUED", cancelled=CANCELLED)

    def _own(self, known: Mapping[str, Any], upload: UploadIdentity) -> Job | None:
        """Return the job that an upload's item names, None where it has no record, or was promised and is not its."""
        job_id = str(known.get("job"))
        record = self._table.item(f"job#{job_id}")
        whose = "" if known.get("promised") else upload.pk
        return _parse_record(job_id, record) if record and record.get("identity", whose) == upload.pk else None

    def _begin(
        self, job_id: str, upload: UploadIdentity, pointer: Mapping[str, Any] | None = None, *, fresh: bool = False
    ) -> None:
        """Write pointer and record of a job; a `fresh` one has an id of which there can be no record."""
        pointer = self._table.item(f"key#{upload.key}") or {} if pointer is None else pointer
        values = {"bucket": upload.bucket, "upload": upload.key, "kind": upload.key.partition("/")[0]}
        source = {"version_id": upload.version_id, "etag": upload.etag, "identity": upload.pk}
        owner = str(pointer.get("owner") or "")  # the caller of the form, also when it is used again
        known = {} if fresh else self._table.item(f"job#{job_id}") or {}
        kept = {name: known[name] for name in ("created", "owner", "options") if name in known}
        self._write(job_id, values | source | kept, owner, upload.sequencer)

    def _write(self, job_id: str, values: Mapping[str, Any], owner: str = "", sequencer: str = "") -> None:
        """Write the pointer of a key to a job, then the job's record.

        The record is last: one that nothing points to would wait for ever beside another, and one with its bucket
        means that all is there. The pointer stays where an event that S3 numbered later came first, and the record
        where the job runs.
        """
        newer = "attribute_not_exists(#sequencer) OR #sequencer <= :mine" if sequencer else ""
        pointer = {"pk": f"key#{values['upload']}", "job": job_id, "sequencer": sequencer, "owner": owner}
        now = self._table.time()
        new = {"state": "QUEUED", LIVE_INDEX: _JOB, "created": now, "updated": now, "owner": owner}
        record = {"pk": f"job#{job_id}", **new, "options": {}, **values}
        self._table.put(pointer, newer, mine=sequencer)
        self._table.put(record, "attribute_not_exists(pk) OR #state = :queued", queued="QUEUED")

    def _change(self, job_id: str, values: Mapping[str, Any], *, ends: bool = False, agreed: bool = False) -> bool:
        """Set attributes of a job that has not finished; False where it has."""
        live = {f"live{at}": state for at, state in enumerate(_LIVE)}
        condition = f"#state IN ({', '.join(f':{name}' for name in live)})"
        changed = {**values, "updated": self._table.time()}
        held = self._table.set(f"job#{job_id}", changed, condition, remove=(LIVE_INDEX,) if agreed else (), **live)
        if held and ends and self._ended and (job := self.get(job_id)):
            self._ended(job)
        return held


def _shorter(job: Job | None, lease_seconds: float) -> float:
    """Return by how much a claim that has left no record so far is shorter than its lease."""
    return 0.0 if job and job.bucket else max(0.0, lease_seconds - _BEGINNING)


def _parse_record(job_id: str, item: Mapping[str, Any]) -> Job:
    item = {**item, "histograms": json.loads(item["histograms"])} if "histograms" in item else item
    return Job(id=job_id, **{name: item[name] for name in _SHOWN & item.keys()})


_SHOWN: Final = frozenset(Job.__dataclass_fields__) - {"id"}
