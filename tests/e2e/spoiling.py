"""A proxy in front of a service that spoils its answers, one thing at a time."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

HOP = frozenset(
    {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive", "date", "server"}
)


@dataclass
class Call:
    """A request, and the answer to it, which a spoiler may change."""

    method: str
    path: str
    sent: Mapping[str, str]
    body: bytes
    status: int = 0
    headers: dict[str, str] = None  # type: ignore[assignment]  # filled in when the answer is there
    answer: bytes = b""

    def json(self, change: Callable[[Any], Any]) -> None:
        """Put a changed JSON in the place of the answer's."""
        value = json.loads(self.answer)
        changed = change(value)
        self.answer = json.dumps(value if changed is None else changed).encode()


Spoiler = Callable[[Call], None]


@contextmanager
def spoiled(target: str, spoil: Spoiler, add: Mapping[str, str] | None = None) -> Iterator[str]:
    """Serve what `target` answers, spoiled; `add` are headers that every call gets. Gives the proxy's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.command, self.path, dict(self.headers.items()), body)
            headers = {name: value for name, value in call.sent.items() if name.lower() not in HOP}
            reply = requests.request(
                call.method, target + self.path, headers={**headers, **(add or {})}, data=body, allow_redirects=False
            )
            kept = {name: value for name, value in reply.headers.items() if name.lower() not in HOP}
            call.status, call.headers, call.answer = reply.status_code, kept, reply.content
            spoil(call)
            self.send_response(call.status)
            for name, value in {**call.headers, "Content-Length": str(len(call.answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(call.answer)

        do_GET = do_POST = do_OPTIONS = do_DELETE = _pass  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def at(path: str, change: Callable[[Call], object], **sent: str) -> Spoiler:
    """Spoil the answers to calls of a path that were sent with these headers (`accept="text/csv"`)."""

    def spoil(call: Call) -> None:
        given = {name.lower(): value for name, value in call.sent.items()}
        wanted = {name.replace("_", "-"): value for name, value in sent.items()}
        if call.path.partition("?")[0] == path and all(given.get(name) == value for name, value in wanted.items()):
            change(call)

    return spoil


def status(code: int, text: str | None = None) -> Callable[[Call], None]:
    """Answer with another status, and perhaps another text."""

    def change(call: Call) -> None:
        call.status = code
        call.answer = call.answer if text is None else text.encode()

    return change


def value(change: Callable[[Any], Any]) -> Callable[[Call], None]:
    """Change the JSON of good answers."""
    return lambda call: call.json(change) if call.status < 300 else None


def without(name: str) -> Callable[[Call], None]:
    """Leave a header out."""
    return lambda call: void(call.headers.pop(name, None))


def void(_: object) -> None:
    """Return nothing."""
