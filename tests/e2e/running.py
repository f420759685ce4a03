"""A local service in a separate process, as `make up` runs it, and what tests ask of it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"ready (http://127\.0\.0\.1:\d+)\n")
STORES = re.compile(r"S3: (http://127\.0\.0\.1:\d+) uploads=(\S+) results=(\S+) models=(\S+)\n")
SECONDS = 60.0
Found = TypeVar("Found")


@dataclass
class Service:
    """Where a running service answers, with clients of it."""

    url: str
    endpoint: str
    uploads: str
    results: str
    models: str
    process: "subprocess.Popen[str]"
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.s3 = self.client("s3")

    def client(self, name: str) -> Any:
        """Return a boto3 client with credentials made up on the spot."""
        keys = {"aws_access_key_id": "anything", "aws_secret_access_key": "at all", "region_name": "us-east-1"}
        open_client: Any = boto3.client
        return open_client(name, endpoint_url=self.endpoint, config=Config(proxies={}), **keys)

    def post(self, path: str, **body: Any) -> requests.Response:
        """POST without raising on an error status."""
        return self.session.post(self.url + path, timeout=SECONDS, **body)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET without following redirects."""
        return self.session.get(self.url + path, timeout=SECONDS, allow_redirects=False, **options)

    def drop(self, key: str, body: bytes, **options: str) -> dict[str, Any]:
        """Put a file with options as metadata and return the summary of its job."""
        self.s3.put_object(Bucket=self.uploads, Key=key, Body=body, Metadata=options)
        return self.summary(key)

    def summary(self, key: str) -> dict[str, Any]:
        """Wait for a dropped file's pointer, then for the summary of its job."""
        pointer = self.wait_json(f"by-upload/{key}.json")
        return {"job_id": pointer["job_id"], **self.wait_json(pointer["summary"])}

    def result(self, key: str) -> bytes | None:
        """Return an object of the results bucket, None while there is none."""
        try:
            return bytes(self.s3.get_object(Bucket=self.results, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise

    def wait_json(self, key: str) -> dict[str, Any]:
        """Wait for a JSON object in the results bucket."""
        found = wait_for(lambda: self.result(key), f"s3://{self.results}/{key}")
        parsed: dict[str, Any] = json.loads(found)
        return parsed


def wait_for(ask: Callable[[], Found | None], what: str) -> Found:
    """Ask until there is an answer; fails the test after a minute."""
    deadline = time.monotonic() + SECONDS
    while (found := ask()) is None:
        assert time.monotonic() < deadline, f"{what} did not appear within {SECONDS:.0f} s"
        time.sleep(0.05)
    return found


def command(*arguments: str) -> list[str]:
    """Return the command line of `assay`."""
    return [sys.executable, "-m", "tools", *arguments]


@contextmanager
def running(*arguments: str, quiet: bool = False) -> Iterator[Service]:
    """Run `assay up` on free ports until the block ends; quiet drops its log."""
    process = subprocess.Popen(
        command("up", "--port", "0", "--s3-port", "0", *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
        text=True,
    )
    try:
        yield _answering(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


def _answering(process: "subprocess.Popen[str]") -> Service:
    assert process.stdout is not None
    first, second = process.stdout.readline(), process.stdout.readline()
    ready, stores = READY.fullmatch(first), STORES.fullmatch(second)
    assert ready, f"expected the ready line, got {first!r}"
    assert stores, f"expected the S3 line, got {second!r}"
    return Service(ready[1], stores[1], stores[2], stores[3], stores[4], process=process)
