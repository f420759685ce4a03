"""Which processors the threads of one network run on.

LiteRT's threads wait for each other after every op. When they wake after a pause, Linux may put them on one processor
and part them only tens of milliseconds later: after 0.1 s without work a text of 192 tokens took up to a third longer
(docs/performance.md). So where a network has as many threads as there are processors, the threads that LiteRT begins
for it keep to all but the first, and the thread that calls it steps to the first one before.

This saves time and nothing else: where the system refuses it, as a sandbox that filters system calls may, or a set of
processors that has changed, all threads of the process are left alone from then on.
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from assay.telemetry import logger

_set: Callable[[int, Collection[int]], None] | None = getattr(os, "sched_setaffinity", None)  # Linux's alone
_THIS_THREAD: Final = 0


@dataclass(frozen=True)
class Processors:
    """Those that this process may use, in order; none where threads are left alone."""

    usable: tuple[int, ...] = ()

    def step_to_first(self) -> None:
        """Move this thread to the first processor. It may leave again: what it begins must inherit no bound."""
        if self.usable and _keep_to(self.usable[:1]):
            _keep_to(self.usable)

    @contextmanager
    def others(self) -> Iterator[None]:
        """Let threads that are begun meanwhile keep to the other processors: they inherit it."""
        bound = bool(self.usable) and _keep_to(self.usable[1:])
        try:
            yield
        finally:
            if bound:
                _keep_to(self.usable)


def processors(threads: int) -> Processors:
    """Return the processors for a network's threads: none in particular unless there are as many, and at least two."""
    usable = _usable()
    return Processors(usable if len(usable) == threads > 1 else ())


def _usable() -> tuple[int, ...]:
    try:
        return tuple(sorted(os.sched_getaffinity(_THIS_THREAD))) if _set else ()
    except OSError as error:
        _leave_alone(error)
        return ()


def _keep_to(places: Collection[int]) -> bool:
    """Keep this thread to some processors and say whether it is: where the system refuses, never ask it again."""
    keep = _set
    if keep is None:
        return False
    try:
        keep(_THIS_THREAD, places)
    except OSError as error:
        _leave_alone(error)
        return False
    return True


def _leave_alone(error: OSError) -> None:
    global _set  # what the system refuses one thread it refuses all
    _set = None
    logger.warning("threads are not placed: the system refuses it", reason=str(error))
