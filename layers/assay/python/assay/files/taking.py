"""From an S3 event to a job: claimed once, planned, done at once where it is small, else by the state machine."""

from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from assay.claims import Claim, UploadIdentity
from assay.errors import MalformedBody, ServiceError
from assay.files.desk import Desk
from assay.files.failing import BLAMED, give_up, settle
from assay.files.manifest import Manifest
from assay.files.merging import Join
from assay.files.planning import Kind, Upload, plan
from assay.files.steps import Work, merge_step, shard_step
from assay.telemetry import logger

LEASE_SECONDS = 900


def take(desk: Desk, kind: Kind, record: Mapping[str, Any], owner: str, work: Work, join: Join) -> str | None:
    """Begin the job of one record of an S3 event; return its id, None where there is nothing to do.

    Raises MalformedBody for a record that is not S3's; ServiceError and AWS's errors for another try, and after the
    last one the job is FAILED.
    """
    upload = identify(record)
    if upload.bucket != desk.uploads.name:
        logger.warning("an event of another bucket starts nothing", bucket=upload.bucket)
        return None
    if not upload.key.startswith(f"{kind.name}/") or upload.key.endswith("/"):
        return None
    claim = desk.jobs.claim(upload, owner, LEASE_SECONDS)
    logger.append_keys(job_id=claim.job_id)
    if not claim.granted:
        logger.info("event of a job that is not ours to do", state=claim.state)
        settle(desk, claim.job_id)  # where it FAILED, and whoever ended it died before its summary said so
        return None
    try:
        begin(desk, kind, claim.job_id, Upload(upload.bucket, upload.key, upload.version_id, upload.etag), work, join)
    except BLAMED as error:
        logger.warning("job failed", code=error.code)
        give_up(desk, claim.job_id, kind.name, upload.key, error)
    except Exception as error:
        _last(desk, kind.name, upload, claim, error)
        raise
    return claim.job_id


def begin(desk: Desk, kind: Kind, job_id: str, upload: Upload, work: Work, join: Join) -> None:
    """Plan a job, then do it here, or start its execution. Raises as `plan` does, and what the work raises."""
    caps = desk.of_kind(kind.name).caps
    manifest = plan(kind, job_id, upload, desk.uploads, desk.results, caps)
    if manifest.shards > 1 or manifest.source.size > caps.shard_bytes:
        hand_over(desk, manifest, upload)
        return
    desk.jobs.start(job_id, manifest.models)
    shard_step(desk, {"job_id": job_id, "shard": 0}, work)
    merge_step(desk, {"job_id": job_id}, join)


def hand_over(desk: Desk, manifest: Manifest, upload: Upload) -> None:
    """Start the execution of a job; its name is the job's, so that a second start changes nothing."""
    job_id = manifest.job_id
    desk.jobs.start(job_id, manifest.models, shards=manifest.shards, execution=desk.machine.execution(job_id))
    desk.machine.start(job_id, {"job_id": job_id, "kind": manifest.kind, **upload.to_json()})


def redrive(desk: Desk, job_id: str) -> str | None:
    """Begin a FAILED job again, as a new execution that does what is missing; None where it is not one that FAILED."""
    job = desk.jobs.reopen(job_id)
    if job is None:
        return None
    upload = Upload(job.bucket or desk.uploads.name, job.upload, job.version_id, job.etag)
    name = f"{job_id}-{job.runs}"
    desk.jobs.start(job_id, job.models, shards=job.shards, execution=desk.machine.execution(name))
    desk.machine.start(name, {"job_id": job_id, "kind": job.kind, **upload.to_json()})
    return desk.machine.execution(name)


class Letter(Enum):
    """What to do about an event whose function gave it up."""

    ENDED = "its job has ended: one that FAILED is redriven"
    SENT = "no job was begun, or nobody works on it: the event is sent again"
    HELD = "its job is claimed for a while yet: leave the letter"


def read_letter(desk: Desk, upload: UploadIdentity, claimer: str = "") -> tuple[Letter, str, float]:
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


def identify(record: Mapping[str, Any]) -> UploadIdentity:
    """Return which object a record is about; its key is URL-encoded. Raises MalformedBody for one that is not S3's."""
    try:
        entity, bucket = record["s3"]["object"], record["s3"]["bucket"]["name"]
        version_id, etag, sequencer = (str(entity.get(name) or "") for name in ("versionId", "eTag", "sequencer"))
        found = UploadIdentity(bucket, unquote_plus(entity["key"]), version_id or etag, sequencer, version_id, etag)
        found.pk.encode()  # here, not where it is claimed: half a surrogate pair is no key
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MalformedBody("a record of the event is not S3's, or names no object that there can be") from error
    return found


def _last(desk: Desk, kind: str, upload: UploadIdentity, claim: Claim, error: Exception) -> None:
    """Fail a job whose last attempt this was, if that can be done; the event goes to the dead-letter queue."""
    if claim.attempt >= desk.attempts:
        reason = ServiceError(f"given up after {claim.attempt} attempts: {str(error) or type(error).__name__}")
        with suppress(BotoCoreError, ClientError):
            give_up(desk, claim.job_id, kind, upload.key, reason)
