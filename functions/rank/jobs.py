"""RankUploadFunction: a file dropped under rank/ becomes results, at once where it is small, else by the state machine.

S3 delivers an event at least once and Lambda tries a failed one twice more, so a job is claimed before it is done. The
state machine's steps plan and join jobs of every kind.
"""

from collections.abc import Callable
from typing import Any, Final

from assay.jobs.ending import fail_step, note_step
from assay.jobs.steps import merge_step, plan_step, shard_step, start_from_event
from assay.telemetry import observe
from rank.services import services


@observe
def upload_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    return {"jobs": start_from_event(services().desk, services().kinds["rank"], event, context.aws_request_id)}


@observe
def plan_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Plan the job `job_id` of the upload `bucket`, `key`, `version_id`, `etag`."""
    return plan_step(services().desk, services().kinds[event["kind"]], event)


@observe
def shard_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the shard that the state machine names: `job_id`, `shard`."""
    return shard_step(services().desk, services().kinds["rank"], event)


_STEPS: Final[dict[str, Callable[..., dict[str, Any]]]] = {"note": note_step, "fail": fail_step}


@observe
def merge_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Merge a job; with `step` `note` write down a shard's failure, with `fail` the job's."""
    if step := _STEPS.get(event.get("step", "")):
        return step(services().desk, event)
    return merge_step(services().desk, services().kinds[event["kind"]], event)
