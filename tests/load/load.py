"""Many requests at once against a running service, good and bad: `python -m tests.load.load --requests 10000`."""

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import requests

from tests.e2e.running import Service, running
from tests.load.memory import resident
from tests.load.samples import Sample, sample

KINDS: Final = ("rank", "classify")
SECONDS: Final = 120.0


@dataclass
class Load:
    """The answers to one kind of request: statuses, wrong ones, seconds each took, MB resident before and after."""

    kind: str
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    resident: tuple[float, float] = (0.0, 0.0)
    took: float = 0.0


def load(service: Service, kind: str, *, count: int, concurrent: int, seed: int) -> Load:
    """Send so many requests of a kind from so many threads, each with a separate connection."""
    found, local, lock = Load(kind), threading.local(), threading.Lock()

    def ask(number: int) -> None:
        wanted = sample(kind, seed, number)
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        began = time.perf_counter()
        status = _status(local.session, service.url, wanted)
        took = time.perf_counter() - began
        with lock:
            found.statuses[status] += 1
            found.seconds.append(took)
            if status not in wanted.statuses:
                found.wrong[f"{wanted.path} {status or 'no answer'}"] += 1

    before, began = resident(service.process.pid), time.perf_counter()
    with ThreadPoolExecutor(concurrent) as pool:
        list(pool.map(ask, range(count)))
    found.took = time.perf_counter() - began
    found.resident = (before, resident(service.process.pid))
    return found


def _status(session: requests.Session, url: str, wanted: Sample) -> int:
    """Return an answer's status, 0 where none came in time."""
    try:
        return session.post(url + wanted.path, data=wanted.body, headers=wanted.headers, timeout=SECONDS).status_code
    except requests.RequestException:
        return 0


def told(found: Load) -> str:
    """Return a load as lines of text."""
    cuts = statistics.quantiles(found.seconds, n=100)
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
    p50, p95, p99 = (f"{cuts[at - 1] * 1000:.0f}" for at in (50, 95, 99))
    return (
        f"{found.kind}: {len(found.seconds)} requests in {found.took:.0f} s ({statuses}; wrong: "
        f"{dict(found.wrong) or 'none'}); p50 {p50}, p95 {p95}, p99 {p99} ms; "
        f"{found.resident[0]:.0f} MB before, {found.resident[1]:.0f} after"
    )


def main() -> int:
    """Load the service with each kind; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000, help="of both kinds together")
    parser.add_argument("--concurrent", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    with running("--log-level", "CRITICAL", quiet=True) as service:
        for kind in KINDS:
            count = options.requests // len(KINDS)
            found = load(service, kind, count=count, concurrent=options.concurrent, seed=options.seed)
            print(told(found), flush=True)
            wrong += found.wrong.total()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
