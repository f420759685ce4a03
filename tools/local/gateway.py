"""API Gateway on this machine: HTTP to REST-API proxy events, the real handler, and back."""

import base64
import binascii
import gzip
import json
import re
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException

from tools.local.events import HttpRequest, media_type_matches, proxy_event
from tools.local.lambdas import PayloadTooLarge
from tools.local.stack import Rest, Route


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An HTTP response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


# Gateway response type: status, API Gateway's own message.
_DEFAULTS = {
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "BAD_REQUEST_BODY": (400, "Invalid request body"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "DEFAULT_5XX": (502, "Internal server error"),
}
_VARIABLE = re.compile(r"\$context\.[A-Za-z.]+")


def gateway_error(kind: str, rest: Rest) -> HttpReply:
    """Build one of the gateway's own errors, as the template's GatewayResponses shape it."""
    status, message = _DEFAULTS[kind]
    custom = rest.responses.get(kind) or rest.responses.get("DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX") or {}
    templates = custom.get("ResponseTemplates", {})
    template = str(templates.get("application/json", '{"message": $context.error.messageString}'))
    headers = custom.get("ResponseParameters", {}).get("Headers", {})
    extra = ((key, str(value).strip("'")) for key, value in headers.items())
    return HttpReply(
        status=int(custom.get("StatusCode", status)),
        headers=(("Content-Type", "application/json"), *extra),
        body=_fill(template, kind, message).encode(),
    )


def _fill(template: str, kind: str, message: str) -> str:
    values = {
        "$context.error.messageString": json.dumps(message),
        "$context.error.message": message,
        "$context.error.responseType": kind,
        "$context.requestId": str(uuid.uuid4()),
    }
    return _VARIABLE.sub(lambda match: values.get(match.group(), "-"), template)


def preflight(rest: Rest, methods: Iterable[str]) -> HttpReply:
    """Answer a CORS preflight from the template's Cors settings (values there are quoted once more).

    Where those name no methods, the methods of the path are allowed, as SAM has it.
    """
    names = {"AllowOrigin": "Origin", "AllowMethods": "Methods", "AllowHeaders": "Headers", "MaxAge": "Max-Age"}
    given = {"AllowMethods": ",".join(sorted({"OPTIONS", *methods})), **rest.cors}
    headers = (
        (f"Access-Control-{'' if key == 'MaxAge' else 'Allow-'}{name}", str(given[key]).strip("'"))
        for key, name in names.items()
        if key in given
    )
    return HttpReply(200, (("Content-Type", "application/json"), *headers), b"{}")


def from_handler(result: Any, request: HttpRequest, rest: Rest) -> HttpReply:
    """Turn what a handler returned into HTTP; raises ValueError on what API Gateway calls a malformed reply."""
    if not isinstance(result, Mapping) or not isinstance(result.get("statusCode"), int):
        raise ValueError("the handler's reply has no integer statusCode")
    body = result.get("body") or ""
    if not isinstance(body, str):
        raise ValueError("the handler's body is not a string")
    encoded = bool(result.get("isBase64Encoded"))
    return HttpReply(result["statusCode"], tuple(_reply_headers(result)), _bytes(body, request, rest, encoded=encoded))


def _reply_headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    single = {str(key): [str(value)] for key, value in (result.get("headers") or {}).items()}
    many = {str(key): list(map(str, values)) for key, values in (result.get("multiValueHeaders") or {}).items()}
    pairs = [(key, value) for key, values in {**single, **many}.items() for value in values]
    given = {key.lower() for key, _ in pairs}
    return pairs if "content-type" in given else [("Content-Type", "application/json"), *pairs]


def _bytes(body: str, request: HttpRequest, rest: Rest, *, encoded: bool) -> bytes:
    """Decode a base64 reply only if the first type in Accept is one of the API's binary types, as the gateway does."""
    accept = request.header("accept").split(",")[0]
    if not encoded or not media_type_matches(accept or "*/*", rest.binary):
        return body.encode("utf-8")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("the handler's body is not base64") from error


def compress(reply: HttpReply, accepted: str, rest: Rest) -> HttpReply:
    """Gzip a reply that is long enough, where the client accepts that."""
    long = rest.compressed_from is not None and len(reply.body) >= rest.compressed_from
    if not long or "gzip" not in accepted or any(name.lower() == "content-encoding" for name, _ in reply.headers):
        return reply
    headers = (*reply.headers, ("Content-Encoding", "gzip"))
    return HttpReply(reply.status, headers, gzip.compress(reply.body, compresslevel=1, mtime=0))


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
        reply = compress(self._answer(environ), environ.get("HTTP_ACCEPT_ENCODING", ""), self._rest)
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
