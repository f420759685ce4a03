"""Which processors the threads of one network run on.

LiteRT's threads wait for each other after every op. When they wake after a pause, Linux may put them on one processor
and part them only tens of milliseconds later: after 0.1 s without work a text of 192 tokens took up to a third longer
(docs/performance.md). So where a network has as many threads as there are processors, the threads that LiteRT begins
for it keep to all but the first, and the thread that calls it steps to the first one before.
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_set: Final[Callable[[int, Collection[int]], None] | None] = getattr(os, "sched_setaffinity", None)  # Linux's alone
_THIS_THREAD: Final = 0


@dataclass(frozen=True)
class Processors:
    """Those that this process may use, in order; none where threads are left alone."""

    usable: tuple[int, ...] = ()

    def step_to_first(self) -> None:
        """Move this thread to the first processor. It may leave again: what it begins must inherit no bound."""
        if _set and self.usable:
            _set(_THIS_THREAD, self.usable[:1])
            _set(_THIS_THREAD, self.usable)

    @contextmanager
    def others(self) -> Iterator[None]:
        """Let threads that are begun meanwhile keep to the other processors: they inherit it."""
        if not _set or not self.usable:
            yield
            return
        _set(_THIS_THREAD, self.usable[1:])
        try:
            yield
        finally:
            _set(_THIS_THREAD, self.usable)


def processors(threads: int) -> Processors:
    """Return the processors for a network's threads: none in particular unless there are as many, and at least two."""
    usable = tuple(sorted(os.sched_getaffinity(_THIS_THREAD))) if _set else ()
    return Processors(usable if len(usable) == threads > 1 else ())
