"""A running service asked at a modest rate for a long while, its memory noted: `python -m tests.load.soak`.

Writes a CSV line a sample as it goes (minutes, MB resident, requests, wrong answers), so that a soak that is cut off
leaves what it saw. Draw it with `python -m tests.load.plot`.
"""

import argparse
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from tests.e2e.running import Service, running
from tests.load.memory import resident
from tests.load.samples import Sample, sample, sequence

SAMPLE_SECONDS: Final = 10.0
DROP_EVERY: Final = 200
"""One request in so many is a file: each leaves a job and results in the stores, which this process holds too."""
HEADER: Final = "minutes,resident_mb,requests,wrong\n"


@dataclass
class Soak:
    """Asks one request after the other and counts the answers that were not right."""

    service: Service
    seed: int
    asked: int = 0
    wrong: dict[str, int] = field(default_factory=dict)

    def ask(self) -> None:
        """Send the next request."""
        number, self.asked = self.asked, self.asked + 1
        if number % DROP_EVERY == DROP_EVERY - 1:
            self._drop(number)
        else:
            self._post(sample(("rank", "classify")[number % 2], self.seed, number))

    def _post(self, wanted: Sample) -> None:
        url = self.service.url + wanted.path
        reply = self.service.session.post(url, data=wanted.body, headers=dict(wanted.headers))
        if reply.status_code not in wanted.statuses:
            self._note(f"{wanted.path} {reply.status_code}")

    def _drop(self, number: int) -> None:
        chance = random.Random(f"{self.seed} drop {number}")
        body = "".join(sequence(chance) + "\n" for _ in range(500)).encode()
        summary = self.service.drop(f"rank/soak/{number}.txt", body)
        if summary["state"] != "SUCCEEDED" or summary["counts"]["scored"] != 500:
            self._note(f"drop {summary['state']}")

    def _note(self, what: str) -> None:
        self.wrong[what] = self.wrong.get(what, 0) + 1


def soak(service: Service, out: TextIO, *, seed: int, minutes: float, rate: float) -> Soak:
    """Ask `rate` requests a second for so many minutes; write a line to `out` every few seconds and at the end."""
    asker, began = Soak(service, seed), time.monotonic()
    noted = -SAMPLE_SECONDS
    out.write(HEADER)
    while (now := time.monotonic() - began) < minutes * 60:
        if now - noted >= SAMPLE_SECONDS:
            noted = now
            _write(out, asker, now)
        asker.ask()
        time.sleep(max(asker.asked / rate - (time.monotonic() - began), 0))
    _write(out, asker, time.monotonic() - began)
    return asker


def _write(out: TextIO, asker: Soak, seconds: float) -> None:
    held = resident(asker.service.process.pid)
    out.write(f"{seconds / 60:.2f},{held:.1f},{asker.asked},{sum(asker.wrong.values())}\n")
    out.flush()


def main() -> int:
    """Soak, and say what came of it; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2.0, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("build/soak.csv"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with running("--log-level", "CRITICAL", quiet=True) as service, options.out.open("w") as out:
        done = soak(service, out, seed=options.seed, minutes=options.minutes, rate=options.rate)
    print(f"{done.asked} requests, wrong answers: {done.wrong or 'none'}; {options.out}")
    return 1 if done.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
