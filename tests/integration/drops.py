"""Files dropped under rank/, through the real handlers, the state machine and a tiny model."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from assay.jobs.job_records import Job, Jobs
from tests import events
from tests.conftest import TABLE, Aws
from tests.events import Context
from tests.integration.machines import FileMachine

GOOD = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
OTHER = GOOD[::-1]


@dataclass(frozen=True, slots=True)
class Drop:
    """Drops files, hands their events to the handler, and looks at what became of them."""

    aws: Aws
    handler: Callable[[dict[str, Any], Context], dict[str, list[str]]]
    machine: FileMachine
    told: str = "ranking.json"

    def put(self, key: str, body: bytes, **metadata: str) -> dict[str, Any]:
        """Put a file and return its event."""
        reply = self.aws.s3.put_object(Bucket="uploads", Key=key, Body=body, Metadata=metadata)
        event = events.load("s3_put")
        entity = {"key": quote_plus(key, safe="/"), "eTag": reply["ETag"].strip('"'), "size": len(body)}
        if "VersionId" in reply:
            entity["versionId"] = reply["VersionId"]
        event["Records"][0]["s3"]["bucket"]["name"] = "uploads"
        event["Records"][0]["s3"]["object"] |= entity
        return event

    def __call__(self, event: dict[str, Any], request: str = "one") -> list[str]:
        return self.handler(event, Context(request))["jobs"]

    def done(self, key: str, body: bytes, **metadata: str) -> str:
        """Drop a file, wait for its execution if there is one, and return its job's id."""
        (job_id,) = self(self.put(key, body, **metadata))
        if job_id in self.machine.executions():
            self.machine.wait(job_id)
        return job_id

    def summary(self, job_id: str) -> dict[str, Any]:
        """Return a job's summary."""
        found: dict[str, Any] = json.loads(self.text(job_id, self.told))
        return found

    def result(self, job_id: str, name: str) -> bytes:
        """Return a result file."""
        found = self.aws.results.get(f"results/{job_id}/{name}", limit=1 << 24)
        assert found is not None
        return found[0]

    def text(self, job_id: str, name: str) -> str:
        """Return a result file as text."""
        return self.result(job_id, name).decode()

    def rows(self, job_id: str, name: str) -> list[dict[str, str]]:
        """Return the rows of a CSV among the results."""
        return list(csv.DictReader(io.StringIO(self.text(job_id, name))))

    def job(self, job_id: str) -> Job:
        """Return a job's record."""
        job = Jobs(self.aws.dynamodb, TABLE).get(job_id)
        assert job is not None
        return job

    def names(self, job_id: str) -> list[str]:
        """Return the names of a job's results."""
        prefix = f"results/{job_id}/"
        return [key.removeprefix(prefix) for key in self.aws.results.keys(prefix)]
