"""A layer below the AWS clients that makes calls go wrong, by a seed: boto's own retries see it as a bad network.

The fate of a call depends on the seed, the job, the operation and key (ids of jobs left out), and how often that was
called before. It does not depend on time: the same seed does the same again, but for the interleaving of threads.
"""

import io
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError, ReadTimeoutError
from moto.core.models import botocore_stubber
from urllib3.exceptions import ProtocolError

_IDS: Final = re.compile(r"[0-9a-f]{32,}")
_SLOW: Final = 0.01
_STORM: Final = 9
"""Calls in a row that an outage fails: more than boto's attempts at two calls."""
FAILING: Final = ("error", "throttle", "refused", "lost", "late", "slow", "cut", "reset", "twice", "killed", "outage")
WRONG: Final = ("short", "whole", "etag", "stale", "pages")
"""Answers that are wrong though the call succeeds."""
KINDS: Final = (*FAILING, *WRONG)
_READS: Final = frozenset({"GetObject", "HeadObject", "GetItem", "Query", "ListObjectsV2"})
_JSON: Final = "application/x-amz-json-1.0"
Send = Callable[[], AWSResponse]


class Killed(Exception):
    """What the sudden end of a function looks like from outside."""


@dataclass
class Faults:
    """Decides what befalls each call: `rate` of them go wrong, in one of `KINDS`, while it is `on`."""

    seed: int
    rate: float
    on: bool = False
    scope: str = ""
    done: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    seen: Callable[[str], None] = lambda _: None
    _asked: Counter[str] = field(default_factory=Counter)
    _first: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    _outages: Counter[str] = field(default_factory=Counter)
    _atomic: Any = field(default_factory=threading.RLock)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, client: Any) -> None:
        """Come in the place of moto, which would else be asked too: botocore asks all and takes the first answer."""
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register_first("before-send", self._before_send)

    def begin(self, scope: str) -> None:
        """Begin a job: what was called before is forgotten."""
        with self._lock:
            self.scope, self.on = scope, True
            self._asked.clear()
            self._first.clear()
            self._outages.clear()

    def fate(self, what: str, kinds: tuple[str, ...] = KINDS) -> str:
        """Return the kind of fault that befalls this call, empty for none."""
        with self._lock:
            self.calls += 1
            self._asked[what] += 1
            if self._outages[what]:
                self._outages[what] -= 1
                return self._count("outage")
            digest = blake2b(f"{self.seed}|{self.scope}|{what}|{self._asked[what]}".encode(), digest_size=12).digest()
            if int.from_bytes(digest[:8]) >= self.rate * 2**64:
                return ""
            kind = kinds[int.from_bytes(digest[8:]) % len(kinds)]
            self._outages[what] += _STORM if kind == "outage" else 0
            return self._count(kind)

    def _count(self, kind: str) -> str:
        self.done[kind] += 1
        return kind

    def _before_send(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> Any:
        if not self.on:
            return botocore_stubber(event_name, request)
        service, operation = event_name.split(".")[1:]
        reply = self._answer(service, operation, request)
        self.seen(operation)
        return reply

    def _answer(self, service: str, operation: str, request: AWSPreparedRequest) -> AWSResponse:
        def send() -> AWSResponse:
            request.reset_stream()
            with self._atomic:  # moto checks a condition and writes in two steps, DynamoDB in one
                reply: AWSResponse = botocore_stubber(f"before-send.{service}.{operation}", request)
            return reply

        kind = self.fate(f"{operation} {_about(request)}")
        if kind in WRONG:
            return self._wrong(kind, operation, request, send())
        if operation != "GetObject" and kind in {"cut", "reset"}:
            kind = "lost"  # a body that is read at once and breaks off is a connection that broke
        reply = _ANSWERS[kind](request, service, send)
        if operation in _READS and not kind:
            self._note(_place(operation, request), reply)
        return reply

    def _note(self, place: str, reply: AWSResponse) -> None:
        """Keep how a read was answered first, for it to be stale later."""
        body = reply.raw.read()
        reply.raw = _Raw(body)
        self._first.setdefault(place, (reply.status_code, dict(reply.headers), body))

    def _wrong(self, kind: str, operation: str, request: AWSPreparedRequest, reply: AWSResponse) -> AWSResponse:
        """Return an answer that is not the right one; a call that such a fault says nothing about is answered well."""
        if kind == "stale" and (first := self._first.get(_place(operation, request))):
            return _replied(request, *first)
        if operation in {"GetObject", "HeadObject"} and kind == "etag" and "ETag" in reply.headers:
            reply.headers["ETag"] = '"0123456789abcdef0123456789abcdef"'
        if operation == "GetObject" and kind == "short" and reply.status_code in {200, 206}:
            body = reply.raw.read()
            return _replied(request, reply.status_code, dict(reply.headers), body[: len(body) // 2])
        if operation == "GetObject" and kind == "whole" and reply.status_code == 206:
            return self._ignoring_range(request)
        if operation in {"Query", "ListObjectsV2"} and kind == "pages" and reply.status_code == 200:
            return _replied(request, 200, dict(reply.headers), _doubled(reply.raw.read()))
        return reply

    def _ignoring_range(self, request: AWSPreparedRequest) -> AWSResponse:
        """Answer as a server does that does not know ranges."""
        asked = request.headers["Range"]
        del request.headers["Range"]
        with self._atomic:
            reply: AWSResponse = botocore_stubber("before-send.s3.GetObject", request)
        request.headers["Range"] = asked
        return reply


def _place(operation: str, request: AWSPreparedRequest) -> str:
    """Return what a read is of, to the byte."""
    return f"{operation} {request.url} {request.headers.get('Range')} {request.body!r}"


def _replied(request: AWSPreparedRequest, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    told = HTTPHeaders()
    for name, value in headers.items():
        told[name] = value
    if request.method != "HEAD":
        told["Content-Length"] = str(len(body))
    return AWSResponse(request.url, status, told, _Raw(body))


def _doubled(page: bytes) -> bytes:
    """Return a page of a listing with everything in it twice."""
    if page.startswith(b"{"):
        said = json.loads(page)
        return json.dumps({**said, "Items": said.get("Items", []) * 2}).encode()
    return re.sub(rb"(<Contents>.*</Contents>)", rb"\1\1", page, flags=re.DOTALL)


def _about(request: AWSPreparedRequest) -> str:
    """Return the key that a request is about, ids left out."""
    given: Any = request.body
    body = given if isinstance(given, bytes) else b""
    if body.startswith(b"{"):
        said = json.loads(body)
        found = str({**said.get("Key", {}), **said.get("Item", {})}.get("pk", said.get("name", "")))
    else:
        found = urlsplit(str(request.url)).path
    return _IDS.sub("ID", found)


def _refuse(status: int, code: str) -> Callable[[AWSPreparedRequest, str, Send], AWSResponse]:
    def answer(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
        xml = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>told to</Message></Error>"
        said = xml if service == "s3" else json.dumps({"__type": f"com.amazonaws#{code}", "message": "told to"})
        body = b"" if request.method == "HEAD" else said.encode()
        headers = HTTPHeaders()
        headers["Content-Type"] = "application/xml" if service == "s3" else _JSON
        headers["Content-Length"] = str(len(body))
        return AWSResponse(request.url, status, headers, _Raw(body))

    return answer


def _throttle(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
    status, code = {
        "s3": (503, "SlowDown"),
        "dynamodb": (400, "ProvisionedThroughputExceededException"),
    }.get(service, (400, "ThrottlingException"))
    return _refuse(status, code)(request, service, send)


def _unreachable(request: AWSPreparedRequest, *_: Any) -> AWSResponse:
    raise EndpointConnectionError(endpoint_url=str(request.url), error="told to")


def _lost(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
    """What was asked is done, and its answer never comes."""
    send()
    raise ConnectionClosedError(endpoint_url=str(request.url), error="told to")


def _late(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
    """What was asked is done, and its answer comes after the client has given up."""
    send()
    raise ReadTimeoutError(endpoint_url=str(request.url), error="told to")


def _slow(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
    threading.Event().wait(_SLOW)
    return send()


def _twice(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
    first = send()
    send()
    return first


def _killed(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
    """The call was done, and its caller is gone."""
    send()
    raise Killed("exit status 137")


def _broken(error: Exception | None) -> Callable[[AWSPreparedRequest, str, Send], AWSResponse]:
    def answer(request: AWSPreparedRequest, service: str, send: Send) -> AWSResponse:
        whole = send()
        if whole.status_code in {200, 206}:
            body = whole.raw.read()
            whole.headers["Content-Length"] = str(len(body))
            whole.raw = _Raw(body[: len(body) // 2], error)
        return whole

    return answer


class _Raw(io.BytesIO):
    """A response's body; with an error it breaks off where it ends, without one it just ends."""

    def __init__(self, body: bytes, error: Exception | None = None) -> None:
        super().__init__(body)
        self._error = error

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        if not found and self._error and size != 0:
            raise self._error
        return found

    def stream(self, **_: Any) -> Any:
        """Yield the body, as botocore reads one that it does not stream."""
        while piece := self.read():
            yield piece


_ANSWERS: Final[dict[str, Callable[[AWSPreparedRequest, str, Send], AWSResponse]]] = {
    "": lambda request, service, send: send(),
    "error": _refuse(500, "InternalError"),
    "throttle": _throttle,
    "refused": _unreachable,
    "lost": _lost,
    "late": _late,
    "slow": _slow,
    "cut": _broken(None),
    "reset": _broken(ProtocolError("Connection broken: told to")),
    "twice": _twice,
    "killed": _killed,
    "outage": _refuse(503, "ServiceUnavailable"),
}
