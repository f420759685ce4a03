"""Asynchronous invocations: queued, tried again twice, then sent to the dead-letter queue, as Lambda does."""

import json
import queue
import sys
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tools.local.events import failure_destination
from tools.local.functions import Local

RETRY_SECONDS = 1.0
DeadLetters = Callable[[str, str, Mapping[str, str]], None]


class Worker:
    """Delivers the events of one function, in order, on a thread of its own.

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
