"""What the commands share: reading the input and reporting failure."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO


def open_binary(name: str) -> AbstractContextManager[IO[bytes]]:
    """Open a file, or standard input where the name is `-`."""
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def fail(message: str) -> int:
    """Print an error and return the exit status 1."""
    print(f"error: {printable(message)}", file=sys.stderr)
    return 1


def printable(text: str) -> str:
    """Return what others wrote (keys, reasons, a service's words) without what a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def quiet() -> None:
    """Keep the log lines and metrics that Lambda would collect out of a command's output; errors stay."""
    os.environ.update({"POWERTOOLS_LOG_LEVEL": "ERROR", "POWERTOOLS_METRICS_DISABLED": "true"})
