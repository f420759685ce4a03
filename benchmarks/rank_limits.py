"""How near ranking is to what this machine can do: `python -m benchmarks.rank_limits [--large 10000000]`.

Formats from disk and from an S3 that is slow in a known way; reading without networks; two threads against one; the
networks' floating-point operations against a matrix product measured in the same run; memory at the largest file.
"""

import gzip
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.contest import Way, draw_by_peers
from benchmarks.measuring import Report, Times, arguments, hush, in_turn, report
from benchmarks.objects import serve_apart
from benchmarks.peers.layers import read
from benchmarks.rank import GATE, SCORE
from benchmarks.rank_peers import default_pair, files, threshold

LATENCY: Final = 0.015
RATE: Final = 60e6
PRODUCTS: Final = {"smoke": 1, "quick": 10, "full": 40}


@dataclass(frozen=True)
class Bench:
    """The processes that take part: Assay on one thread and on all, without networks, and a matrix product."""

    ways: Mapping[str, Way]
    threshold: float

    @classmethod
    def of(cls, pair: Path, threads: int, stack: ExitStack) -> "Bench":
        """Start them; the stack ends them."""
        asked = [("one", "assay", 1), ("all", "assay", threads), ("none", "assay-without-networks", 1)]
        asked += [("sgemm one", "sgemm", 1), ("sgemm all", "sgemm", threads)]
        ways = {label: Way(name, pair, count) for label, name, count in asked}
        for way in ways.values():
            stack.callback(way.close)
        return cls(ways, threshold(pair))

    def task(self, path: Path, endpoint: str | None = None) -> dict[str, Any]:
        """Return the task of ranking a file, or the object of its name."""
        return {"path": str(path), "threshold": self.threshold, **({"endpoint": endpoint} if endpoint else {})}

    def lap(self, label: str, task: Mapping[str, Any]) -> Callable[[], float]:
        """Return what does a task once and gives its seconds."""
        return lambda: self.ways[label].run(task).seconds


def formats(folder: Path, path: Path, count: int) -> dict[str, Path]:
    """Write a file of plain lines as FASTA and gzipped too."""
    fasta, zipped = folder / f"{count}.fasta", folder / f"{count}.txt.gz"
    with path.open("rb") as lines, fasta.open("wb") as target:
        for at, line in enumerate(lines):
            target.write(b">p%d\n%b" % (at, line))
    with path.open("rb") as lines, gzip.open(zipped, "wb", 6) as packed:
        while chunk := lines.read(1 << 20):
            packed.write(chunk)
    return {"lines": path, "FASTA": fasta, "lines, gzip": zipped}


def sources(said: Report, bench: Bench, made: Mapping[int, Mapping[str, Path]], endpoint: str, rounds: int) -> None:
    """Add the table of formats, from disk and from S3, at every size."""
    rows: list[tuple[str, ...]] = []
    series: dict[str, list[float]] = {"disk": [], "S3": []}
    for count, paths in made.items():
        acts = {
            (name, place): bench.lap("all", bench.task(path, at))
            for name, path in paths.items()
            for place, at in (("disk", None), ("S3", endpoint))
        }
        keyed = {f"{name}|{place}": act for (name, place), act in acts.items()}
        in_turn(keyed, 1)
        for key, times in in_turn(keyed, rounds).items():
            name, place = key.split("|")
            rows.append((f"{count:,}", name, place, times.show("s"), f"{count / times.median:,.0f}"))
            series[place].append(count / times.median)
    said.add(f"## From bytes to the best 100; S3 is {LATENCY * 1000:.0f} ms and {RATE / 1e6:.0f} MB/s a connection")
    said.table(("sequences", "format", "from", "s, median (fastest-slowest)", "sequences/s"), rows)
    if said.keep:
        groups = [f"{count:,}\n{name}" for count, paths in made.items() for name in paths]
        drawn = {"title": "From bytes to the best 100, default pair", "unit": "sequences/s", "groups": groups}
        draw_by_peers(said.images, bars={**drawn, "file": "rank-sources", "scale": "linear", "series": series})


