"""Functions that the template has called every now and then."""

import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
Send = Callable[[str, Any], None]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function's logical id, and the seconds from one call to the next."""

    function: str
    seconds: float


def rate(expression: str) -> float:
    """Return the seconds of `rate(15 minutes)`; raises ValueError for what is no rate."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if not found:
        raise ValueError(f"{expression!r} is no rate(N minutes), rate(N hours) or rate(N days)")
    return int(found[1]) * _SECONDS[found[2]]


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
