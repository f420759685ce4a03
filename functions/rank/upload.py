"""RankUploadFunction: a file dropped under rank/ becomes results, at once where it is small, else by the state machine.

S3 delivers an event at least once and Lambda tries a failed one twice more, so a job is claimed before it is done.
"""

from typing import Any

from assay.files.arrivals import take_all
from assay.telemetry import observed
from rank.merge import join
from rank.shard import work
from rank.wiring import service


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    stack, owner = service(), context.aws_request_id
    return {"jobs": take_all(stack.desk, stack.kind, event, owner, work, join)}
