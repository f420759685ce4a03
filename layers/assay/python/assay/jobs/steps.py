"""The steps of a file job, whatever its kind: plan, do a shard, merge."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, Final
from urllib.parse import quote_plus, unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from assay.aws.s3 import MemoryBucket
from assay.errors import MalformedBody, ServiceError
from assay.jobs import workspace
from assay.jobs.ending import BLAMED, fail_job, fail_planned_job, settle, write_summary
from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import Claim, Job, UploadIdentity
from assay.jobs.merging import CutInRow, Joined, Ledger, check_results, collect_results
from assay.jobs.planning import JobType, Upload, as_one_shard, plan_job
from assay.jobs.workspace import JobPlan, ShardResult, Workspace
from assay.telemetry import logger

Event = Mapping[str, Any]
Reply = dict[str, Any]


def plan_step(desk: JobEnvironment, kind: JobType, event: Event) -> Reply:
    """Pin what a job is about; the reply tells the state machine where its shards are listed. Raises as `plan` does."""
    job_id = str(event["job_id"])
    working = desk.open_workspace(job_id)
    upload, caps = Upload.from_json(event), desk.of_kind(kind.name).caps
    manifest = plan_job(kind, working, upload, desk.uploads, caps, given=event.get("given"))
    working.list_shards(manifest)
    _start(desk, manifest)
    return {
        "job_id": job_id,
        "kind": kind.name,
        "bucket": desk.results.name,
        "items": workspace.shards_key(job_id),
        "concurrency": desk.concurrency,
    }


def shard_step(desk: JobEnvironment, kind: JobType, event: Event) -> Reply:
    """Do one shard, unless its result is there already or the job has ended meanwhile (cancelled)."""
    job_id, shard = str(event["job_id"]), int(event["shard"])
    logger.append_keys(shard=shard)
    working = desk.open_workspace(job_id)
    manifest = working.manifest()
    if working.find_result(shard, manifest.pin) is None and not _has_failed(desk, job_id):
        result = kind.work(manifest, shard, desk.uploads, working)
        working.save(result)
        working.end_tally(result)
    return {}


def merge_step(desk: JobEnvironment, kind: JobType, event: Event) -> Reply:
    """Join the shards and end the job; `state` is SUCCEEDED, FAILED, or REPLANNED where the file could not be cut.

    The summary is written after all other results, so that there is none without them, and the record after it; where
    the record had ended meanwhile (cancelled, swept) it has the last word. Raises ShardFailed, Unaccounted.
    """
    job_id = str(event["job_id"])
    working = desk.open_workspace(job_id)
    manifest = working.manifest()
    if _has_failed(desk, job_id):
        return _reply_failed(desk, job_id)
    return _conclude(desk, kind, manifest, working, collect_results(working, manifest))


def _conclude(
    desk: JobEnvironment, kind: JobType, manifest: JobPlan, working: Workspace, shards: Iterable[ShardResult]
) -> Reply:
    """Join the results of shards and end the job."""
    job_id = manifest.job_id
    try:
        joined = kind.join(manifest, working, shards)
    except CutInRow:
        return _replan(desk, manifest)
    except BLAMED as error:
        return fail_planned_job(desk, manifest, error)
    if joined.error is not None:
        return fail_planned_job(desk, manifest, joined.error, joined.results)
    results = {**joined.results, "summary": workspace.summary_key(job_id, manifest.kind)}
    said = success_summary(manifest, joined, results)
    if not desk.jobs.conclude(job_id) and _has_failed(desk, job_id):
        return _reply_failed(desk, job_id)
    write_summary(desk, results["summary"], said)
    if not desk.jobs.succeed(job_id, joined.counts, results, joined.said.get("histograms")) and _has_failed(
        desk, job_id
    ):
        return _reply_failed(desk, job_id)
    return _reply(job_id, "SUCCEEDED")


def _reply_failed(desk: JobEnvironment, job_id: str) -> Reply:
    """Put right what a job that FAILED shows, and say that it did."""
    settle(desk, job_id)
    return _reply(job_id, "FAILED")


def success_summary(manifest: JobPlan, joined: Joined, results: Mapping[str, str]) -> Reply:
    """Return what the summary of a job that SUCCEEDED says."""
    return {
        "job_id": manifest.job_id,
        "state": "SUCCEEDED",
        "upload": manifest.source.key,
        "bytes": manifest.source.size,
        "options": manifest.options,
        "counts": joined.counts,
        "models": manifest.models,
        **joined.said,
        "results": results,
    }


def _replan(desk: JobEnvironment, manifest: JobPlan) -> Reply:
    """Make the job one shard, its pins kept, since a row of its file goes on behind a cut."""
    working = desk.open_workspace(manifest.job_id)
    try:
        whole = as_one_shard(manifest, desk.of_kind(manifest.kind).caps)
    except BLAMED as error:
        return fail_planned_job(desk, manifest, error)
    working.list_shards(whole)  # first: a merge that is tried again finds the plan that was cut until all is there
    working.keep(whole)
    _start(desk, whole)
    return _reply(manifest.job_id, "REPLANNED")


def _has_failed(desk: JobEnvironment, job_id: str) -> bool:
    """Say whether a job has been given up meanwhile: cancelled, or swept."""
    job = desk.jobs.get(job_id)
    return job is not None and job.state == "FAILED"


def _reply(job_id: str, state: str) -> Reply:
    return {"job_id": job_id, "state": state}


LEASE_SECONDS = 900


def start_from_record(desk: JobEnvironment, kind: JobType, record: Event, owner: str) -> str | None:
    """Begin the job of one record of an S3 event; return its id, None if there is nothing to do.

    Raises MalformedBody for a record that is not S3's; ServiceError and AWS's errors for another try, and after the
    last one the job is FAILED.
    """
    upload = read_identity(record)
    if upload.bucket != desk.uploads.name:
        logger.warning("an event of another bucket starts nothing", bucket=upload.bucket)
        return None
    if not upload.key.startswith(f"{kind.name}/") or upload.key.endswith("/"):
        return None
    claim = desk.jobs.claim(upload, owner, LEASE_SECONDS)
    logger.append_keys(job_id=claim.job_id)
    if not claim.granted:
        logger.info("another call holds the job of this event", state=claim.state)
        settle(desk, claim.job_id)  # it may be FAILED by a call that died before writing the summary
        return None
    try:
        plan_and_run(desk, kind, claim, Upload(upload.bucket, upload.key, upload.version_id, upload.etag))
    except BLAMED as error:
        logger.warning("job failed", code=error.code)
        fail_job(desk, claim.job_id, kind.name, upload.key, error)
    except Exception as error:
        _last(desk, kind.name, upload, claim, error)
        raise
    return claim.job_id


def plan_and_run(desk: JobEnvironment, kind: JobType, claim: Claim, upload: Upload) -> None:
    """Plan a job, then do it here, or start its execution. Raises as `plan_job` does, and what the work raises."""
    caps, job_id = desk.of_kind(kind.name).caps, claim.job_id
    working, uploads = desk.open_workspace(job_id, in_memory=True), MemoryBucket(desk.uploads)
    manifest = plan_job(kind, working, upload, uploads, caps, fresh=claim.state == "new")
    if manifest.shards > 1 or manifest.source.size > caps.shard_bytes:
        hand_over(desk, manifest, upload)
    elif not _start(desk, manifest) and _has_failed(desk, job_id):
        settle(desk, job_id)
    else:
        result = kind.work(manifest, 0, uploads, working)
        _conclude(desk, kind, manifest, working, check_results(Ledger(manifest), [result]))


def _start(desk: JobEnvironment, manifest: JobPlan, execution: str = "") -> bool:
    """Say that a job runs by its plan; False when it has finished already."""
    plan = {"bytes": manifest.source.size, "shard_bytes": manifest.shard_bytes, "options": manifest.options}
    return desk.jobs.start(manifest.job_id, manifest.models, shards=manifest.shards, execution=execution, **plan)


def hand_over(desk: JobEnvironment, manifest: JobPlan, upload: Upload) -> None:
    """Start the execution of a job; its name is the job's, so that a second start changes nothing."""
    job_id = manifest.job_id
    _start(desk, manifest, desk.machine.execution(job_id))
    desk.machine.start(job_id, {"job_id": job_id, "kind": manifest.kind, **upload.to_json()})


