"""The demo's side of the wire: HTTP requests and an S3 drop. Raises DemoFailed on any answer that is not a success."""

import json
import time
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import ClientError

from tools.demo.checks import DemoFailed

SECONDS = 60.0


class Api:
    """A client of one running service."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy is of no use on this machine

    def post(self, path: str, **body: Any) -> requests.Response:
        """POST and return the answer."""
        reply = self._session.post(self._url + path, timeout=SECONDS, **body)
        if not reply.ok:
            raise DemoFailed(f"POST {path} answered {reply.status_code}: {reply.text[:500]}")
        return reply


class Drop:
    """The uploads and results buckets of one running service; `s3` is a boto3 client."""

    def __init__(self, s3: Any, uploads: str, results: str) -> None:
        self._s3 = s3
        self._uploads = uploads
        self._results = results

    def put(self, key: str, body: bytes, content_type: str, options: dict[str, str]) -> None:
        """Drop a file; options travel as its metadata."""
        self._s3.put_object(Bucket=self._uploads, Key=key, Body=body, ContentType=content_type, Metadata=options)

    def wait(self, key: str) -> dict[str, Any]:
        """Wait for the pointer of a dropped file and then for the summary of its job; return the summary."""
        pointer: dict[str, Any] = json.loads(self._wait_for(f"by-upload/{key}.json"))
        return dict(json.loads(self._wait_for(f"results/{pointer['job_id']}/ranking.json")), job_id=pointer["job_id"])

    def _wait_for(self, key: str) -> bytes:
        deadline = time.monotonic() + SECONDS
        while (body := self._get(key)) is None:
            if time.monotonic() > deadline:
                raise DemoFailed(f"s3://{self._results}/{key} did not appear within {SECONDS:.0f} s")
            time.sleep(0.1)
        return body

    def _get(self, key: str) -> bytes | None:
        try:
            return bytes(self._s3.get_object(Bucket=self._results, Key=key)["Body"].read())
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def save(self, job_id: str, names: tuple[str, ...], folder: Path) -> None:
        """Copy a job's results into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            (folder / name).write_bytes(self._wait_for(f"results/{job_id}/{name}"))
