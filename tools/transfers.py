"""Bytes on their way: a progress bar, and a bucket that counts what is read from it."""

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from assay.aws.s3 import Bucket

_NEVER = 1e9


class Bar:
    """Progress towards a total, in bytes unless `unit` says otherwise; several threads may call it.

    Where standard error is no terminal, nothing is shown, or with `logged` the end alone.
    """

    def __init__(self, label: str, total: int, unit: str = "B", *, logged: bool = False) -> None:
        terminal = sys.stderr.isatty()
        sized = {"unit_scale": True, "unit_divisor": 1000} if unit == "B" else {}
        every = {} if terminal else {"mininterval": _NEVER, "maxinterval": _NEVER}
        shape = {"disable": not (terminal or logged), "ncols": width(), **every}
        self._bar: Any = tqdm(total=total, desc=label, unit=unit, file=sys.stderr, **shape, **sized)
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count more; shards read a little of each other's bytes, which does not pass the total."""
        with self._lock:
            self._bar.update(min(count, self._bar.total - self._bar.n))

    def at(self, done: int, total: int, label: str | None = None) -> None:
        """Show how much of which total is done, and with what."""
        with self._lock:
            self._bar.total = total
            self._bar.set_description(label or self._bar.desc.removesuffix(": "), refresh=False)
            self._bar.update(done - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()


def width() -> int:
    """Return how many columns a bar may take: 80 in a terminal that reports none."""
    return max(20, shutil.get_terminal_size().columns)


class CountingBucket(Bucket):
    """A bucket that reports how many bytes each ranged read gave."""

    def __init__(self, bucket: Bucket, tell: Callable[[int], None]) -> None:
        super().__init__(bucket.client, bucket.name)
        self._tell = tell

    def pieces(self, key: str, start: int, stop: int, **pins: str | None) -> Iterator[bytes]:
        """Yield bytes [start, stop) of an object; report their count at the end, even of a read that breaks off."""
        count = 0
        try:
            for piece in super().pieces(key, start, stop, **pins):
                count += len(piece)
                yield piece
        finally:
            self._tell(count)
