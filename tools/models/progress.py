"""Progress of a transfer as one line on a terminal, or one line a file where there is no terminal."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tools.demo.tables import bar

_EVERY = 0.1
_MEGABYTE = 1e6


class Progress:
    """Bytes of one transfer; `add` may be called from several threads."""

    def __init__(self, label: str, total: int, out: TextIO | None = None) -> None:
        self._label, self._total, self._done = label, total, 0
        self._out = out or sys.stderr
        self._lock, self._shown = threading.Lock(), 0.0

    def add(self, count: int) -> None:
        """Count bytes that have been moved."""
        with self._lock:
            self._done += count
            if self._out.isatty() and time.monotonic() - self._shown > _EVERY:
                self._shown = time.monotonic()
                print(f"\r{self.line()}", end="", file=self._out, flush=True)

    def close(self) -> None:
        """Write the last line."""
        start = "\r" if self._out.isatty() else ""
        print(f"{start}{self.line()}", file=self._out, flush=True)

    def line(self) -> str:
        """Return label, bar, share and megabytes."""
        share = min(1.0, self._done / self._total) if self._total else 1.0
        unit, size = ("MB", 1e6) if self._total >= _MEGABYTE else ("kB", 1e3)
        sizes = f"{self._done / size:.1f}/{self._total / size:.1f} {unit}"
        return f"{self._label:32} {bar(share)} {share:4.0%}  {sizes}"


@contextmanager
def progress(label: str, total: int) -> Iterator[Progress]:
    """Show a transfer of `total` bytes on standard error while it lasts."""
    shown = Progress(label, total)
    try:
        yield shown
    finally:
        shown.close()
