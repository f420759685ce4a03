"""Make the events that AWS would send: REST API proxy events and S3 records. Pure."""

import base64
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote_plus

from tools.local.stack import Rest, Route
from tools.template import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came over the wire: path decoded, headers in order, body as bytes."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source: str = "127.0.0.1"

    def header(self, name: str) -> str:
        """Return the last value of a header, or an empty string."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")


def media_type_matches(content_type: str, accepted: Sequence[str]) -> bool:
    """Say whether a content type is one of the API's BinaryMediaTypes (`*/*` and `type/*` are wildcards)."""
    essence = content_type.split(";")[0].strip().lower()
    wild = essence.split("/")[0] + "/*"
    return bool({kind.lower() for kind in accepted} & {essence, wild, "*/*"}) if essence else "*/*" in accepted


def proxy_event(
    request: HttpRequest,
    route: Route,
    parameters: Mapping[str, str],
    path: str,
    rest: Rest,
    api_key_id: str | None = None,
) -> dict[str, Any]:
    """Build the proxy event of a REST API; `path` is the request's path without the stage prefix.

    `api_key_id` is that of the key that API Gateway let it in with.
    """
    binary = media_type_matches(request.header("content-type"), rest.binary)
    query = parse_qsl(request.query, keep_blank_values=True)
    return {
        "resource": route.path,
        "path": path,
        "httpMethod": request.method,
        "headers": dict(request.headers) or None,
        "multiValueHeaders": _group(request.headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _group(query),
        "pathParameters": dict(parameters) or None,
        "stageVariables": None,
        "requestContext": _context(request, route, rest, api_key_id),
        "body": _body(request.body, binary=binary),
        "isBase64Encoded": binary and bool(request.body),
    }


def _body(body: bytes, *, binary: bool) -> str | None:
    """Encode a body as the gateway does: base64 for binary types, else UTF-8 with what is not UTF-8 replaced."""
    if not body:
        return None
    return base64.b64encode(body).decode("ascii") if binary else body.decode("utf-8", "replace")


def _group(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]] | None:
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped or None


def _context(request: HttpRequest, route: Route, rest: Rest, api_key_id: str | None) -> dict[str, Any]:
    now = datetime.now(UTC)
    agent = request.header("user-agent") or None
    return {
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": request.header("host"),
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source, "userAgent": agent, "apiKeyId": api_key_id, "userArn": None},
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestId": str(uuid.uuid4()),
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(now.timestamp() * 1000),
        "resourceId": "local",
        "resourcePath": route.path,
        "stage": rest.stage,
    }


@dataclass(frozen=True, slots=True)
class Created:
    """An object that now exists: what an S3 notification says about it."""

    event: str
    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None


def s3_event(created: Created) -> dict[str, Any]:
    """Build the S3 notification of a completed write; the key is URL-encoded, as S3 sends it."""
    sequencer = f"{time.time_ns():018X}"
    key = quote_plus(created.key, safe="/")
    item = {"key": key, "size": created.size, "eTag": created.etag, "sequencer": sequencer}
    if created.version_id:
        item["versionId"] = created.version_id
    owner = {"principalId": "LOCAL"}
    bucket = {"name": created.bucket, "arn": f"arn:aws:s3:::{created.bucket}", "ownerIdentity": owner}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": created.event.removeprefix("s3:"),
        "userIdentity": {"principalId": "LOCAL"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper(), "x-amz-id-2": "local"},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "local", "bucket": bucket, "object": item},
    }
    return {"Records": [record]}


def failure_destination(event: Mapping[str, Any], function_arn: str, attempts: int, error: Exception) -> str:
    """Build the message that Lambda sends to an on-failure destination after its last attempt."""
    message = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"{function_arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": str(error), "errorType": type(error).__name__},
    }
    return json.dumps(message)
