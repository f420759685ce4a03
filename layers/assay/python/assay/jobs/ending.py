"""How a job fails, whatever its kind.

What the file is to blame for (InputError, or an upload that is gone) ends as a FAILED job with its reason. Anything
else is raised and tried again by Lambda or the state machine; when they give up, the job is FAILED too, and its event
goes to the dead-letter queue for the operator.
"""

import json
from collections.abc import Mapping
from typing import Any

from assay import errors
from assay.aws.s3 import Bucket
from assay.errors import AssayError, Cancelled, Conflict, InputError, NotFound, ObjectMissing, ServiceError, ShardFailed
from assay.http.messages import error_body
from assay.jobs import workspace
from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import CANCELLED, Job, LastWord
from assay.jobs.merging import locate
from assay.jobs.workspace import Failure, JobPlan, pointer_key


def finish(results: Bucket, summary_key: str, summary: Mapping[str, Any], *, latest: bool = True) -> None:
    """Write a summary (`job_id`, `state`, `upload`, ...), then the pointer from its upload to it.

    A job that is not the latest of its upload leaves the pointer as it is.
    """
    pointer = _pointer(str(summary["upload"]), str(summary["job_id"]), str(summary["state"]), summary_key)
    body = json.dumps(summary, ensure_ascii=False, allow_nan=False, indent=1).encode()
    results.put(summary_key, body, "application/json")
    if latest:
        results.put(*pointer, "application/json")


def point(results: Bucket, upload: str, job_id: str, state: str, summary_key: str) -> None:
    """Write the pointer from an upload to a job."""
    results.put(*_pointer(upload, job_id, state, summary_key), "application/json")


def _pointer(upload: str, job_id: str, state: str, summary_key: str) -> tuple[str, bytes]:
    """Return key and content of a pointer."""
    content = {"job_id": job_id, "state": state, "summary": summary_key}
    return pointer_key(upload), json.dumps(content).encode()


def describe_failure(job_id: str, upload: str, error: AssayError) -> dict[str, object]:
    """Return the summary of a job that cannot be done: why, in the shape that errors have everywhere."""
    return {"job_id": job_id, "state": "FAILED", "upload": upload} | error_body(
        error.code, error.message, error.details
    )


BLAMED = (InputError, ObjectMissing)
_LONGEST = 1000
_ROUNDS = 3