def redrive(desk: JobEnvironment, job_id: str) -> str | None:
    """Begin a FAILED job again, as a new execution that does what is missing; None where it is not one that FAILED."""
    job = desk.jobs.reopen(job_id)
    if job is None:
        return None
    name = f"{job_id}-{job.runs}"
    desk.jobs.start(job_id, job.models, shards=job.shards, execution=desk.machine.execution(name))
    desk.machine.start(name, order_execution(job, desk.uploads.name))
    return desk.machine.execution(name)


def order_execution(job: Job, bucket: str) -> dict[str, Any]:
    """Return the input of an execution that does a job; `bucket` is where its file lies if the record does not say.

    A rerun's options and models are the record's: its file's metadata has those of the first run.
    """
    upload = Upload(job.bucket or bucket, job.upload, job.version_id, job.etag)
    given = {"given": {"options": job.options, "models": job.models}} if job.rerun_of else {}
    return {"job_id": job.id, "kind": job.kind, **upload.to_json(), **given}


class Letter(Enum):
    """What to do about an event whose function gave it up."""

    ENDED = "its job has ended: redrive it if it is FAILED"
    SENT = "it has no job, or nothing runs its job: send the event again"
    HELD = "another call still holds its job: leave the letter"


def read_letter(desk: JobEnvironment, upload: UploadIdentity, claimer: str = "") -> tuple[Letter, str, float]:
    """Return what to do about a dead letter, its own job's id where it has one, and for how many seconds that is held.

    `claimer` is the function call that gave up: what it holds is let go, for it is over.
    """
    job = desk.jobs.of(upload)
    if job is None and not upload.version and (named := desk.jobs.by_upload(upload.key)) and named.state == "FAILED":
        job = named  # the event does not say which object it was about: the key's failed job is begun again
    if job is not None and job.finished:
        return Letter.ENDED, job.id, 0.0
    seconds = desk.jobs.wait(upload, LEASE_SECONDS)
    if not seconds or (claimer and desk.jobs.release(upload, claimer)):
        return Letter.SENT, job.id if job else "", 0.0
    return Letter.HELD, job.id if job else "its job", seconds


