"""RankUploadFunction: a file dropped under rank/ becomes results, at once where it is small, else by the state machine.

S3 delivers an event at least once and Lambda tries a failed one twice more, so a job is claimed before it is done.
"""

from typing import Any

from assay.files.taking import take
from assay.telemetry import observed
from rank.merge import join
from rank.shard import work
from rank.wiring import service


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Begin the job of each object of an S3 event; return the ids of those that were ours to do."""
    stack, owner = service(), context.aws_request_id
    done = [take(stack.desk, stack.kind, record, owner, work, join) for record in event.get("Records", ())]
    return {"jobs": [job_id for job_id in done if job_id]}
