"""`assay demo`: show the main job and check its outcome."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.demo.run import DemoFailed, run_demo
from tools.local.servers import PortInUse


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    command.add_argument("--results", type=Path, default=Path("demo-results"), help="where copies of the results go")
    command.set_defaults(run=demo)


def demo(options: argparse.Namespace) -> int:
    """Run the demo; 0 only if everything came out as expected."""
    try:
        with _native_chatter_off():
            run_demo(options.results)
    except (DemoFailed, PortInUse) as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _native_chatter_off() -> Iterator[None]:
    """Send what C libraries write to file descriptor 2 nowhere; Python's own errors still reach the terminal."""
    terminal, python = os.dup(2), sys.stderr
    with open(os.devnull, "wb") as nowhere, open(terminal, "w", buffering=1, closefd=False) as errors:
        sys.stderr = errors
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            sys.stderr = python
            os.close(terminal)
