"""Routing of REST API events to functions, with every error in the one shape. Stands on Powertools' resolver."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler import Response as Reply
from botocore.exceptions import BotoCoreError, ClientError

from assay.errors import AssayError, NotFound, ServiceError, SettingsError, StoreAway
from assay.http import inference_protocols
from assay.http.messages import Request, Response, dumps, error_body, error_response, json_response
from assay.settings import Settings
from assay.telemetry import logger, measure, record_failure

_PROTOCOLS: Final = ("/v1/", "/v2/")
_PARAMETER: Final = re.compile(r"{(\w+)}")


def resolver() -> APIGatewayRestResolver:
    """Return a resolver that answers errors of the tree with their status, and anything else with a plain 500."""
    app = APIGatewayRestResolver()

    @app.exception_handler(AssayError)  # type: ignore[untyped-decorator]
    def known(error: AssayError) -> Reply[str]:
        if isinstance(error, ServiceError):
            logger.error("service error", code=error.code, reason=error.message)
        measure("Refused", 1, code=error.code)
        return reply(_shape(app, error_response(error)))

    @app.exception_handler([BotoCoreError, ClientError])  # type: ignore[untyped-decorator]
    def away(error: Exception) -> Reply[str]:
        record_failure("a store does not answer", error)
        measure("UnexpectedErrors", 1)
        unanswered = StoreAway("a store that the service needs does not answer as it should: try again later")
        return reply(_shape(app, error_response(unanswered)))

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]
    def unknown(error: Exception) -> Reply[str]:
        record_failure("unexpected error", error)
        measure("UnexpectedErrors", 1)
        failed = json_response(error_body("internal", "the service failed; its log says why"), 500)
        return reply(_shape(app, failed))

    @app.not_found
    def missing(_: Exception) -> Reply[str]:
        route = f"{app.current_event.http_method} {app.current_event.path}"
        return reply(_shape(app, error_response(NotFound(f"there is no {route}; GET /docs lists the routes"))))

    return app


def _shape(app: APIGatewayRestResolver, response: Response) -> Response:
    """Return an error as the serving protocols have it, text under `error`, where one of them was asked."""
    if not f"{app.current_event.path}/".startswith(_PROTOCOLS):
        return response
    return replace(response, body=dumps(inference_protocols.error(json.loads(response.body))))


def answer(app: APIGatewayRestResolver, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a proxy event; what a custom domain's base path puts before the route is no part of it."""
    found: dict[str, Any] = app.resolve({**event, "path": _without_base(event)}, context)
    headers: dict[str, list[str]] = found["multiValueHeaders"]
    vary = [*headers.get("Vary", []), "Origin"]
    return {**found, "multiValueHeaders": {**headers, **_share(), "Vary": [", ".join(vary)]}}


@cache
def _share() -> Mapping[str, list[str]]:
    """Return what lets pages of the allowed origin read a reply (CORS); nothing where none is set."""
    try:
        origin = Settings.from_environ(os.environ).allowed_origin
    except SettingsError:
        return {}  # every call is answered 503 here, and says why
    given = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": "*"}
    return {name: [value] for name, value in given.items()} if origin else {}


def _without_base(event: Mapping[str, Any]) -> str:
    """Return the path from where the event's route, its parameters filled in, begins."""
    values = event.get("pathParameters") or {}
    path = str(event.get("path") or "/")
    route = _PARAMETER.sub(lambda name: str(values.get(name[1], "")), event.get("resource") or "/")
    return route if route != "/" and path.rstrip("/").endswith(route) else path


def request(app: APIGatewayRestResolver) -> Request:
    """Return the request that `app` is answering. Raises MalformedBody."""
    return Request.from_event(app.current_event.raw_event)


def reply(response: Response) -> Reply[str]:
    """Return a response as the resolver wants it."""
    return Reply(response.status, response.content_type, response.body, headers=dict(response.headers))
