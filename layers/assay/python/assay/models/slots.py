"""What a registry knows of models beside the models: which version serves, and which were refused."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NO_VERSION: Final = "it has no current version"
RETRY_SECONDS: Final = 900.0
"""How long a refused version is not tried again."""
_MOST: Final = 64
Pin = tuple[str, str, str]
"""Name, version and task."""


@dataclass
class Slot:
    """What is known of one model's current version; `version` is the one that serves, in memory or let go of it."""

    name: str
    task: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    version: str | None = None
    sha256: str | None = None
    etag: str | None = None
    due: float = 0.0
    retry: float = float("inf")
    reason: str = NO_VERSION
    replaced: list[Path] = field(default_factory=list)


class Refusals:
    """Why versions were refused, for a while, and of so many as may be asked for in it."""

    def __init__(self) -> None:
        self._known: OrderedDict[Pin, tuple[float, str]] = OrderedDict()

    def add(self, pin: Pin, reason: str, now: float) -> None:
        """Remember a refusal."""
        self._known[pin] = now + RETRY_SECONDS, reason
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def reason(self, pin: Pin, now: float) -> str | None:
        """Return why a version was refused, None where it was not, or is to be tried again."""
        until, reason = self._known.get(pin, (now, ""))
        return reason if now < until else None
