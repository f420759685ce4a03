"""Progress bars on standard error: tqdm's on a terminal, nothing where there is none."""

import shutil
import sys
import threading
from types import TracebackType
from typing import Any, Self


class Bar:
    """Progress towards a total, in bytes unless `unit` says otherwise; may be told from several threads."""

    def __init__(self, label: str, total: int, unit: str = "B") -> None:
        from tqdm import tqdm

        sized = {"unit_scale": True, "unit_divisor": 1000} if unit == "B" else {}
        shape = {"disable": not sys.stderr.isatty(), "ncols": width()}
        self._bar: Any = tqdm(total=total, desc=label, unit=unit, file=sys.stderr, **shape, **sized)
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count what has been done since; shards read a little of each other's bytes, which does not pass the total."""
        with self._lock:
            self._bar.update(min(count, self._bar.total - self._bar.n))

    def at(self, done: int, total: int) -> None:
        """Say how far it is altogether."""
        with self._lock:
            self._bar.total = total
            self._bar.update(done - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()


def width() -> int:
    """Return how many columns a bar may take: a terminal that says it has none is taken to have 80."""
    return max(20, shutil.get_terminal_size().columns)
