"""Time and memory against the size of the input, and what that costs on Lambda: `python -m benchmarks.curve`.

Each size is one run of a fresh process, so that it shows that run's peak memory. With matplotlib (`make peers`) it
draws the plots. Rates on one thread and on two are measured; four vCPUs are counted as twice two, and said so. A vCPU
here is a core of this machine.

Prices are AWS's list prices for us-east-1, first tier (aws.amazon.com/lambda/pricing): dollars a GB-second, and a
request. Memory buys vCPUs in proportion, one for 1,769 MB (docs.aws.amazon.com/lambda, "Configure memory").
"""

import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.classify_peers import SHIPPED, abstracts, stand_in
from benchmarks.contest import Way, draw_by_peers
from benchmarks.measuring import Report, Times, arguments, hush, in_turn, report
from benchmarks.rank_peers import default_pair, files, threshold

GB_SECOND: Final[Mapping[str, float]] = {"x86": 0.0000166667, "arm64": 0.0000133334}
AS_OF: Final = "as quoted in May 2026"
MB_PER_VCPU: Final = 1769
MEMORIES: Final = (1769, 3538, 7076)
DEFAULT: Final = 3008
"""The template's RankMemory and ClassifyMemory: what a new account may have at most."""
BATCHES: Final = {"rank": (1_000_000, "million sequences"), "classify": (1000, "thousand abstracts")}


def seconds_per_item(memory: int, times: Mapping[int, Times]) -> float:
    """Return what an item takes: measured at one and two vCPUs, between them by their line, beyond as if two doubled.

    `times` are by threads: 1 and 2. Below one vCPU the time grows as the share shrinks.
    """
    vcpus, (one, two) = memory / MB_PER_VCPU, (1 / times[1].median, 1 / times[2].median)
    if vcpus <= 1:
        return 1 / (one * vcpus)
    if vcpus <= 2:
        return 1 / (one + (two - one) * (vcpus - 1))
    return 1 / (two * vcpus / 2)


def dollars(memory: int, seconds: float, price: float) -> float:
    """Return the price of so many seconds of a function."""
    return memory / 1024 * seconds * price


def add_times(said: Report, rates: Mapping[str, Mapping[int, Times]]) -> None:
    """Add for each job time and dollars by memory size."""
    said.add(
        f"## Dollars on Lambda: list prices of us-east-1, {AS_OF}: "
        + ", ".join(f"${price:.10f} a GB-second on {kind}" for kind, price in GB_SECOND.items()),
        "Compute alone, warm. Rates of one and two vCPUs are those of one and two threads here; four are counted as "
        f"twice two; {DEFAULT:,} MB (the template's default, all that a new account may have) lies between one and two "
        "by a line. No arm64 processor was measured: its column takes x86's rates, and is right where they are equal.",
    )
    for job, times in rates.items():
        count, named = BATCHES[job]
        rows = []
        for memory in sorted({*MEMORIES, DEFAULT}):
            taken = seconds_per_item(memory, times) * count
            prices = (f"{dollars(memory, taken, price):.3g}" for price in GB_SECOND.values())
            rows.append((f"{memory:,}", f"{memory / MB_PER_VCPU:.2f}", f"{taken:.2f}", *prices))
        said.add(f"A {named}, {job}:")
        said.table(("MB", "vCPUs", "s", "$ x86", "$ arm64"), rows)


