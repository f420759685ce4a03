"""The dead-letter queue drained: what lies there is begun again, and taken off the queue once it is."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

import boto3

from tools.jobs.deployed import Deployed

_WAIT: Final = 1
_LOT: Final = 10


def drain(there: Deployed) -> Iterator[str]:
    """Begin again what the queue holds, each thing once; yield a line about each message. Raises AWS's errors.

    What fails again meanwhile, and is back in the queue, stays there for the next time.
    """
    queue, url = boto3.client("sqs"), there.ids["UploadsDeadLetterQueue"]
    asked: Any = {"QueueUrl": url, "MaxNumberOfMessages": _LOT, "WaitTimeSeconds": _WAIT}
    begun: set[str] = set()
    while messages := queue.receive_message(**asked).get("Messages", []):
        for message in messages:
            what = _about(message["Body"])
            if what is None:
                yield "a message that is not Assay's was left where it is"
            elif what.isdisjoint(begun):
                yield from _begun(there, json.loads(message["Body"]))
                queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                begun |= what


def _about(body: str) -> set[str] | None:
    """Return the job or the keys that a message is about, None where it is none of ours."""
    try:
        said = json.loads(body)
        if "job_id" in said:
            return {str(said["job_id"])}
        return {str(record["s3"]["object"]["key"]) for record in said.get("requestPayload", said)["Records"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def redriven(there: Deployed, job_id: str) -> str:
    """Begin a FAILED job again, its finished shards kept; return a line about it."""
    from assay.files.taking import redrive

    execution = redrive(there.desk, job_id)
    if execution:
        return f"{job_id}: runs again as {execution.rpartition(':')[2]}; finished shards are kept"
    job = there.desk.jobs.get(job_id)
    return f"{job_id}: {f'is {job.state}, only FAILED jobs are redriven' if job else 'there is no such job any more'}"


def _begun(there: Deployed, body: Mapping[str, Any]) -> Iterator[str]:
    """Begin what one message is about: a job that the state machine gave up, or S3's event that no function took."""
    if "job_id" in body:
        yield redriven(there, str(body["job_id"]))
        return
    event = body.get("requestPayload", body)
    for record in event["Records"]:
        yield _delivered(there, event, record)


def _delivered(there: Deployed, event: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Redrive the FAILED job of an event's object, or hand the event to the function once more."""
    key = unquote_plus(record["s3"]["object"]["key"])
    job = there.desk.jobs.by_upload(key)
    if job is not None and job.finished:
        return f"{key}: {redriven(there, job.id)}"
    payload = json.dumps({**event, "Records": [record]}).encode()
    function = there.ids["ClassifyUploadFunction" if key.startswith("classify/") else "RankUploadFunction"]
    boto3.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=payload)
    return f"{key}: its event was sent to {function} again"
