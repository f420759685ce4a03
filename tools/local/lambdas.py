"""Run the real handlers in this process, each one request at a time, as a Lambda environment does."""

import importlib
import json
import os
import queue
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tools.local.events import failure_destination
from tools.local.stack import Function, Schedule

PAYLOAD_LIMIT = 6_291_556
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
        text = _require_size(_dumps(event), "event")
        with self._lock:
            result = self.load()(json.loads(text), self._context())
        return json.loads(_require_size(_dumps(result), "reply"))

    def call_async(self, event: Mapping[str, Any], request_id: str) -> None:
        """Invoke the handler for an event nobody waits for; every attempt at it has the same id."""
        with self._lock:
            self.load()(json.loads(json.dumps(event)), replace(self._context(), aws_request_id=request_id))

    def _context(self) -> Context:
        function = self.function
        return Context(function.name, function.arn, function.memory, time.monotonic() + function.timeout)


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _require_size(text: bytes, what: str) -> bytes:
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


def forget_credentials() -> None:
    """Take the user's own AWS profile out of this process, so that nothing here can reach a real account."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)


RETRY_SECONDS = 1.0
DeadLetters = Callable[[str, str, Mapping[str, str]], None]


class Worker:
    """Delivers the events of one function, in order, on one thread.

    `dead_letters(arn, body, attributes)` receives what failed at every attempt.
    """

    def __init__(self, local: Local, dead_letters: DeadLetters, retry_seconds: float = RETRY_SECONDS) -> None:
        self._local = local
        self._dead_letters = dead_letters
        self._retry_seconds = retry_seconds
        self._events: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=local.function.name, daemon=True)
        self._thread.start()

    def put(self, event: Mapping[str, Any]) -> None:
        """Queue an event and return at once."""
        self._events.put(event)

    def stop(self, timeout: float = 2.0) -> None:
        """Stop after the event in hand; events still queued are dropped."""
        self._stopping.set()
        self._events.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (event := self._events.get()) is not None and not self._stopping.is_set():
            self._deliver(event)

    def _deliver(self, event: Mapping[str, Any]) -> None:
        error = Exception("never tried")
        attempts, request_id = 1 + self._local.function.retries, str(uuid.uuid4())
        for attempt in range(attempts):
            if self._stopping.wait(self._retry_seconds * attempt):
                return
            try:
                return self._local.call_async(event, request_id)
            except Exception as caught:
                error = caught
                traceback.print_exc(file=sys.stderr)
        self._give_up(event, attempts, error)

    def _give_up(self, event: Mapping[str, Any], attempts: int, error: Exception) -> None:
        function = self._local.function
        print(f"{function.name}: failed {attempts} times, sent to the dead-letter queue", file=sys.stderr, flush=True)
        if function.dead_letter is None:
            return
        wrapped = failure_destination(event, function.arn, attempts, error)
        attributes = {"ErrorCode": "200", "ErrorMessage": str(error)[:1024] or type(error).__name__}
        body, sent = (wrapped, {}) if function.wrap_dead_letter else (json.dumps(event), attributes)
        self._dead_letters(function.dead_letter, body, sent)


Send = Callable[[str, Any], None]


class Ticker:
    """Calls `send(function, event)` for each schedule, the first time after its interval, until stopped."""

    def __init__(self, schedules: Iterable[Schedule], send: Send) -> None:
        self._stopping = threading.Event()
        self._send = send
        for each in schedules:
            threading.Thread(target=self._run, args=(each,), name=each.function, daemon=True).start()

    def stop(self) -> None:
        """Call nothing any more."""
        self._stopping.set()

    def _run(self, schedule: Schedule) -> None:
        while not self._stopping.wait(schedule.seconds):
            self._send(schedule.function, {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
