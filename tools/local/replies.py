"""What the gateway sends back: a handler's reply turned into HTTP, and the gateway's own errors. Pure."""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.local.events import HttpRequest, media_type_matches
from tools.local.stack import Rest


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
    return HttpReply(result["statusCode"], tuple(_headers(result)), _bytes(body, request, rest, encoded=encoded))


def _headers(result: Mapping[str, Any]) -> list[tuple[str, str]]:
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
