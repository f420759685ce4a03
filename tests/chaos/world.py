"""One service for chaos: moto's stores and state machine, the real handlers, faults under all of them."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from assay.aws import clients
from assay.jobs.environment import JobEnvironment
from assay.jobs.job_records import Job, Jobs
from assay.jobs.planning import Caps
from assay.jobs.steps import Letter, read_identity, read_letter, redrive
from classify import jobs as classify_jobs
from tests.chaos.faults import Faults, Killed
from tests.conftest import TABLE, Aws, cloud
from tests.events import Context
from tests.integration.drops import Drop
from tests.integration.machines import FileMachine, Handler, create

SHARD_BYTES: Final = 1536
"""A shard of sequences; one of abstracts has a sixteenth."""
SERVICES: Final = ("s3", "dynamodb", "stepfunctions")
TRIES: Final = 3
_INVOKED: Final = ("killed", "lost", "twice", "outage")
_AHEAD: Final = 90_000.0
"""Seconds that the sweeper is sent ahead: by then everything that stopped is to be ended."""


@dataclass
class World:
    """Drops files while things go wrong; `dead` are the events that failed in every try, `broken` what must not be.

    `later` is by how many seconds the functions' clocks are ahead.
    """

    aws: Aws
    machine: FileMachine
    uploads: dict[str, Handler]
    faults: Faults
    dead: list[dict[str, Any]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    later: float = 0.0
    numbered: int = 0

    def put(self, key: str, body: bytes, options: dict[str, str]) -> dict[str, Any]:
        """Put a file as its user does, and return its event, numbered in order."""
        event = Drop(self.aws, self.uploads["rank"], self.machine).put(key, body, **options)
        self.numbered += 1
        event["Records"][0]["s3"]["object"]["sequencer"] = f"{self.numbered:018X}"
        return event

    def deliver(self, event: dict[str, Any], request: str) -> None:
        """Send an event as Lambda does: tried again twice, then dead."""
        kind = event["Records"][0]["s3"]["object"]["key"].partition("/")[0]
        for _ in range(TRIES):
            with suppress(Exception), mortal(self.faults):
                self.uploads[kind](event, Context(request))
                return
        self.dead.append(event)

    def drain(self, event: dict[str, Any]) -> None:
        """Do with a dead letter what the runbook's command does: it is one after minutes of tries."""
        self.later = 180.0
        letter, job_id, seconds = read_letter(self.desk(), read_identity(event["Records"][0]))
        if letter is Letter.HELD:
            self.later += seconds + 1
        if letter is Letter.ENDED:
            redrive(self.desk(), job_id)
        else:
            self.deliver(event, "drained")
        self.settle()
        self.later = 0.0

    def deliver_twice(self, event: dict[str, Any]) -> None:
        """Send an event twice at the same moment, as S3 may."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda request: self.deliver(event, request), ("one", "two")))

    def settle(self) -> None:
        """Wait for every execution."""
        for name in self.machine.running():
            self.machine.wait(name)

    def sweep(self, ahead: float = _AHEAD) -> list[str]:
        """Let the sweeper look, some seconds from now."""
        from portal.sweep import sweep

        client = clients.client("dynamodb")
        return sweep(replace(self.desk(), jobs=Jobs(client, TABLE, clock=lambda: time.time() + ahead)))

    def desk(self) -> JobEnvironment:
        """Return the desk of this environment."""
        from rank.services import services

        return services().desk

    def job(self, event: dict[str, Any]) -> Job | None:
        """Return the job of an event."""
        return Jobs(self.aws.dynamodb, TABLE).of(read_identity(event["Records"][0]))

    def look(self, job: Job) -> None:
        """Note where a job shows results that it must not show, or that are not there."""
        keys = set(self.aws.results.keys(f"results/{job.id}/"))
        if job.state != "SUCCEEDED" and set(job.results) - {"summary"}:
            self.broken.append(f"{job.id} is {job.state} and lists results")
        if not set(job.results.values()) <= keys:
            self.broken.append(f"{job.id} lists what is not there")


@contextmanager
def world(faults: Faults, scratch: Path) -> Iterator[World]:
    """Make a service with these faults, which are off at first."""
    with pytest.MonkeyPatch.context() as patch, cloud(patch, scratch) as aws:
        for name, value in _environment().items():
            patch.setenv(name, value)
        aws.publish("tiny-index", "tiny-text")
        aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
        patch.setattr("assay.jobs.environment.caps", lambda _: Caps(SHARD_BYTES, 1000, 1 << 30))
        patch.setattr("botocore.endpoint.time", _Unhurried)
        machine = create(_handlers(faults), patch)
        patch.setenv("ASSAY_FILE_MACHINE", machine.arn)
        forget()
        patch.setattr("assay.jobs.byte_ranges.NOTE_SECONDS", 0.0)
        for each in (*map(clients._client, SERVICES), clients.hasty_table_client()):
            faults.attach(each)
        place = World(aws, machine, _uploads(), faults)
        patch.setattr("assay.jobs.announcements.Jobs", partial(Jobs, clock=lambda: time.time() + place.later))
        yield place
        faults.on = False
        forget()


def _environment() -> dict[str, str]:
    models = dict.fromkeys(("ASSAY_GATE_MODEL", "ASSAY_SCORE_MODEL"), "tiny-index")
    return {**models, "ASSAY_SHARD_CONCURRENCY": "2", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}


def _uploads() -> dict[str, Handler]:
    from classify import jobs as classify
    from rank import jobs as rank

    return {"rank": rank.upload_handler, "classify": classify.upload_handler}


def _handlers(faults: Faults) -> dict[str, Handler]:
    from rank import jobs as rank_jobs

    found = {
        "RankPlan": rank_jobs.plan_handler,
        "RankShard": rank_jobs.shard_handler,
        "RankMerge": rank_jobs.merge_handler,
    }
    found["ClassifyShard"] = classify_jobs.shard_handler
    return {name: _faulty(faults, name, handler) for name, handler in found.items()}


def _faulty(faults: Faults, name: str, handler: Handler) -> Handler:
    """Return a function that dies before it begins, or after it was done, or is run twice."""

    def call(event: dict[str, Any], context: Any) -> Any:
        kind = faults.fate(f"{name} {event.get('shard', event.get('step', ''))}", _INVOKED) if faults.on else ""
        if kind in {"killed", "outage"}:
            raise Killed("exit status 137")
        with mortal(faults):
            reply = handler(event, context)
            if kind == "lost":
                raise Killed("exit status 137, its work done")
            return handler(event, context) if kind == "twice" else reply

    return call


@contextmanager
def mortal(faults: Faults) -> Iterator[None]:
    """Begin a new environment where a function was killed meanwhile: what it had in mind died with it."""
    before = faults.done["killed"]
    try:
        yield
    finally:
        if faults.done["killed"] > before:
            forget()


def forget() -> None:
    """Drop what the functions keep between calls, as new environments of theirs begin."""
    from classify import services
    from portal import services as portal
    from rank.services import services as service

    for each in (service, services.services, portal.services):
        each.cache_clear()


class _Unhurried:
    """The clock of boto's retries, which does not wait."""

    @staticmethod
    def sleep(seconds: float) -> None:
        assert seconds >= 0
        threading.Event().wait(0)