SIZES: Final[dict[str, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "smoke": ((100, 300), (1, 2)),
    "quick": ((1000, 10_000, 100_000), (1, 10, 100)),
    "full": ((1000, 10_000, 100_000, 1_000_000, 10_000_000), (1, 10, 100, 1000, 10_000)),
}
RATE_OF: Final = {"smoke": (200, 2), "quick": (50_000, 20), "full": (200_000, 100)}
"""How many sequences and abstracts the rates are measured on."""


@dataclass(frozen=True)
class Point:
    """One run: items, seconds, and the peak memory of its process in MB."""

    items: int
    seconds: float
    megabytes: float


def rank_points(folder: Path, pair: Path, counts: Sequence[int], at: float, threads: int) -> Iterable[Point]:
    """Yield a point for each number of sequences, plain lines from disk."""
    for count in counts:
        (path,) = files(folder, [count]).values()
        yield _point("assay", pair, {"path": str(path), "threshold": at}, count, threads)
        path.unlink()


def classify_points(folder: Path, counts: Sequence[int], threads: int) -> Iterable[Point]:
    """Yield a point for each number of abstracts of mixed length, by the shipped classifier."""
    for count in counts:
        yield _point("assay-int8", folder, {"ids": abstracts(count), "rows": 1}, count, threads)


def _point(name: str, folder: Path, task: dict[str, Any], count: int, threads: int) -> Point:
    way = Way(name, folder, threads)
    try:
        answer = way.run(task)
    finally:
        way.close()
    return Point(count, answer.seconds, answer.megabytes)


def slope(points: Sequence[Point]) -> float:
    """Return the exponent of time between the last two decades: 1 is linear."""
    first, last = points[(len(points) - 1) // 2], points[-1]
    return math.log(last.seconds / first.seconds) / math.log(last.items / first.items)


def curve_table(said: Report, title: str, unit: str, points: Sequence[Point]) -> None:
    """Add the points of one job."""
    said.add(f"## {title}: time grows with the input's size to the power of {slope(points):.2f} over its larger half")
    rows = [(f"{p.items:,}", f"{p.seconds:.3g}", f"{p.items / p.seconds:,.0f}", f"{p.megabytes:.0f}") for p in points]
    said.table((unit, "s", f"{unit}/s", "peak MB"), rows)


def rates(pair: Path, classifier: Path, folder: Path, at: float, size: str, rounds: int) -> dict[str, dict[int, Times]]:
    """Return for both jobs the seconds per item on one and two threads, measured in turn."""
    sequences, texts = RATE_OF[size]
    (path,) = files(folder, [sequences]).values()
    tasks: dict[str, tuple[str, Path, dict[str, Any], int]] = {
        "rank": ("assay", pair, {"path": str(path), "threshold": at}, sequences),
        "classify": ("assay-int8", classifier, {"ids": abstracts(texts), "rows": 1}, texts),
    }
    with ExitStack() as stack:
        acts = {}
        for job, (name, models, task, count) in tasks.items():
            for threads in (1, 2):
                way = Way(name, models, threads)
                stack.callback(way.close)
                acts[f"{job} {threads}"] = lambda way=way, task=task, count=count: way.run(task).seconds / count
        in_turn(acts, 1)
        times = in_turn(acts, rounds)
    return {job: {threads: times[f"{job} {threads}"] for threads in (1, 2)} for job in tasks}


def main() -> None:
    """Read the options, measure, print, draw."""
    options = arguments(__doc__, "curve").parse_args()
    hush()
    said = report("curve", "Time, memory and cost against the size of the input", options)
    counts, texts = SIZES[options.size]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pair, classifier = default_pair(folder / "pair"), stand_in(folder / "texts")
        at = threshold(pair)
        sequences = list(rank_points(folder, pair, counts, at, options.threads))
        curve_table(said, "Ranking, default pair, a tenth passing the gate", "sequences", sequences)
        classified = list(classify_points(classifier, texts, options.threads))
        curve_table(said, f"Classification, {SHIPPED.parent.name}, mixed lengths", "abstracts", classified)
        found = rates(pair, classifier, folder, at, options.size, {"smoke": 1, "quick": 3, "full": 7}[options.size])
    add_times(said, found)
    if options.write:
        drawn = {"sequences ranked": sequences, "abstracts classified": classified}
        draw_by_peers(
            said.images,
            curves={job: [(p.items, p.seconds, p.megabytes) for p in points] for job, points in drawn.items()},
        )
    said.finish()


if __name__ == "__main__":
    main()
