"""Steady requests from several threads, for tests of what happens meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

THREADS = 3
Answer = tuple[str, tuple[float, ...]]
Ask = Callable[[], Answer]


class Traffic:
    """Requests without a pause from several threads, and what became of each."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._news = threading.Condition()
        self._over = threading.Event()
        self.answers: list[Answer] = []
        self.failures: list[Exception] = []

    def run(self) -> None:
        while not self._over.is_set():
            try:
                answer = self._ask()
                with self._news:
                    self.answers.append(answer)
                    self._news.notify_all()
            except Exception as error:
                with self._news:
                    self.failures.append(error)
                    self._news.notify_all()

    def until(self, version: str) -> None:
        """Wait until every thread may have been answered by a version, or something failed."""
        begun = len(self.answers)
        self.until_true(lambda: [each[0] for each in self.answers[begun:]].count(version) >= 2 * THREADS)

    def until_true(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds after an answer, or something failed."""
        with self._news:
            assert self._news.wait_for(lambda: self.failures or holds(), 60), "waited in vain"

    @contextmanager
    def flowing(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.run) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(60)
