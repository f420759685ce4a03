"""ClassifyUploadFunction: a file dropped under classify/ becomes results, at once or by the state machine."""

from typing import Any

from assay.files.abstracts import join
from assay.files.arrivals import take_all
from assay.telemetry import observed
from classify.shard import work
from classify.wiring import desk, kind


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    owner = context.aws_request_id
    return {"jobs": take_all(desk(), kind(), event, owner, work, join)}
