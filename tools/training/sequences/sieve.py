"""A cheaper network before the gate: how many rows it would spare the gate, and how many it would reject wrongly.

    python -m tools.training.sequences.sieve stability50.csv.gz --windows windows50.txt.gz

The sieve is the smallest student of `front`; the gate is the one that ships. The sieve's threshold is the highest that
loses none of the even rows that pass the gate, less a margin; what it loses is counted on the odd ones, which it was
not chosen on.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.training.sequences import convert, front, pipeline, train
from tools.training.sequences.data import GATE, Codes, Scores, load, load_windows, mutants, split

MARGINS = (0.0, 0.1, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Sieved:
    """Rows judged, rows that pass the gate, of these rejected by the sieve, and the share that the gate is spared."""

    rows: int
    passing: int
    wrong: int
    spared: float


def sieved(sieve: Scores, gate: Scores, margin: float = 0.0) -> Sieved:
    """Choose the threshold on the even rows, where some pass, and judge it on the odd ones."""
    cut = sieve[::2][gate[::2] > 0].min() - margin
    rejected, passing = sieve[1::2] < cut, gate[1::2] > 0
    return Sieved(len(passing), int(passing.sum()), int((rejected & passing).sum()), float(rejected.mean()))


def _timed(content: bytes, codes: Codes, threads: int) -> tuple[Scores, float]:
    began = time.perf_counter()
    scores = convert.score(content, codes, threads)
    return scores, time.perf_counter() - began


def told(name: str, sieve: bytes, gate: bytes, codes: Codes, threads: int) -> str:
    """Return what a sieve would do on rows of a kind, a line for each margin."""
    (coarse, cheap), (fine, whole) = _timed(sieve, codes, threads), _timed(gate, codes, threads)
    lines = []
    for margin in MARGINS:
        found = sieved(coarse, fine, margin)
        share = (cheap + whole * (1 - found.spared)) / whole
        rows = f"{found.rows:,} rows, {found.passing:,} pass the gate, {found.wrong} of them wrongly rejected"
        lines.append(
            f"{name}, margin {margin}: {rows}; spared {found.spared:.0%}, time {share:.2f} of the gate's alone"
        )
    return "\n".join(lines)


def main() -> None:
    """Train the sieve where it is not kept, and print what it would do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="stability50.csv.gz")
    parser.add_argument("--windows", type=Path, required=True, help="natural sequences, one a line, gzip")
    parser.add_argument("--gate", type=Path, default=Path(f"models/stability-{GATE}/2/model.tflite"))
    parser.add_argument("--kept", type=Path, default=Path("build/sequences"), help="where `front` keeps its students")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    proteins, windows = load(options.data), load_windows(options.windows, 10**9)
    setup = pipeline.Setup(proteins, windows[: train.WINDOWS], 3, 2, options.kept)
    student = pipeline.students(setup, 0, {"sieve": front.SHAPES["32x1"]})["sieve"]
    sieve, gate = convert.convert_student(student, 0, 0.0), options.gate.read_bytes()
    unseen = split(proteins, 0)[1].codes
    kinds = {"natural windows": windows[train.WINDOWS :], "measured proteins of fold 0": unseen}
    kinds["their mutants"] = mutants(np.repeat(unseen, 10, axis=0), train.MOST_MUTATIONS, np.random.default_rng(11))
    for name, codes in kinds.items():
        print(told(name, sieve, gate, codes, options.threads))


if __name__ == "__main__":
    main()