def fail_planned_job(
    desk: JobEnvironment, manifest: JobPlan, error: AssayError, results: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """End a planned job as FAILED: summary, pointer, record; `results` are kept beside the summary."""
    return fail_job(desk, manifest.job_id, manifest.kind, manifest.source.key, error, results)


def fail_job(
    desk: JobEnvironment,
    job_id: str,
    kind: str,
    upload: str,
    error: AssayError,
    results: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """End a job as FAILED, planned or not: record first, then summary and pointer; one that has ended stays so."""
    end(desk, job_id, kind, upload, error, results)
    job = desk.jobs.get(job_id)
    return {"job_id": job_id, "state": job.state if job else "FAILED"}


def end(
    desk: JobEnvironment,
    job_id: str,
    kind: str,
    upload: str,
    error: AssayError,
    results: Mapping[str, str] | None = None,
) -> bool:
    """End a job as FAILED; False where it had ended before, and only what it says of that was put right."""
    key = workspace.summary_key(job_id, kind)
    said = describe_failure(job_id, upload, error)
    said |= {"results": {**results, "summary": key}} if results else {}
    ended = desk.jobs.fail(job_id, error.message, results, said)
    if desk.jobs.get(job_id) is None:  # its record is gone: what is left of it says so
        write_summary(desk, key, said)
    settle(desk, job_id)
    return ended


def settle(desk: JobEnvironment, job_id: str, *, sure: bool = False) -> None:
    """Make summary and pointer of a job that FAILED say what its record says, until all three agree.

    The record has the last word over every other writer. With `sure`, no other writer is left, and this call settles
    it.
    """
    for _ in range(_ROUNDS):
        word, job = desk.jobs.last_word(job_id), desk.jobs.get(job_id)
        if word is None or job is None or word.agreed:
            return
        key = workspace.summary_key(job_id, job.kind)
        write_summary(desk, key, _compose(word, job))
        if desk.jobs.agree(job_id, word, {**job.results, "summary": key}, sure=sure):
            return


def write_summary(desk: JobEnvironment, summary_key: str, said: Mapping[str, Any]) -> None:
    """Write a summary, and the pointer of its upload where the job is the latest of its key.

    Another may become the latest, and end, between the look and the pointer: the pointer is then made its own.
    """
    upload, job_id = str(said["upload"]), str(said["job_id"])
    pointed = is_latest(desk, upload, job_id)
    finish(desk.results, summary_key, said, latest=pointed)
    other = desk.jobs.latest_id(upload) if pointed else None
    job = desk.jobs.get(other) if other not in (None, job_id) else None
    if job is not None and job.finished and not desk.jobs.leads(upload, job_id):
        point(desk.results, upload, job.id, job.state, workspace.summary_key(job.id, job.kind))


def _compose(word: LastWord, job: Job) -> Mapping[str, Any]:
    """Return the summary; a record of an earlier version has the reason alone."""
    return word.said if word.said is not None else describe_failure(job.id, job.upload, ServiceError(job.reason))


def cancel(desk: JobEnvironment, job_id: str) -> Job:
    """Stop a job and return it; one that was stopped before stays as it is. Raises NotFound, Conflict."""
    job = desk.jobs.get(job_id)
    if job is None:
        raise NotFound("there is no such job; a job's record expires 30 days after its last change")
    desk.jobs.fail(job_id, CANCELLED, said=describe_failure(job_id, job.upload, Cancelled(CANCELLED)))
    job = desk.jobs.get(job_id) or job
    if job.reason != CANCELLED:
        raise Conflict(f"the job has {job.state} already", state=job.state)
    word = desk.jobs.last_word(job_id)
    if job.execution and word and not word.agreed:
        desk.machine.stop(job.execution, CANCELLED)
    settle(desk, job_id)
    return desk.jobs.get(job_id) or job


def is_latest(desk: JobEnvironment, upload: str, job_id: str) -> bool:
    """Say whether a job is the latest of its upload's key; a record that is gone stands in no one's way."""
    other = desk.jobs.latest_id(upload)
    return other in (None, job_id) or desk.jobs.get(other) is None or desk.jobs.leads(upload, job_id)


def note_step(desk: JobEnvironment, event: Mapping[str, Any]) -> dict[str, Any]:
    """Write down why a shard gave up, before its failure ends the state machine's map."""
    said = event["error"]
    failed = Failure(int(event["shard"]), str(said.get("Error", "")), str(said.get("Cause", "")))
    desk.open_workspace(str(event["job_id"])).note(failed)
    return {}


def fail_step(desk: JobEnvironment, event: Mapping[str, Any]) -> dict[str, Any]:
    """End a job that the state machine gave up; `bury` says whether the operator should look at it."""
    job_id, said = str(event["job_id"]), event["error"]
    manifest = desk.open_workspace(job_id).find_plan()
    error = rebuild_error(str(said.get("Error", "")), str(said.get("Cause", "")))
    if manifest is None:
        job = desk.jobs.get(job_id)
        upload = job.upload if job else str(event.get("key", ""))
        reply = fail_job(desk, job_id, str(event.get("kind") or upload.partition("/")[0]), upload, error)
    else:
        failures = list(desk.open_workspace(job_id).failures())
        error = explain_failures(manifest, failures) if failures else error
        reply = fail_planned_job(desk, manifest, error)
    return {**reply, "reason": error.message, "bury": not isinstance(error, BLAMED)}


def explain_failures(manifest: JobPlan, failures: list[Failure]) -> AssayError:
    """Return the error of a job whose shards gave up: which, what bytes, and why the first of them."""
    first = rebuild_error(failures[0].error, failures[0].cause)
    where = locate(manifest, [each.shard for each in failures])
    return type(first)(f"{where} failed: {first.message}", **first.details)


def rebuild_error(name: str, cause: str) -> AssayError:
    """Return the error that a state machine caught: our own class by its name, ShardFailed for anything else."""
    message = _message(cause)[:_LONGEST]
    found = getattr(errors, name, None)
    if isinstance(found, type) and issubclass(found, AssayError):
        return found(message)
    return ShardFailed(": ".join(filter(None, (name, message))) or "it stopped without a reason")


def _message(cause: str) -> str:
    """Return the message in what Lambda says of a failed function, or all of it where it is something else."""
    try:
        said = json.loads(cause)
    except ValueError:
        return cause
    return str(said.get("errorMessage", cause)) if isinstance(said, Mapping) else cause
