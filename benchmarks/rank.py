"""How fast sequences are ranked, and in how much memory: `python -m benchmarks.rank [FILE]`.

Each line of the table is a separate process, so that it shows that run's peak memory. The file is read in chunks, as
from S3. Without FILE, seeded random sequences are written to a temporary folder in each format.
"""

import argparse
import gzip
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.models.loading import SequenceScorer, load_folder
from assay.options import RankOptions
from assay.ranking.ranker import Scorer, rank_blocks
from assay.sequences.blocks import Block
from assay.sequences.contract import DEFAULT
from assay.sequences.formats import sniff_format
from assay.sequences.parsing import parse
from assay.text.compression import gunzip
from benchmarks.measuring import describe_machine, peak_megabytes

MODELS: Final = Path(__file__).parent.parent / "models"
GATE: Final = "stability-chymotrypsin"
SCORE: Final = "stability-trypsin"
CHUNK: Final = 8 << 20
FOUR: Final = "lines, 4 times"
REPLACED: Final = 13_800


class Case(NamedTuple):
    """What one line of the table measures."""

    label: str
    path: Path
    phase: str
    runs: int
    threads: int


class Measure(NamedTuple):
    """What came of it: records received, median seconds of the runs, peak resident MB of the process."""

    received: int
    seconds: float
    megabytes: float


class Null:
    """A scorer that costs nothing: everything passes, scores are as random as a model's."""

    def __init__(self) -> None:
        self._scores = np.random.default_rng(5).uniform(0.5, 3, 1 << 20).astype(np.float32)

    def score(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return as many numbers as there are sequences."""
        return self._scores[: len(codes)]


def parse_file(path: Path) -> Iterator[Block]:
    """Read and parse a file in chunks, unpacking gzip."""
    with path.open("rb") as file:
        yield from parse_chunks(iter(lambda: file.read(CHUNK), b""), path.name)


def parse_chunks(chunks: Iterator[bytes], name: str) -> Iterator[Block]:
    """Parse a file's chunks, unpacking gzip."""
    first = next(chunks, b"")
    chunks = chain([first], chunks)
    if first.startswith(b"\x1f\x8b"):
        chunks = gunzip(chunks)
        first = next(chunks, b"")
        chunks = chain([first], chunks)
    yield from parse(chunks, sniff_format(first, filename=name))


def work(case: Case) -> Callable[[], int]:
    """Return what one run does; it gives the records received."""
    if case.phase == "parse":
        return lambda: sum(block.received for block in parse_file(case.path))
    gate, score = scorers(case)

    def rank() -> int:
        options = RankOptions(top_k=100)
        partial = rank_blocks(parse_file(case.path), gate, score, options, deduplicate=False, on_rejects=lambda _: None)
        return partial.counts.received

    return rank


def scorers(case: Case) -> tuple[Scorer, Scorer]:
    """Return the gate and the score model of a case."""
    if case.phase == "parse + top-k":
        return Null(), Null()
    # Beside PyTorch, tools.models loads its compiler: 75 MB that no other case's memory should have.
    from tools.models.shipped import newest

    gate, score = (load_folder(newest(MODELS, name), case.threads) for name in (GATE, SCORE))
    return SequenceScorer(gate), SequenceScorer(score)


def measure_case(case: Case) -> Measure:
    """Run a case, and return the median; loading has warmed the models up, and the first run the rest."""
    run = work(case)
    seconds, received = [], 0
    for _ in range(case.runs):
        start = time.perf_counter()
        received = run()
        seconds.append(time.perf_counter() - start)
    return Measure(received, statistics.median(seconds), peak_megabytes())


def measure_apart(cases: Iterable[Case]) -> Iterator[tuple[Case, Measure]]:
    """Measure each case in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for case in cases:
            yield case, pool.submit(measure_case, case).result()


def generate_formats(folder: Path, count: int) -> list[tuple[str, Path]]:
    """Write `count` sequences in each format, and four times as many as plain lines."""
    lines = [text.decode() for text in random_lines(count)]
    texts = {
        "lines": ("lf.txt", "\n".join(lines)),
        "lines, CRLF": ("crlf.txt", "\r\n".join(lines)),
        "lines, 1 in 1000 bad": (
            "bad.txt",
            "\n".join("X" if at % 1000 == 0 else line for at, line in enumerate(lines)),
        ),
        FOUR: ("four.txt", "\n".join(lines * 4)),
        "FASTA": ("records.fasta", "\n".join(f">p{at}\n{line}" for at, line in enumerate(lines))),
        "CSV": ("table.csv", "\n".join(["id,sequence", *(f"p{at},{line}" for at, line in enumerate(lines))])),
    }
    for name, text in texts.values():
        (folder / name).write_bytes(text.encode())
    (folder / "lf.txt.gz").write_bytes(gzip.compress(texts["lines"][1].encode(), 6))
    return [*((label, folder / name) for label, (name, _) in texts.items()), ("lines, gzip", folder / "lf.txt.gz")]


def random_lines(count: int, seed: int = 3) -> list[bytes]:
    """Return `count` seeded random sequences."""
    letters = np.frombuffer(DEFAULT.alphabet.encode(), np.uint8)
    drawn = letters[np.random.default_rng(seed).integers(0, len(letters), (count, DEFAULT.length))]
    return [row.tobytes() for row in drawn]


def plan(inputs: list[tuple[str, Path]], runs: int, threads: int) -> Iterator[Case]:
    """Yield the cases: every input through the parser and top-k, those of plain lines through the models too."""
    for label, path in inputs:
        yield Case(label, path, "parse", runs, threads)
        yield Case(label, path, "parse + top-k", runs, threads)
    if not all((MODELS / name).is_dir() for name in (GATE, SCORE)):
        print("no default models here: end to end is left out", file=sys.stderr)
        return
    yield Case(*inputs[0], "end to end", runs, threads)
    for label, path in inputs[1:]:
        if label == FOUR:  # once: it is there for its memory
            yield Case(label, path, "end to end", 1, threads)


def show_rates(rows: Iterable[tuple[Case, Measure]]) -> None:
    """Print the table as the rows come."""
    print(f"{'input':<22}{'phase':<16}{'sequences':>11}{'seconds':>10}{'sequences/s':>14}{'peak RSS':>11}")
    for case, (received, seconds, megabytes) in rows:
        rate = received / seconds
        print(
            f"{case.label:<22}{case.phase:<16}{received:>11,}{seconds:>10.3f}{rate:>14,.0f}{megabytes:>8.0f} MB",
            flush=True,
        )


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rank", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="sequences as lines, FASTA or CSV, perhaps gzipped")
    parser.add_argument("--sequences", type=int, default=463_681, help="how many to generate where no file is given")
    parser.add_argument("--runs", type=int, default=5, help="runs that the median is of")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of each model")
    options = parser.parse_args()
    os.environ |= {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_DISABLED": "true"}  # for the children
    print(f"{describe_machine()}; medians of {options.runs}; end to end is {GATE} as gate, {SCORE} as score")
    with tempfile.TemporaryDirectory() as folder:
        given = (
            [(options.file.name, options.file)] if options.file else generate_formats(Path(folder), options.sequences)
        )
        show_rates(measure_apart(plan(given, options.runs, options.threads)))
    print(f"The system that Assay replaces: {REPLACED:,} sequences/s, 17 kB of memory a sequence, two linear models.")


if __name__ == "__main__":
    main()
