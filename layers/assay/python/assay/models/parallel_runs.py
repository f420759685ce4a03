"""Runs of one network side by side: a runner of one thread for each processor, all fed from one queue.

The threads of one run wait for each other after every operation. Runs side by side wait once, at the end.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Inputs = Mapping[str, NDArray[Any]]
Output = NDArray[np.float32]
Run = Callable[[Inputs], Output]
PAYS: Final = 128
"""After so many runs the time that they save is about that in which the networks are made."""


class Places(Protocol):
    """Which processors threads keep to."""

    def step_to_first(self) -> None:
        """Move this thread to the first processor, for now."""

    def keep_to_others(self) -> None:
        """Keep this thread to the other processors."""


class ParallelRuns:
    """Several networks of equal bits, made when they pay, the first one the caller's. Safe to share between threads.

    The others' threads stay for the next time: a new one begins on the caller's processor, and leaves it only after
    some 3 ms.
    """

    def __init__(self, make: Callable[[], Sequence[Run]], threads: int, places: Places) -> None:
        self._make, self._places = make, places
        self._runs: Sequence[Run] = ()
        self._asked = 0
        self._lock = threading.Lock()
        self._helpers = ThreadPoolExecutor(threads - 1, "runs", initializer=places.keep_to_others)

    def expect(self, count: int) -> bool:
        """Count runs that are asked for, and say whether they may run here. Makes the networks once, when they pay."""
        with self._lock:
            before, self._asked = self._asked, self._asked + count
            if before < PAYS <= self._asked:
                self._runs = self._make()
        return bool(self._runs)

    def run(self, inputs: Iterable[Inputs]) -> list[Output]:
        """Return the outputs in the order of the inputs, which are begun in that order too: put long ones first.

        Raises what a run raised first; no other is begun after that.
        """
        queue, (first, *others) = _Queue(inputs), self._runs
        begun = [self._helpers.submit(queue.work, each) for each in others]
        self._places.step_to_first()
        queue.work(first)
        wait([each for each in begun if not each.cancel()])  # those that have not begun are other callers' helpers
        return queue.outputs()


class _Queue:
    """Inputs that wait for a run, and the outputs of those that had one."""

    def __init__(self, inputs: Iterable[Inputs]) -> None:
        self._waiting = deque(enumerate(inputs))
        self._found: dict[int, Output] = {}
        self._errors: list[Exception] = []

    def work(self, run: Run) -> None:
        """Run what waits until nothing does, here or in another thread."""
        while True:
            try:
                at, inputs = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._found[at] = run(inputs)
            except Exception as error:
                self._errors.append(error)
                self._waiting.clear()

    def outputs(self) -> list[Output]:
        """Return all outputs, in order. Raises the first error."""
        if self._errors:
            raise self._errors[0]
        return [self._found[at] for at in range(len(self._found))]
