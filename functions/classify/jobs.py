"""ClassifyUploadFunction: a file dropped under classify/ becomes results, at once or by the state machine."""

from typing import Any

from assay.jobs.classify_files import classify_shard, join_classification
from assay.jobs.steps import shard_step, start_from_event
from assay.jobs.workspace import JobPlan, ShardResult
from assay.telemetry import logger, observe, phase
from classify.services import desk, kind, pinned_classifier


@observe
def upload_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    owner = context.aws_request_id
    return {"jobs": start_from_event(desk(), kind(), event, owner, work, join_classification)}


@observe
def shard_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the shard that the state machine names: `job_id`, `shard`."""
    logger.append_keys(shard=event["shard"])
    return shard_step(desk(), event, work)


def work(manifest: JobPlan, index: int) -> ShardResult:
    """Classify a shard with the model that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
    known, stores = pinned_classifier(manifest.models), desk()
    with phase("classify", model=known.model.manifest.name):
        return classify_shard(manifest, index, stores.uploads, stores.results, known, known.text)
