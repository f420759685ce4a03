"""Functions in separate processes that are killed, or out of memory: their jobs are done by a retry, or FAILED."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer

from assay.aws import clients
from assay.aws.s3 import Bucket
from assay.jobs.job_records import Job, Jobs
from tests.chaos.files import File, ranking
from tests.conftest import DATA, ROOT, TABLE, make_stores
from tests.events import load
from tests.load.samples import RESIDUES
from tools.models.publish import publish

LINES = [RESIDUES[at:] + RESIDUES + RESIDUES[:at] + RESIDUES[:10] for at in range(20)] + ["MKV", ""]
FILE = File("rank/a.txt", "".join(f"{each}\n" for each in LINES).encode())


@dataclass(frozen=True)
class Place:
    """Stores that outlive a function's process, and how to start one."""

    environment: dict[str, str]

    @contextmanager
    def function(self, way: str, event: dict[str, Any]) -> Iterator["subprocess.Popen[str]"]:
        """Run a function in a separate process, the event on its input."""
        command = [sys.executable, "-m", "tests.chaos.worker", way]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=ROOT, env=self.environment, text=True, **pipes) as process:
            assert process.stdin
            process.stdin.write(json.dumps(event) + "\n")
            process.stdin.flush()
            try:
                yield process
            finally:
                process.kill()

    def said(self, way: str, event: dict[str, Any]) -> list[str]:
        """Run a function to its end and return what it said."""
        with self.function(way, event) as process:
            return process.communicate(timeout=300)[0].splitlines()

    @property
    def results(self) -> Bucket:
        """Return the bucket of results."""
        return Bucket(boto3.client("s3"), "results")

    def job(self) -> Job:
        """Return the job of the file."""
        job = Jobs(boto3.client("dynamodb"), TABLE).by_upload(FILE.key)
        assert job is not None
        return job


@pytest.fixture
def place(environment: Callable[[str, str], None], tmp_path: Path) -> Iterator[Place]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    moto_api_backend.reset()
    host, port = server.get_host_and_port()
    given = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "NO_PROXY": host, "no_proxy": host}
    for name, value in {**given, "ASSAY_GATE_MODEL": "tiny-index", "ASSAY_SCORE_MODEL": "tiny-index"}.items():
        environment(name, value)
    clients.forget()
    make_stores(clients.client("s3"), clients.client("dynamodb"))
    publish(Bucket(clients.client("s3"), "models"), DATA / "tiny-index" / "1", run=False)
    path = os.pathsep.join(("functions", "layers/assay/python", "."))
    silent = {"POWERTOOLS_METRICS_DISABLED": "true", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    yield Place({**os.environ, **silent, "PYTHONPATH": path, "ASSAY_SCRATCH": str(tmp_path / "scratch")})
    server.stop()
    clients.forget()


@pytest.fixture
def event(place: Place) -> dict[str, Any]:
    return put(FILE.body)


def put(body: bytes) -> dict[str, Any]:
    """Put a file and return its event."""
    found = load("s3_put")
    reply = boto3.client("s3").put_object(Bucket="uploads", Key=FILE.key, Body=body, Metadata=dict(FILE.options))
    found["Records"][0]["s3"]["bucket"]["name"] = "uploads"
    found["Records"][0]["s3"]["object"] |= {"key": FILE.key, "eTag": reply["ETag"].strip('"'), "size": len(body)}
    return found


def test_a_worker_killed_midway_leaves_no_result_and_its_retry_the_right_one(
    place: Place, event: dict[str, Any]
) -> None:
    with place.function("hang", event) as process:
        assert process.stdout
        assert process.stdout.readline() == "midway\n"
        process.kill()
        assert process.wait(60) == -9
    job = place.job()
    assert (job.state, dict(job.results)) == ("RUNNING", {})
    assert list(place.results.keys("results/")) == []
    assert place.said("well", event) == [json.dumps({"jobs": [job.id]})]
    done = place.job()
    found = place.results.get(done.results["ranking"], limit=1 << 20)
    assert (done.id, done.state, found and found[0]) == (job.id, "SUCCEEDED", ranking(FILE))


def test_a_worker_out_of_memory_ends_its_job_with_a_reason(place: Place) -> None:
    tries = place.said("starved", put(b"MKV\n" * (4 << 20)))
    assert (len(tries), any(each.startswith("{") for each in tries)) == (3, False)
    job = place.job()
    assert (job.state, dict(job.results)) == ("FAILED", {"summary": f"results/{job.id}/ranking.json"})
    assert job.reason.startswith("given up after 3 attempts: ")
    assert job.reason != "given up after 3 attempts: "
