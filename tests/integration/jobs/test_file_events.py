"""The recorded events of file jobs, one for each entry point."""

from collections.abc import Callable
from typing import Any

import pytest

from assay.jobs.environment import JobEnvironment
from assay.settings import Settings
from tests import events
from tests.events import Context
from tests.integration.drops import GOOD, Drop

JOB = str(events.load("rank_plan")["job_id"])


@pytest.fixture
def desk(drop: Drop) -> JobEnvironment:
    """The desk of this environment; the object that the events are about is there."""
    import os

    drop.aws.s3.put_object(Bucket="uploads", Key=events.load("rank_plan")["key"], Body=f"{GOOD}\nMKV\n".encode())
    desk = JobEnvironment.of(Settings.from_environ(os.environ))
    desk.jobs._write(JOB, {"kind": "rank", "upload": events.load("rank_plan")["key"]})
    return desk


def step(name: str) -> dict[str, Any]:
    """Call the handler that an event is for."""
    from portal import sweep
    from rank import jobs as rank_jobs

    handlers: dict[str, Callable[..., dict[str, Any]]] = {
        "rank_plan": rank_jobs.plan_handler,
        "rank_shard": rank_jobs.shard_handler,
        "rank_merge": rank_jobs.merge_handler,
        "rank_merge_note": rank_jobs.merge_handler,
        "rank_merge_fail": rank_jobs.merge_handler,
        "job_sweep": sweep.handler,
    }
    return handlers[name](events.load(name), Context())


def test_plan_shard_and_merge_do_a_job(drop: Drop, desk: JobEnvironment) -> None:
    planned = step("rank_plan")
    recorded = events.load("rank_merge")
    assert set(planned) == set(recorded)
    assert planned["items"] == recorded["items"]
    assert step("rank_shard") == {}
    assert step("rank_merge") == {"job_id": JOB, "state": "SUCCEEDED"}
    assert drop.summary(JOB)["counts"]["received"] == 2


def test_failures_are_noted_and_end_the_job(drop: Drop, desk: JobEnvironment) -> None:
    step("rank_plan")
    assert step("rank_merge_note") == {}
    reply = step("rank_merge_fail")
    assert (reply["state"], reply["bury"]) == ("FAILED", True)
    assert "shard 1 of 1 (bytes 0 to 54) of rank/designs.txt failed" in reply["reason"]
    assert drop.job(JOB).reason == reply["reason"]


def test_a_job_that_was_never_planned_fails_too(drop: Drop, desk: JobEnvironment) -> None:
    assert step("rank_merge_fail")["state"] == "FAILED"
    assert drop.job(JOB).reason.startswith("States.ExceedToleratedFailureThreshold")


def test_a_job_that_succeeded_does_not_fail_afterwards(drop: Drop, desk: JobEnvironment) -> None:
    for name in ("rank_plan", "rank_shard", "rank_merge"):
        step(name)
    assert step("rank_merge_fail")["state"] == drop.summary(JOB)["state"] == "SUCCEEDED"


def test_the_sweeper_takes_its_schedule(drop: Drop) -> None:
    assert step("job_sweep") == {"jobs": []}
