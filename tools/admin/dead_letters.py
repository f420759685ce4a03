"""Drain the dead-letter queue: begin again what each message is about, then delete the message.

A message is about one event of one object: key, version and sequencer. The job of that event decides what is done, not
the latest job of the key, which may be about another file of the same name.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import boto3

from assay.errors import AssayError
from assay.jobs.job_records import UploadIdentity
from assay.jobs.steps import Letter, list_records, read_identity, read_letter, redrive
from tools.admin.resources import Deployed

_WAIT: Final = 1
_LOT: Final = 10


def drain(there: Deployed) -> Iterator[str]:
    """Begin again what the queue holds, each thing once; yield a line about each message. Raises AWS's errors.

    What fails again meanwhile, and is back in the queue, stays there for the next time; so does a message that may be
    in work.
    """
    queue, url = boto3.client("sqs"), there.ids["UploadsDeadLetterQueue"]
    asked: Any = {"QueueUrl": url, "MaxNumberOfMessages": _LOT, "WaitTimeSeconds": _WAIT}
    seen: set[str] = set()
    while messages := queue.receive_message(**asked).get("Messages", []):
        for message in messages:
            what = _about(message["Body"])
            if what is None:
                yield "a message that is not Assay's was left where it is"
            elif what.isdisjoint(seen):
                seen |= what
                lines = list(_begin_again(there, json.loads(message["Body"])))
                yield from (line for line, _ in lines)
                if all(done for _, done in lines):
                    queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _about(body: str) -> set[str] | None:
    """Return the job or the events that a message is about, None if it is not ours."""
    try:
        said = json.loads(body)
        if "job_id" in said:
            return {str(said["job_id"])}
        return {read_identity(record).pk for record in list_records(said.get("requestPayload", said))} or None
    except (ValueError, KeyError, TypeError, AttributeError, AssayError):
        return None


def redrive_job(there: Deployed, job_id: str) -> str:
    """Begin a FAILED job again, its finished shards kept; return a line about it."""
    execution = redrive(there.desk, job_id)
    if execution:
        return f"{job_id}: runs again as {execution.rpartition(':')[2]}; finished shards are kept"
    job = there.desk.jobs.get(job_id)
    return f"{job_id}: {f'is {job.state}, only FAILED jobs are redriven' if job else 'there is no such job any more'}"


def _begin_again(there: Deployed, body: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Begin what one message is about: a job that the state machine gave up, or S3's event that no function took.

    Yield a line about each, and whether the message is done with.
    """
    if "job_id" in body:
        yield redrive_job(there, str(body["job_id"])), True
        return
    event = body.get("requestPayload", body)
    claimer = str((body.get("requestContext") or {}).get("requestId", ""))
    for record in list_records(event):
        yield _deliver_again(there, {"Records": [record]}, read_identity(record), claimer)


def _deliver_again(there: Deployed, event: Mapping[str, Any], upload: UploadIdentity, claimer: str) -> tuple[str, bool]:
    """Redrive the FAILED job of an event, or hand the event to its function once more, unless one works on it."""
    letter, job_id, seconds = read_letter(there.desk, upload, claimer)
    if letter is Letter.ENDED:
        return f"{upload.key}: {redrive_job(there, job_id)}", True
    if letter is Letter.HELD:
        return f"{upload.key}: {job_id} may be worked on for {seconds:.0f} s more: left where it is", False
    function = there.ids["ClassifyUploadFunction" if upload.key.startswith("classify/") else "RankUploadFunction"]
    boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
    return f"{upload.key}: its event was sent to {function} again", True
