"""What was asked for before it was needed: whoever needs it takes it once, and waits where it is still under way.

Where it failed it is asked for again, as if nothing had been.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

Result = TypeVar("Result")
_announced: Final[dict[Hashable, Future[Any]]] = {}


def announce(key: Hashable) -> "Future[Any]":
    """Say that what belongs to a key is under way; the future is to be given it, or what went wrong."""
    return _announced.setdefault(key, Future())


def take(key: Hashable, act: Callable[[], Result]) -> Result:
    """Return what was announced under a key, the first time; else, and where that failed, what `act` gives."""
    early = _announced.pop(key, None)
    if early is not None and early.exception() is None:
        found: Result = early.result()
        return found
    return act()