def roofline(said: Report, bench: Bench, pair: Path, path: Path, count: int, rounds: int, products: int) -> None:
    """Add threads, the share of reading, and the networks' operations against a matrix product's."""
    task = bench.task(path)
    acts = {label: bench.lap(label, task) for label in ("one", "all", "none")}
    acts |= {label: bench.lap(label, {"products": products}) for label in ("sgemm one", "sgemm all")}
    times = in_turn(acts, rounds)
    passed = bench.ways["all"].run(task).output["passed"]
    work = count * read(pair / "gate/1/model.tflite").flops + passed * read(pair / "score/1/model.tflite").flops
    done = bench.ways["sgemm one"].run({"products": products}).output["flops"]
    said.add(f"## {count:,} sequences, plain lines from disk; {passed:,} pass the gate; {work / 1e9:.1f} GFLOP")
    said.table(("what", "value"), _limits(times, count, work, done))


def _limits(times: Mapping[str, Times], count: int, work: float, product: float) -> Iterable[tuple[str, str]]:
    rate = {label: count / each.median for label, each in times.items()}
    peak = {label: product / times[f"sgemm {label}"].median for label in ("one", "all")}
    reached = {label: work / times[label].median for label in ("one", "all")}
    yield "one thread", f"{rate['one']:,.0f} sequences/s, {times['one'].show('s')} s"
    yield "all threads", f"{rate['all']:,.0f} sequences/s, {times['all'].show('s')} s"
    yield "all threads against one", f"{times['one'].median / times['all'].median:.2f}"
    yield "without networks, one core", f"{rate['none']:,.0f} sequences/s"
    yield "its share of the time with networks, one thread", f"{times['none'].median / times['one'].median:.1%}"
    for label in ("one", "all"):
        share = reached[label] / peak[label]
        yield f"sgemm, {label}", f"{peak[label] / 1e9:.0f} GFLOP/s"
        yield f"ranking, {label}", f"{reached[label] / 1e9:.0f} GFLOP/s, {share:.0%} of sgemm's"


def large(said: Report, bench: Bench, folder: Path, endpoint: str, count: int) -> None:
    """Add what one pass over a large file takes in each format, and the peak of memory of its process until then."""
    (path,) = files(folder, [count]).values()
    rows = []
    for name, each in formats(folder, path, count).items():
        for place, at in (("disk", None), ("S3", endpoint)):
            answer = bench.ways["all"].run(bench.task(each, at))
            rate = f"{count / answer.seconds:,.0f}"
            rows.append((name, place, f"{answer.seconds:.1f}", rate, f"{answer.megabytes:.0f}"))
    said.add(f"## {count:,} sequences, once each, by one process")
    said.table(("format", "from", "s", "sequences/s", "peak MB so far"), rows)


def main() -> None:
    """Read the options, measure, print."""
    parser = arguments(__doc__, "rank_limits")
    parser.add_argument("--large", type=int, default=0, help="also one pass over so many sequences")
    options = parser.parse_args()
    hush()
    said = report("rank_limits", "Ranking and the machine's limits", options)
    counts = {"smoke": (300,), "quick": (1000, 20_000), "full": (1000, 100_000)}[options.size]
    rounds = {"smoke": 1, "quick": 3, "full": 7}[options.size]
    said.add(f"{GATE} as gate, {SCORE} as score, at a threshold that a tenth of random sequences passes.")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        pair = default_pair(folder / "pair")
        bench = Bench.of(pair, options.threads, stack)
        plain = files(folder, counts)
        made = {count: formats(folder, path, count) for count, path in plain.items()}
        endpoint = stack.enter_context(serve_apart(folder, LATENCY, RATE))
        roofline(said, bench, pair, plain[counts[-1]], counts[-1], rounds, PRODUCTS[options.size])
        sources(said, bench, made, endpoint, rounds)
        if options.large:
            large(said, bench, folder, endpoint, options.large)
    said.finish()


if __name__ == "__main__":
    main()
