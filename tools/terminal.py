"""What a terminal shows: tables, bars, progress, errors in words, and nothing that it would obey."""

import re
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TextIO

_NUMERIC = frozenset("0123456789.+-%")


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows under a header, numbers to the right, indented by two spaces."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = (header, ["-" * width for width in widths], *rows)
    return "\n".join("  " + "  ".join(map(_cell, line, widths)).rstrip() for line in lines)


def _cell(text: str, width: int) -> str:
    return text.rjust(width) if text and set(text) <= _NUMERIC else text.ljust(width)


def bar(share: float, width: int = 24, block: str = "█") -> str:
    """Draw a probability from 0 to 1."""
    return (block * max(1, round(share * width))).ljust(width, " " if block == "#" else "·")


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


def explain(error: BaseException) -> str:
    """Return what an error says in words: which file and why, which address, and never a bare number or class name."""
    from requests import ConnectionError as Unreachable
    from requests import Timeout

    if isinstance(error, Unreachable | Timeout):
        where = str(error.request.url).partition("?")[0] if error.request is not None else "the address"
        return f"nothing answers at {where}: is the service up, and is that its address?"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    said = str(error)
    if said and not said.isdecimal():
        return said
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()
    return f"it failed ({words.removesuffix(' error') or words})"


def printable(text: str) -> str:
    """Return what others wrote (keys, reasons, a service's words) without what a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
