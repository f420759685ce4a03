"""Run the real handlers in this process: one request at a time each, as a Lambda environment does."""

import importlib
import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.local.stack import Function

PAYLOAD_LIMIT = 6_291_556
SOURCES = ("functions", "layers/assay/python")
_IMPORTING = threading.Lock()
Handler = Callable[[Any, Any], Any]


class PayloadTooLarge(Exception):
    """An event or a reply is over what Lambda carries in one synchronous call (6,291,556 bytes)."""


@dataclass(frozen=True, slots=True)
class Context:
    """The Lambda context object that handlers receive."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    deadline: float
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    log_stream_name: str = "local"

    @property
    def log_group_name(self) -> str:
        """The log group that Lambda would write to."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time left before Lambda would end this call, in ms."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class Local:
    """One function: imports its handler on first use and calls it under a lock."""

    def __init__(self, function: Function, environment: Mapping[str, str]) -> None:
        self.function = function
        self._environment = environment
        self._lock = threading.Lock()
        self._handler: Handler | None = None

    def load(self) -> Handler:
        """Import the handler, once, under its own environment; raises ImportError naming the function.

        All functions share this process, so a variable that two of them set differently has its own value during
        import and the last one's afterwards.
        """
        with _IMPORTING:
            if self._handler is None:
                os.environ.update({**self.function.environment, **self._environment})
                self._handler = _import(self.function)
            return self._handler

    def call(self, event: Mapping[str, Any]) -> Any:
        """Invoke the handler with a JSON round trip of event and reply, and Lambda's limit on both."""
        text = _limited(_dumps(event), "event")
        with self._lock:
            result = self.load()(json.loads(text), self._context())
        return json.loads(_limited(_dumps(result), "reply"))

    def call_async(self, event: Mapping[str, Any], request_id: str) -> None:
        """Invoke the handler for an event nobody waits for; every attempt at it has the same id."""
        with self._lock:
            self.load()(json.loads(json.dumps(event)), replace(self._context(), aws_request_id=request_id))

    def _context(self) -> Context:
        function = self.function
        return Context(function.name, function.arn, function.memory, time.monotonic() + function.timeout)


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _limited(text: bytes, what: str) -> bytes:
    if len(text) > PAYLOAD_LIMIT:
        raise PayloadTooLarge(f"the {what} is {len(text):,} bytes, over Lambda's {PAYLOAD_LIMIT:,}")
    return text


def _import(function: Function) -> Handler:
    module, _, name = function.handler.rpartition(".")
    try:
        handler: Handler = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ImportError(f"{function.name}: no handler {function.handler!r}: {error}") from error
    return handler


def add_sources(root: Path) -> None:
    """Put the functions and the shared package on the import path, before anything else."""
    sys.path[:0] = [path for path in (str(root / source) for source in SOURCES) if path not in sys.path]


def forget_credentials() -> None:
    """Take the user's own AWS profile out of this process, so that nothing here can reach a real account."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
