"""Events through the handlers: API events answered below 500 in the shape that is promised, S3's claimed or refused."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import SimpleNamespace
from typing import Any

from assay.errors import AssayError
from assay.jobs.job_records import Claim, UploadIdentity
from assay.settings import Settings
from tests.events import Context
from tests.fuzz import adapters

Event = dict[str, Any]
Handler = Callable[[Event, Any], Event]
_TYPES = (
    "application/json",
    "text/plain",
    "text/csv",
    "text/x-fasta",
    "application/gzip",
    "multipart/form-data; boundary=b",
    "application/x-www-form-urlencoded",
    "application/pdf",
    "",
)
_OPTIONS = ("top_k", "threshold", "column", "window", "step", "output", "strict", "gate", "score_model", "no_such")
_ACCEPTS = ("", "*/*", "text/csv", "application/json;q=0", "application/x-ndjson, text/plain;q=0.1", ";;q=x,,")
_PATHS = (
    "/classify",
    "/models/tiny-text/classify",
    "/predict",
    "/v1/models/tiny-text:predict",
    "/v2/models/tiny-text/infer",
    "/v1/models/tiny-text/versions/1:predict",
)


def event(path: str, data: bytes) -> Event:
    """Return an API event: some bytes choose type, form and options, the others are a line of values and the body."""
    head, rest = data[:4].ljust(4, b"\0"), data[4:]
    line, _, body = rest.partition(b"\n")
    values = line.decode("utf-8", "replace").split("&")
    kind = _TYPES[head[0] % len(_TYPES)] if head[0] < 200 else values[0]
    headers = {"Content-Type": kind, "Accept": _ACCEPTS[head[1] % len(_ACCEPTS)]}
    if head[1] > 200:
        headers |= {"Prefer": "respond-async", "Cache-Control": values[-1]}
    names = [_OPTIONS[(head[2] + at) % len(_OPTIONS)] for at in range(head[2] % 4)]
    plain = bool(head[3] & 1)
    return {
        "httpMethod": "POST",
        "path": path,
        "resource": path,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(zip(names, values, strict=False)) or None,
        "requestContext": {"requestId": "1", "path": path, "resourcePath": path, "stage": "prod"},
        "body": body.decode("utf-8", "replace") if plain else base64.b64encode(body).decode(),
        "isBase64Encoded": not plain,
    }


def rank_api(data: bytes) -> None:
    """The ranking API answers any request below 500, and its counts add up."""
    path = ("/rank", "/rank", "/file_data", "/upload_file")[data[-1] % 4 if data else 0]
    reply = _checked(_rank(), event(path, data))
    if reply["statusCode"] == 200 and path == "/rank" and _kind(reply) == "application/json":
        counts = json.loads(reply["body"]).get("counts", {})
        assert counts["received"] == counts["scored"] + counts["rejected"] + counts["duplicates"]
        assert counts["scored"] >= counts["passed"] >= counts["returned"]


def classify_api(data: bytes) -> None:
    """The classification API answers any request below 500, under each of its contracts."""
    sent = event(_PATHS[data[-1] % len(_PATHS) if data else 0], data)
    if sent["headers"]["Content-Type"].startswith("application/pdf") or b"%PDF" in data:
        return  # a process for each; the target `pdf` reads them
    reply = _checked(_classify(), sent)
    if reply["statusCode"] == 200:
        json.loads(reply["body"].splitlines()[0] if _kind(reply) == "application/x-ndjson" else "{}")


def _kind(reply: Event) -> str:
    (kind,) = reply["multiValueHeaders"]["Content-Type"]
    return str(kind).partition(";")[0]


def _checked(handler: Handler, sent: Event) -> Event:
    reply = handler(sent, Context())
    assert reply["statusCode"] < 500, reply["body"]
    reply["body"].encode()
    if reply["statusCode"] >= 400 and not sent["path"].startswith(("/predict", "/v1", "/v2")):
        assert json.loads(reply["body"])["error"]["message"]
    for values in reply["multiValueHeaders"].values():
        assert all(value.isprintable() for value in values), values
    return reply


@cache
def _rank() -> Handler:
    adapters.quiet()
    from rank import api

    stack = SimpleNamespace(
        pair=adapters.chosen,
        settings=SimpleNamespace(reply_bytes=4_000),
        uploads=adapters.Bucket("uploads"),
        results=adapters.Bucket("results"),
        jobs=adapters.Jobs(),
    )
    vars(api)["services"] = lambda: stack
    return api.handler


@cache
def _classify() -> Handler:
    adapters.quiet()
    from classify import api
    from classify.services import ClassifyServices

    stack = ClassifyServices(Settings(classifier="tiny-text", reply_bytes=4_000))
    vars(stack).update(models=adapters.Models(), results=adapters.Bucket("results"))
    vars(api)["services"] = lambda: stack
    return api.handler


class _Desk:
    """Takes every claim and grants none: what a job does is tested by jobs."""

    def __init__(self) -> None:
        self.jobs = self
        self.uploads = SimpleNamespace(name="uploads")
        self.claimed: list[UploadIdentity] = []

    def claim(self, upload: UploadIdentity, owner: str, lease: int) -> Claim:
        """Note the caller."""
        assert upload.key.startswith("rank/")
        assert len(upload.pk) == 71
        self.claimed.append(upload)
        return Claim("0" * 32, "done")

    def last_word(self, job_id: str) -> None:
        """Say that no job has ended."""

    def get(self, job_id: str) -> None:
        """Say that there is no job."""


def s3(data: bytes) -> None:
    """A record of S3's, or of anything: claimed by its key, passed over, or refused by the error tree."""
    adapters.quiet()
    from assay.jobs import steps

    desk: Any = _Desk()
    kind: Any = SimpleNamespace(name="rank")
    with suppress(AssayError):
        for record in _s3_records(data):
            assert steps.start_from_record(desk, kind, record, "owner") is None


def _s3_records(data: bytes) -> list[Any]:
    """Return a record about a key, and whatever the bytes are as JSON."""
    key = data.decode("utf-8", "replace")
    found = [{"s3": {"bucket": {"name": "uploads"}, "object": {"key": f"rank/{key}", "size": 1, "eTag": key[:8]}}}]
    with suppress(ValueError, RecursionError):
        found.append(json.loads(data))
    return found
