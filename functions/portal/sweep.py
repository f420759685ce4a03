"""JobSweepFunction: ends jobs that stopped without saying so, every now and then.

A job's last step records its end. If the execution has ended, the function died in every try, or a promised upload
never came, no step is left to do so. Without the sweep such a job would be RUNNING for ever.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from assay.errors import JobLost
from assay.jobs.ending import end, settle
from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import PROMISED_SECONDS, Job, Live
from assay.telemetry import logger, measure, observe, record_failure
from portal.services import services

EXECUTION_SECONDS = 300.0
"""After so long without a change, an execution is asked whether it still runs."""
FUNCTION_SECONDS = 3600.0
"""Three tries of 900 s, and the minutes that Lambda waits in between."""
SWEEP_SECONDS: Final = 90.0
"""For so long a sweep begins with another job; the next one goes on. The function has 120 s."""
PAGE_JOBS: Final = 100
_JOBS_SHARE: Final = 2 / 3
"""Of a sweep's time at most so much is for jobs: however many there are, promises have their turn."""
_ALIVE_SECONDS: Final = 960.0
"""No function lives longer: after so long nobody writes the summary of a job that has ended."""


@observe
def handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """End the jobs that stopped; return their ids."""
    ended = sweep(services().desk)
    if ended:
        logger.warning("jobs stopped without a final state", jobs=ended)
        measure("JobsSwept", len(ended))
    return {"jobs": ended}


def sweep(desk: JobEnvironment, seconds: float = SWEEP_SECONDS, size: int = PAGE_JOBS) -> list[str]:
    """End the jobs that stopped; return their ids. Jobs come before promises, of which there may be any number.

    They are looked at page by page, the oldest first, from where the last sweep ended. A job that cannot be ended does
    not hold up the next. A job that ends the sweep itself does not either, because its place is noted first.
    """
    began = time.monotonic()
    jobs = _round(desk, "job", EXECUTION_SECONDS, began + seconds * _JOBS_SHARE, size)
    promises = _round(desk, "promise", FUNCTION_SECONDS, began + seconds, size)
    return list(dict.fromkeys([*jobs, *promises]))


def _round(desk: JobEnvironment, kind: Live, quiet: float, until: float, size: int) -> list[str]:
    """Look at the jobs of a kind, each once at most, until the time is up; return the ids of those ended."""
    ended: list[str] = []
    start = desk.jobs.cursor(kind)
    place = start
    for job_id, place in _places(desk, kind, quiet, start, size):
        if time.monotonic() > until:
            logger.warning("the sweep ran out of time; the next one continues", kind=kind)
            return ended
        ended += _sweep_one(desk, kind, job_id, place)
    if place:
        desk.jobs.keep_cursor(kind, None)
    return ended


def _places(
    desk: JobEnvironment, kind: Live, quiet: float, start: Mapping[str, str] | None, size: int
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the jobs behind a place, then those up to it."""
    after, again = start, start is None
    while True:
        page = desk.jobs.page(kind, quiet, after, size)
        for job_id, place in page:
            if again and start and place["updated"] > start["updated"]:
                return
            yield job_id, place
        if len(page) >= size:
            after = page[-1][1]
        elif again:
            return
        else:
            after, again = None, True


def _sweep_one(desk: JobEnvironment, kind: Live, job_id: str, place: Mapping[str, str]) -> list[str]:
    """Look at one job, its place kept first; return its id where it was ended."""
    try:
        desk.jobs.keep_cursor(kind, place)
        return [job_id] if _end_stopped(desk, job_id) else []
    except Exception as error:  # whatever it is, it is this job's
        record_failure("a job could not be swept", error)
        measure("SweepsFailed", 1)
        return []


def _end_stopped(desk: JobEnvironment, job_id: str) -> bool:
    """End a job where it stopped; put right what one says that has ended. Say whether it was ended here."""
    job = desk.jobs.get(job_id)
    if job is None:
        return False
    if job.finished:
        settle(desk, job_id, sure=desk.jobs.quiet(job) > _ALIVE_SECONDS)
        return False
    reason = _explain_stop(desk, job)
    return bool(reason) and end(desk, job_id, job.kind, job.upload, JobLost(reason))


def _explain_stop(desk: JobEnvironment, job: Job) -> str:
    """Return why nothing works on a job any more, empty where something may."""
    if job.execution:
        outcome = desk.machine.outcome(job.execution)
        now = desk.jobs.get(job.id)  # it may have ended well since it was found
        live = outcome.running or now is None or now.finished
        return "" if live else f"its execution ended without a result: {outcome.reason}"
    quiet = desk.jobs.quiet(job)
    if job.bucket and quiet > FUNCTION_SECONDS:
        return "the function that worked on it stopped without a result; drop the file again"
    return "no file was uploaded within a day of POST /uploads: begin again" if quiet > PROMISED_SECONDS else ""
