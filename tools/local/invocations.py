"""Lambda's Invoke API on this machine, so that state machines and `aws lambda invoke` reach the real handlers."""

import json
import re
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from tools.local.servers import App

_PATH = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations/?")

Call = Callable[[str, Any], Any]


class UnknownFunction(Exception):
    """The template has no function of that name."""


class Invocations:
    """A WSGI layer that answers Invoke and passes everything else on.

    `call(name, event)` waits for a function's reply, `send(name, event)` queues an event; both raise
    UnknownFunction.
    """

    def __init__(self, app: App, call: Call, send: Call) -> None:
        self._app = app
        self._call = call
        self._send = send

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer an Invoke, or let the next application answer."""
        found = _PATH.fullmatch(unquote(str(environ.get("PATH_INFO", ""))))
        if found is None or environ["REQUEST_METHOD"] != "POST":
            return self._app(environ, start_response)
        status, headers, body = self._invoke(_function_name(found["name"]), environ)
        start_response(status, [*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _invoke(self, name: str, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        event = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        try:
            if environ.get("HTTP_X_AMZ_INVOCATION_TYPE") == "Event":
                self._send(name, event)
                return "202 Accepted", [], b""
            return "200 OK", [], json.dumps(self._call(name, event)).encode()
        except UnknownFunction:
            message = json.dumps({"Type": "User", "Message": f"Function not found: {name}"}).encode()
            return "404 Not Found", [("x-amzn-ErrorType", "ResourceNotFoundException")], message
        except Exception as error:
            return "200 OK", [("X-Amz-Function-Error", "Unhandled")], _failure(error)


def _function_name(identifier: str) -> str:
    """Return the name in a function's name, ARN or qualified ARN."""
    return identifier.split(":")[6] if identifier.startswith("arn:") else identifier.split(":")[0]


def _failure(error: Exception) -> bytes:
    trace = traceback.format_exception(error)
    return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}).encode()
