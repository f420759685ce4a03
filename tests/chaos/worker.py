"""A function in a separate process, for tests that end it: `python -m tests.chaos.worker WAY`, an event as input.

Ways: `well`; `hang` stops just before a shard's result is written, after saying so; `starved` has hardly any memory
left and tries as often as Lambda does.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any, Final

from tests.events import Context

_LEFT: Final = 8 << 20
"""Bytes of address space that a starved process may still take. With less than 2 MiB, Python's `Thread.start` may wait
for ever on a thread that died before it began."""


def hang() -> None:
    """Stop where all is computed and nothing is written."""
    from assay.jobs.rank_files import RankJobType

    def stop(*_: Any) -> Any:
        print("midway", flush=True)
        sys.stdin.read()

    RankJobType.join = stop  # type: ignore[method-assign, assignment]


def starve() -> None:
    """Take away what memory is not in use, the models loaded before."""
    from rank.services import services

    assert services().pair()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + _LEFT,) * 2)


def main(way: str) -> None:
    """Answer one event, and say what came of each try."""
    from rank.jobs import upload_handler

    event = json.loads(sys.stdin.readline())
    tries = 1
    if way == "hang":
        hang()
    if way == "starved":
        starve()
        tries = 3
    for _ in range(tries):
        try:
            print(json.dumps(upload_handler(event, Context())), flush=True)
        except Exception as error:
            print(type(error).__name__, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
