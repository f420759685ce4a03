"""Routing of REST API events to functions, with every error in the one shape."""

import json
import os
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from assay.errors import AssayError, NotFound, ServiceError, SettingsError, StoreAway
from assay.http.messages import Request, Response, dumps, error_body, error_response, json_response
from assay.settings import Settings
from assay.telemetry import logger, measure, record_failure

Act = Callable[..., Response]
_PROTOCOLS: Final = ("/v1/", "/v2/")
_PARAMETER: Final = re.compile(r"{(\w+)}")
_NAMED: Final = re.compile(r"<(\w+)>")
_SEGMENT: Final = r"(?P<\1>[^/]+)"


class Router:
    """Routes, a decorator each: `@app.get("/jobs/<job_id>")` calls a function with `job_id`, a segment as it came.

    Slashes at the end of a path do not count. A path without parameters goes before one with them.
    """

    def __init__(self) -> None:
        self._static: dict[tuple[str, str], Act] = {}
        self._dynamic: list[tuple[str, str, re.Pattern[str], Act]] = []
        self._event: ContextVar[Mapping[str, Any]] = ContextVar("event")

    def get(self, path: str) -> Callable[[Act], Act]:
        """Decorate what answers GET of a path."""
        return lambda act: self._add("GET", path, act)

    def post(self, path: str) -> Callable[[Act], Act]:
        """Decorate what answers POST of a path."""
        return lambda act: self._add("POST", path, act)

    @property
    def routes(self) -> set[tuple[str, str]]:
        """Return method and path of every route."""
        return {*self._static, *((method, path) for method, path, _, _ in self._dynamic)}

    @property
    def event(self) -> Mapping[str, Any]:
        """Return the event that is being answered."""
        return self._event.get()

    def respond(self, event: Mapping[str, Any]) -> Response:
        """Return what the function of an event's route answers. Raises NotFound, and what the function raises."""
        token = self._event.set(event)
        try:
            act, parameters = self._find(event["httpMethod"].upper(), event["path"])
            return act(**parameters)
        finally:
            self._event.reset(token)

    def _add(self, method: str, path: str, act: Act) -> Act:
        if "<" in path:
            self._dynamic.append((method, path, re.compile(_NAMED.sub(_SEGMENT, path)), act))
        else:
            self._static[method, path] = act
        return act

    def _find(self, method: str, path: str) -> tuple[Act, dict[str, str]]:
        plain = path.rstrip("/") or "/"
        if act := self._static.get((method, plain)):
            return act, {}
        for wanted, _, pattern, act in self._dynamic:
            if wanted == method and (found := pattern.fullmatch(plain)):
                return act, found.groupdict()
        raise NotFound(f"there is no {method} {path}; GET /docs lists the routes")


def answer(app: Router, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a proxy event; what a custom domain's base path puts before the route is no part of it.

    Errors of the tree are answered with their status, and anything else with a plain 500.
    """
    routed = {**event, "path": _without_base(event)}
    try:
        response = app.respond(routed)
    except Exception as error:
        response = _shape(routed["path"], _explain(error))
    given = {"Content-Type": response.content_type, **response.headers, **_share()}
    given["Vary"] = ", ".join(filter(None, [response.headers.get("Vary"), "Origin"]))
    headers = {name: [value] for name, value in given.items()}
    return {
        "statusCode": response.status,
        "body": response.body,
        "isBase64Encoded": False,
        "multiValueHeaders": headers,
    }


def _explain(error: Exception) -> Response:
    """Return the reply to an error; what the service is to blame for is logged and counted."""
    if isinstance(error, AssayError):
        if isinstance(error, ServiceError):
            logger.error("service error", code=error.code, reason=error.message)
        measure("Refused", 1, code=error.code)
        return error_response(error)
    if isinstance(error, BotoCoreError | ClientError):
        record_failure("a store does not answer", error)
        measure("UnexpectedErrors", 1)
        return error_response(StoreAway("a store that the service needs does not answer as it should: try again later"))
    record_failure("unexpected error", error)
    measure("UnexpectedErrors", 1)
    return json_response(error_body("internal", "the service failed; its log says why"), 500)


def _shape(path: str, response: Response) -> Response:
    """Return an error as the serving protocols have it, text under `error`, where one of them was asked."""
    if not f"{path}/".startswith(_PROTOCOLS):
        return response
    from assay.http import inference_protocols  # which only their routes need

    return replace(response, body=dumps(inference_protocols.error(json.loads(response.body))))


@cache
def _share() -> Mapping[str, str]:
    """Return what lets pages of the allowed origin read a reply (CORS); nothing where none is set."""
    try:
        origin = Settings.from_environ(os.environ).allowed_origin
    except SettingsError:
        return {}  # every call is answered 503 here, and says why
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "*"} if origin else {}


def _without_base(event: Mapping[str, Any]) -> str:
    """Return the path from where the event's route, its parameters filled in, begins."""
    values = event.get("pathParameters") or {}
    path = str(event.get("path") or "/")
    route = _PARAMETER.sub(lambda name: str(values.get(name[1], "")), event.get("resource") or "/")
    return route if route != "/" and path.rstrip("/").endswith(route) else path


def request(app: Router) -> Request:
    """Return the request that `app` is answering. Raises MalformedBody."""
    return Request.from_event(app.event)
