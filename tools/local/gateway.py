"""API Gateway on this machine: HTTP to REST-API proxy events, the real handler, and back."""

import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException

from tools.local.events import HttpRequest, proxy_event
from tools.local.functions import PayloadTooLarge
from tools.local.replies import HttpReply, from_handler, gateway_error, preflight
from tools.local.stack import Rest, Route

BODY_LIMIT = 10 * 1024 * 1024
_DRAIN = 1 << 16
_REASONS = {status.value: status.phrase for status in HTTPStatus}

Invoke = Callable[[str, Mapping[str, Any]], Any]


class Gateway:
    """A WSGI application that serves the routes of a REST API; `invoke(function, event)` calls a handler.

    With `api_keys` the routes that the template closes want one of them in the header x-api-key.
    """

    def __init__(
        self, routes: Iterable[Route], rest: Rest, invoke: Invoke, *, log: bool = True, api_keys: Collection[str] = ()
    ) -> None:
        self._routes = tuple(routes)
        self._rest = rest
        self._invoke = invoke
        self._log = log
        self._api_keys = frozenset(api_keys)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        started = time.perf_counter()
        reply = self._answer(environ)
        headers = [(key, value) for key, value in reply.headers if key.lower() != "content-length"]
        headers.append(("Content-Length", str(len(reply.body))))
        start_response(f"{reply.status} {_REASONS.get(reply.status, '-')}", headers)
        self._note(environ, reply.status, time.perf_counter() - started)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [reply.body]

    def _note(self, environ: Mapping[str, Any], status: int, seconds: float) -> None:
        if self._log:
            line = f"{environ['REQUEST_METHOD']} {environ.get('REQUEST_URI', '')} {status} {seconds * 1000:.0f} ms"
            print(line, file=sys.stderr, flush=True)

    def _answer(self, environ: dict[str, Any]) -> HttpReply:
        try:
            body = _read(environ)
        except (OSError, ValueError, HTTPException):  # chunks of no size, or a client that hangs up
            return gateway_error("BAD_REQUEST_BODY", self._rest)
        if body is None:
            return gateway_error("REQUEST_TOO_LARGE", self._rest)
        request = _request(environ, body)
        path = self._without_stage(request.path)
        methods = [route.method for route in self._routes if route.match(path) is not None]
        if request.method == "OPTIONS" and self._rest.cors and methods:
            return preflight(self._rest, methods)
        found = self._route(request.method, path)
        if found is None:
            return gateway_error("MISSING_AUTHENTICATION_TOKEN", self._rest)
        if not self._admits(request, found[0]):
            return gateway_error("INVALID_API_KEY", self._rest)
        return self._call(request, path, *found)

    def _admits(self, request: HttpRequest, route: Route) -> bool:
        closed = (route.method, route.path) in self._rest.closed
        return not closed or not self._api_keys or request.header("x-api-key") in self._api_keys

    def _key_id(self, request: HttpRequest) -> str | None:
        """Return the id of the key that a request came with, as API Gateway tells functions of it."""
        key = request.header("x-api-key")
        return sha256(key.encode("utf-8", "replace")).hexdigest()[:10] if key in self._api_keys else None

    def _without_stage(self, path: str) -> str:
        prefix = f"/{self._rest.stage}"
        return path[len(prefix) :] or "/" if path == prefix or path.startswith(prefix + "/") else path

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        for route in self._routes:
            parameters = route.match(path)
            if parameters is not None and route.method in (method, "ANY"):
                return route, parameters
        return None

    def _call(self, request: HttpRequest, path: str, route: Route, parameters: dict[str, str]) -> HttpReply:
        event = proxy_event(request, route, parameters, path, self._rest, self._key_id(request))
        try:
            return from_handler(self._invoke(route.function, event), request, self._rest)
        except PayloadTooLarge as error:
            print(f"{route.function}: {error}", file=sys.stderr, flush=True)
            return gateway_error("REQUEST_TOO_LARGE" if "event" in str(error) else "DEFAULT_5XX", self._rest)
        except Exception:  # a handler that raises is a 502 at the gateway, whatever it raises
            traceback.print_exc(file=sys.stderr)
            return gateway_error("DEFAULT_5XX", self._rest)


def _read(environ: Mapping[str, Any]) -> bytes | None:
    """Read the body; None when it is over API Gateway's 10 MB (read to its end, or the client hears no answer)."""
    stream = environ["wsgi.input"]
    length = str(environ.get("CONTENT_LENGTH") or "")
    chunked = environ.get("wsgi.input_terminated", False) and not length
    remaining = float("inf") if chunked else int(length) if length.isdecimal() else 0
    kept = bytearray()
    while remaining > 0 and (piece := stream.read(int(min(_DRAIN, remaining)))):
        remaining -= len(piece)
        kept += piece if len(kept) <= BODY_LIMIT else b""
    return bytes(kept) if len(kept) <= BODY_LIMIT else None


def _request(environ: Mapping[str, Any], body: bytes) -> HttpRequest:
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/")
    source = str(environ.get("REMOTE_ADDR", "127.0.0.1"))
    return HttpRequest(
        method=str(environ["REQUEST_METHOD"]),
        path=unquote(raw.partition("?")[0], errors="replace") or "/",
        query=str(environ.get("QUERY_STRING", "")),
        headers=[*_headers(environ), ("X-Forwarded-For", source), ("X-Forwarded-Proto", "http")],
        body=body,
        source=source,
    )


def _headers(environ: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Yield the request's headers, named `Like-This`, as API Gateway passes them."""
    for key, value in environ.items():
        name = key.removeprefix("HTTP_") if key.startswith("HTTP_") else key
        if key.startswith("HTTP_") or (key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value):
            yield name.replace("_", "-").title(), str(value)
