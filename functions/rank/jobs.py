"""RankUploadFunction: a file dropped under rank/ becomes results, at once where it is small, else by the state machine.

S3 delivers an event at least once and Lambda tries a failed one twice more, so a job is claimed before it is done.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from assay.jobs import classify_files
from assay.jobs.classify_files import ClassifyJobType
from assay.jobs.ending import fail_step, note_step
from assay.jobs.merging import Join
from assay.jobs.planning import JobType
from assay.jobs.rank_files import join_ranking, rank_shard
from assay.jobs.steps import merge_step, plan_step, shard_step, start_from_event
from assay.jobs.workspace import JobPlan, ShardResult
from assay.telemetry import count_scored, logger, observe, phase
from rank.services import RankServices, service


@observe
def upload_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    stack, owner = service(), context.aws_request_id
    return {"jobs": start_from_event(stack.desk, stack.kind, event, owner, work, join_ranking)}


KINDS: Final[Mapping[str, Callable[[RankServices], JobType]]] = {
    "rank": lambda stack: stack.kind,
    "classify": lambda stack: ClassifyJobType(stack.classifier),
}
"""What each kind of job brings to its plan."""


@observe
def plan_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Plan the job `job_id` of the upload `bucket`, `key`, `version_id`, `etag`."""
    return plan_step(service().desk, KINDS[event["kind"]](service()), event)


@observe
def shard_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the shard that the state machine names: `job_id`, `shard`."""
    logger.append_keys(shard=event["shard"])
    return shard_step(service().desk, event, work)


def work(manifest: JobPlan, index: int) -> ShardResult:
    """Rank a shard with the models that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
    stack = service()
    pair = stack.pinned(manifest.models)
    with phase("rank"):
        result = rank_shard(manifest, index, stack.uploads, stack.results, pair, pair.contract)
    count_scored(result.counts.get("scored", 0))
    return result


JOINS: Final[Mapping[str, Join]] = {"rank": join_ranking, "classify": classify_files.join_classification}
"""How each kind of job is joined."""
_STEPS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {"note": note_step, "fail": fail_step}


@observe
def merge_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Merge a job; with `step` `note` write down a shard's failure, with `fail` the job's."""
    desk = service().desk
    if step := _STEPS.get(event.get("step", "")):
        return step(desk, event)
    return merge_step(desk, event, JOINS[event["kind"]])
