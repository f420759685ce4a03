"""ClassifyUploadFunction: a file dropped under classify/ becomes results, at once or by the state machine."""

from typing import Any

from assay.jobs.steps import shard_step, start_from_event
from assay.telemetry import observe
from classify.services import services


@observe
def upload_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    return {"jobs": start_from_event(services().desk, services().kind, event, context.aws_request_id)}


@observe
def shard_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the shard that the state machine names: `job_id`, `shard`."""
    return shard_step(services().desk, services().kind, event)
