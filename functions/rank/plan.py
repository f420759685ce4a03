"""RankPlanFunction: pins what a job is about and lists its shards for the state machine."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from assay.files.abstracts import ClassifyKind
from assay.files.planning import Kind
from assay.files.steps import plan_step
from assay.telemetry import observed
from rank.wiring import Service, service

KINDS: Final[Mapping[str, Callable[[Service], Kind]]] = {
    "rank": lambda stack: stack.kind,
    "classify": lambda stack: ClassifyKind(stack.classifier),
}
"""What each kind of job brings to its plan."""


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Plan the job `job_id` of the upload `bucket`, `key`, `version_id`, `etag`."""
    return plan_step(service().desk, KINDS[event["kind"]](service()), event)
