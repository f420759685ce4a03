"""JobSweepFunction: ends jobs that stopped without saying so, every now and then.

A job's last step records its end. Where nothing is left that could do so (an execution that has ended, a function
that died in every try, a promised upload that never came), the job would be RUNNING for ever.
"""

from collections.abc import Iterator
from typing import Any

from assay.errors import JobLost
from assay.files.desk import Desk
from assay.files.failing import give_up
from assay.jobs import Job
from assay.telemetry import logger, measure, observed
from portal.wiring import service

EXECUTION_SECONDS = 300.0
"""After so long without a change, an execution is asked whether it still runs."""
FUNCTION_SECONDS = 3600.0
"""Three tries of 900 s, and the minutes that Lambda waits in between."""
PROMISED_SECONDS = 86_400.0
"""A presigned upload begins within the hour, and may take hours to end."""


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """End the jobs that stopped; return their ids."""
    ended = sweep(service().desk)
    if ended:
        logger.warning("jobs had stopped without saying so", jobs=ended)
        measure("JobsSwept", len(ended))
    return {"jobs": ended}


def sweep(desk: Desk) -> list[str]:
    """End the jobs that stopped; return their ids."""
    lost = list(_lost(desk))
    for job, reason in lost:
        give_up(desk, job.id, job.kind, job.upload, JobLost(reason))
    return [job.id for job, _ in lost]


def _lost(desk: Desk) -> Iterator[tuple[Job, str]]:
    for job in desk.jobs.unfinished(EXECUTION_SECONDS):
        reason = _stopped(desk, job)
        if reason:
            yield job, reason


def _stopped(desk: Desk, job: Job) -> str:
    """Return why nothing works on a job any more, empty where something may."""
    if job.execution:
        outcome = desk.machine.outcome(job.execution)
        now = desk.jobs.get(job.id)  # it may have ended well since it was found
        live = outcome.running or now is None or now.finished
        return "" if live else f"its execution ended without a result: {outcome.reason}"
    quiet = desk.jobs.quiet(job)
    if job.bucket and quiet > FUNCTION_SECONDS:
        return "the function that worked on it stopped without a result; drop the file again"
    return "nothing was uploaded within a day of the wish to" if quiet > PROMISED_SECONDS else ""
