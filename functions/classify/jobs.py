"""ClassifyUploadFunction: a file dropped under classify/ becomes results, at once or by the state machine."""

from typing import Any

from assay.jobs.classify_files import classified, join
from assay.jobs.steps import shard_step, take_all
from assay.jobs.workspace import Manifest, ShardResult
from assay.telemetry import logger, observed, phase
from classify.services import desk, kind, pinned


@observed
def upload_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    owner = context.aws_request_id
    return {"jobs": take_all(desk(), kind(), event, owner, work, join)}


@observed
def shard_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the shard that the state machine names: `job_id`, `shard`."""
    logger.append_keys(shard=event["shard"])
    return shard_step(desk(), event, work)


def work(manifest: Manifest, index: int) -> ShardResult:
    """Classify a shard with the model that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
    known, stores = pinned(manifest.models), desk()
    with phase("classify", model=known.model.manifest.name):
        return classified(manifest, index, stores.uploads, stores.results, known, known.text)
