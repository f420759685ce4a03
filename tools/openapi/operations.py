"""An operation: its parameters, its body, its good replies, and every error that it can answer."""

from collections.abc import Callable, Mapping, Sequence

from tools.openapi import errors, examples
from tools.openapi.parts import Schema, content, header, ref, reply

JSON = "application/json"
FORM = "multipart/form-data"
MANY = (400, 413, 415, 422, 503)
CACHE: Schema = {
    "name": "Cache-Control",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "`no-cache`: compute anew; `no-store`: remember nothing either.",
}
"""Clients that are generated are whole only where an operation of several bodies has something optional."""


def operation(
    tag: str,
    summary: str,
    good: Schema,
    *failures: int,
    keyed: bool = True,
    takes: Schema | None = None,
    parameters: Sequence[Schema] = (),
    description: str = "",
    wrong: Callable[..., Schema] = errors.responses,
) -> Schema:
    """Return an operation; `keyed` ones want the API key where the deployment has keys. `wrong` describes failures."""
    every = {*failures, *errors.EVERYWHERE, *([errors.KEYED] if keyed else ())}
    found: Schema = {"tags": [tag], "summary": summary}
    found |= {"description": description} if description else {}
    found |= {} if keyed else {"security": []}
    found |= {"parameters": list(parameters)} if parameters else {}
    found |= {"requestBody": {"required": True, "content": takes}} if takes else {}
    return {**found, "responses": {**good, **wrong(*every)}}


def said(headers: Mapping[str, str]) -> Schema:
    """Return the headers that speak for a body which has no room, each with an example."""
    return {name: header(f"In replies that are not JSON: `{value}`") for name, value in headers.items()}


def elsewhere(headers: Schema) -> Schema:
    """Return where a reply that is too large and not JSON lies."""
    link = content(JSON, ref("Stored"), {"result_url": examples.LINK})
    where = {"Location": header("A presigned link, good for an hour")}
    return reply("Over 5 MB and not JSON: in the results bucket", link, {**headers, **where})
