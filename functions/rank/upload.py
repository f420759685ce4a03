"""A file dropped under rank/ in the uploads bucket becomes results in the results bucket.

S3 delivers an event at least once and Lambda tries a failed one twice more, so a job is claimed before it is done.
What the file is to blame for ends as a FAILED job with its reason; anything else is raised, tried again, and ends
in the dead-letter queue.
"""

from typing import Any
from urllib.parse import unquote_plus

from assay.errors import InputError, ObjectMissing
from assay.jobs import UploadIdentity
from assay.telemetry import logger, observed, phase, scored
from rank import filejob
from rank.wiring import Service, service

PREFIX = "rank/"
LEASE_SECONDS = 900


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Work on each object of an S3 event; return the ids of the jobs that were done now."""
    done = [_work(service(), record["s3"], context.aws_request_id) for record in event.get("Records", ())]
    return {"jobs": [job_id for job_id in done if job_id]}


def _work(stack: Service, record: dict[str, Any], owner: str) -> str | None:
    entity = record["object"]
    key = unquote_plus(entity["key"])
    if not key.startswith(PREFIX) or key.endswith("/"):
        return None
    version = entity.get("versionId") or entity.get("eTag", "")
    upload = UploadIdentity(record["bucket"]["name"], key, version, entity.get("sequencer", ""))
    claim = stack.jobs.claim(upload, owner, LEASE_SECONDS)
    logger.append_keys(job_id=claim.job_id)
    if not claim.granted:
        logger.info("event of a job that is not ours to do", state=claim.state)
        return None
    _run(stack, key, entity.get("eTag", ""), claim.job_id)
    return claim.job_id


def _run(stack: Service, key: str, etag: str, job_id: str) -> None:
    """Do a job to its end, good or bad. Raises ServiceError and AWS's errors, for another try."""
    try:
        planned = filejob.plan(stack.uploads, key, etag, job_id)
        pair = stack.pair()
        stack.jobs.start(job_id, pair.models)
        with phase("rank"):
            partial = filejob.run(planned, stack.uploads, stack.results, pair)
        stack.jobs.succeed(job_id, filejob.counts(partial), filejob.keys(job_id))
        scored(partial.counts.scored)
    except (InputError, ObjectMissing) as error:
        logger.warning("job failed", code=error.code)
        filejob.finish(stack.results, job_id, filejob.failure(job_id, key, error))
        stack.jobs.fail(job_id, error.message, filejob.left(job_id, error))
