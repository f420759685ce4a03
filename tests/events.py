"""The recorded events, and API events made from them for other bodies."""

import base64
import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent.parent / "events"


@dataclass(frozen=True, slots=True)
class Context:
    """What Powertools asks of a Lambda context."""

    aws_request_id: str = "00000000-0000-0000-0000-000000000001"
    function_name: str = "test"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"


def load(name: str) -> dict[str, Any]:
    """Return the event of `events/{name}.json`."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def body_of(name: str) -> bytes:
    """Return the body of a recorded API event."""
    event = load(name)
    return base64.b64decode(event["body"]) if event["isBase64Encoded"] else event["body"].encode()


def post(
    path: str,
    body: bytes,
    content_type: str | None = "application/json",
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Return a POST event with any body, sent as base64."""
    event = copy.deepcopy(load("rank_json"))
    event |= {"path": path, "resource": path, "queryStringParameters": query}
    event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    event["requestContext"] |= {"path": f"/prod{path}", "resourcePath": path}
    event["headers"] |= {"Content-Type": content_type, **(headers or {})}
    if content_type is None:
        del event["headers"]["Content-Type"]
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    return event


def multipart(data: bytes, *, name: str = "input_file", filename: str = "proteins.txt", **fields: str) -> bytes:
    """Return a multipart body with the boundary `frontier`."""
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in fields.items()]
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: text/plain\r\n\r\n'
    parts.append(head.encode() + data)
    return b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"
