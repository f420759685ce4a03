"""What the benchmarks share: the machine in words, times and their spread, ways measured in turn, reports."""

import argparse
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

RESULTS: Final = Path(__file__).parent / "results"
IMAGES: Final = RESULTS.parents[1] / "docs/images"
CLOCK: Final = "ASSAY_BENCH_CLOCK"
SIZES: Final = ("smoke", "quick", "full")
Size = Literal["smoke", "quick", "full"]
_EXTENSIONS: Final = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_int8",
    "amx_bf16",
    "asimd",
    "asimddp",
    "sve",
)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of repeated runs of one thing."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median in seconds."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """The fastest run: what is left when nothing else had the machine."""
        return min(self.seconds)

    def show(self, unit: Literal["s", "ms"] = "ms") -> str:
        """Return the median and, in brackets, the fastest and the slowest run."""
        factor = {"s": 1, "ms": 1000}[unit]
        median, least, most = (f"{each * factor:.3g}" for each in (self.median, self.least, max(self.seconds)))
        return f"{median} ({least}-{most})" if len(self.seconds) > 1 else median


def now() -> float:
    """Return the time in seconds: the wall's, or with --clock cpu what this process's threads have computed."""
    return time.process_time() if os.environ.get(CLOCK) == "cpu" else time.perf_counter()


def time_act(act: Callable[[], object]) -> float:
    """Return the seconds that an act takes."""
    began = now()
    act()
    return now() - began


def in_turn(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """Measure every way once in each round, every other round backwards, so that what the machine does hits all."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in list(ways)[:: -1 if turn % 2 else 1]:
            found[name].append(ways[name]())
    return {name: Times(tuple(seconds)) for name, seconds in found.items()}


def describe_machine() -> str:
    """Return the processor, how many cores, which of its extensions matter here, and Python's version."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    known = " ".join(each for each in _EXTENSIONS if each in flags)
    name = facts.get("model name") or platform.machine()
    return f"{name}, {os.cpu_count()} cores ({known or 'no known extensions'}), Python {platform.python_version()}"


def load_averages() -> str:
    """Return the load averages: over the number of cores, something else had the machine too."""
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass
class Report:
    """A result: printed as it grows, written to NAME.md in `folder` where asked for, its plots to `images`."""

    name: str
    title: str
    command: str
    keep: bool = False
    folder: Path = RESULTS
    _parts: list[str] = field(default_factory=list)
    _began: str = field(default_factory=load_averages)

    @property
    def images(self) -> Path:
        """Where plots go: those of the results that are shown are among the pictures of the pages."""
        return IMAGES if self.folder == RESULTS else self.folder

    def add(self, *parts: str) -> None:
        """Add paragraphs."""
        for part in parts:
            print(f"{part}\n", flush=True)
            self._parts.append(part)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Add a table."""
        self.add(markdown(head, rows))

    def finish(self) -> str:
        """Return the whole text with the machine and the load averages before and after; write it where asked for."""
        header = (
            f"`{self.command}`\n\n{describe_machine()}. Load averages {self._began} before, {load_averages()} after."
        )
        text = "\n\n".join([f"# {self.title}", header, *self._parts]) + "\n"
        if self.keep:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{self.name}.md").write_text(text, "utf-8")
        return text


def arguments(about: str | None, program: str) -> argparse.ArgumentParser:
    """Return a parser with the options that every benchmark has: --size, --threads, --write, --results."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{program}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="full", help="smoke: seconds; quick: minutes; full (default)")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    clocks = "cpu: seconds of computing, for one thread on a machine that others use too; wall (default)"
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help=clocks)
    parser.add_argument("--write", action="store_true", help="also write the tables, and with matplotlib the plots")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="where (benchmarks/results)")
    return parser


def peak_megabytes() -> float:
    """Return this process's peak resident memory; Linux's ru_maxrss would count the parent's too."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else []:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def hush() -> None:
    """Have this process, a benchmark's own, neither log nor emit metrics."""
    from assay.telemetry import logger

    logger.set_level("CRITICAL")
    os.environ["POWERTOOLS_METRICS_DISABLED"] = "true"


def report(name: str, title: str, options: argparse.Namespace) -> Report:
    """Return an empty report of a program that was started with these options."""
    os.environ[CLOCK] = options.clock
    command = f"python -m benchmarks.{name} --size {options.size} --threads {options.threads} --clock {options.clock}"
    return Report(name if options.clock == "wall" else f"{name}-cpu", title, command, options.write, options.results)