def read_identity(record: Mapping[str, Any]) -> UploadIdentity:
    """Return which object a record is about; its key is URL-encoded. Raises MalformedBody for one that is not S3's."""
    try:
        entity, bucket = record["s3"]["object"], record["s3"]["bucket"]["name"]
        version_id, etag, sequencer = (str(entity.get(name) or "") for name in ("versionId", "eTag", "sequencer"))
        found = UploadIdentity(bucket, unquote_plus(entity["key"]), version_id or etag, sequencer, version_id, etag)
        found.pk.encode()  # here, not where it is claimed: half a surrogate pair is no key
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedBody("a record of the event is not S3's, or names no valid object") from error
    return found


def _last(desk: JobEnvironment, kind: str, upload: UploadIdentity, claim: Claim, error: Exception) -> None:
    """Fail a job whose last attempt this was, if that can be done; the event goes to the dead-letter queue."""
    if claim.attempt >= desk.attempts:
        reason = ServiceError(f"given up after {claim.attempt} attempts: {str(error) or type(error).__name__}")
        with suppress(BotoCoreError, ClientError):
            fail_job(desk, claim.job_id, kind, upload.key, reason)


_BRIDGE: Final = "aws.s3"
_CREATED: Final = "Object Created"
_NAMES: Final = {"version-id": "versionId", "etag": "eTag", "sequencer": "sequencer", "size": "size"}


def start_from_event(desk: JobEnvironment, kind: JobType, event: Event, owner: str) -> list[str]:
    """Begin the job of each object of an event; return the ids of those that were ours to do.

    A record that fails stops none behind it; once all were tried the first failure is raised, so that the event comes
    again: what was begun is claimed by then. Raises as `start_from_record` and `list_records` do.
    """
    begun: list[str | None] = []
    failed: list[Exception] = []
    for record in list_records(event):
        try:
            begun.append(start_from_record(desk, kind, record, owner))
        except Exception as error:  # raised below, when those behind it have had their turn
            logger.error("a record of an event failed", reason=f"{type(error).__name__}: {error}")
            failed.append(error)
    if failed:
        raise failed[0]
    return [job_id for job_id in begun if job_id]


def list_records(event: Mapping[str, Any]) -> list[Any]:
    """Return the records of an event in the shape of S3's; a test event has no records. Raises MalformedBody."""
    if event.get("source") == _BRIDGE:
        return [_read_bridged(event)] if event.get("detail-type") == _CREATED else []
    records = event.get("Records") or []
    if not isinstance(records, list):
        raise MalformedBody("the event's \"Records\" is not a list: the event is not S3's")
    if not records:
        logger.info("an event without records", event_name=str(event.get("Event", "")))
    return records


def _read_bridged(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return EventBridge's event as a record: there keys are not URL-encoded, and names are spelled otherwise."""
    try:
        bucket, entity = event["detail"]["bucket"], event["detail"]["object"]
        named = {ours: entity[theirs] for theirs, ours in _NAMES.items() if theirs in entity}
        return {"s3": {"bucket": {"name": bucket["name"]}, "object": {"key": quote_plus(entity["key"]), **named}}}
    except (KeyError, TypeError, UnicodeEncodeError) as error:
        raise MalformedBody("EventBridge's event names no bucket and object") from error
