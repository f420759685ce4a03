"""Quality against speed: students of several shapes, from the same teachers, on the same held-out proteins.

    python -m tools.training.sequences.front stability50.csv.gz docs/images/front.png --windows windows50.txt.gz

Prints the table and draws the plot. Rates are medians of seven runs on all given threads, one model at a time: leave
the machine alone meanwhile. Trained students are kept, so that rates can be measured again.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tools.training.sequences import convert, pipeline, plots, train
from tools.training.sequences.data import LENGTH, PROTEASES, STABLE, Proteins, load, load_windows, split
from tools.training.sequences.metrics import report, top_truth
from tools.training.sequences.network import StudentShape

SHAPES = {
    "32x1": StudentShape(width=32),
    "48x1": StudentShape(width=48),
    "64x1": StudentShape(),
    "96x2": StudentShape(width=96, blocks=2),
    "64x1, stride 1": StudentShape(stride=1),
    "64x1, stride 4": StudentShape(stride=4),
    "96x1, stride 4": StudentShape(width=96, stride=4),
    "64x2, dilated": StudentShape(kernel=3, blocks=2, dilation=2),
    "64x2, depthwise": StudentShape(kernel=9, blocks=2, separable=True),
}
ROWS = 51_200
RUNS = 7
_QUALITIES = (*PROTEASES, *(f"{protease}_design" for protease in PROTEASES))


def rate(content: bytes, threads: int) -> float:
    """Return sequences/s of one LiteRT model, median of RUNS."""
    codes = np.random.default_rng(0).integers(0, 20, (ROWS, LENGTH), np.uint8)
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        convert.score(content, codes, threads)
        seconds.append(time.perf_counter() - began)
    return ROWS / statistics.median(seconds)


def row(name: str, contents: list[bytes], unseen: Proteins, threads: int) -> dict[str, Any]:
    """Return one line of the table: Spearman by protease over all kinds, truth of the top 100, sequences/s."""
    predicted = np.stack([convert.score(content, unseen.codes) for content in contents], 1)
    served = predicted - np.array([STABLE, 0], np.float32)
    found = report(unseen, served)
    return {
        "name": name,
        **{protease: found[protease]["spearman_all"] for protease in PROTEASES},
        **{f"{protease}_design": found[protease]["spearman_design"] for protease in PROTEASES},
        "top": top_truth(unseen, served)(np.arange(len(unseen))),
        "rate": rate(contents[0], threads),
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the front as Markdown."""
    head = ("width x blocks", *PROTEASES, *(f"{protease}, designs" for protease in PROTEASES), "top 100 stable", "rate")
    lines = [
        (each["name"], *(f"{each[key]:.3f}" for key in _QUALITIES), f"{each['top']:.2f}", f"{each['rate']:,.0f}")
        for each in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def main() -> None:
    """Train what is not kept yet, measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="stability50.csv.gz")
    parser.add_argument("plot", type=Path, help="PNG to write")
    parser.add_argument("--windows", type=Path, help="natural sequences to distil on, one a line, gzip")
    parser.add_argument("--kept", type=Path, default=Path("build/sequences"), help="where unfinished work is kept")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    proteins = load(arguments.data)
    setup = pipeline.Setup(proteins, load_windows(arguments.windows, train.WINDOWS), 3, 2, arguments.kept)
    unseen = split(proteins, 0)[1]
    students = pipeline.students(setup, 0, SHAPES)
    rows = [
        row(name, [convert.convert_student(student, head, 0.0) for head in range(2)], unseen, arguments.threads)
        for name, student in students.items()
    ]
    print(table(rows))
    plots.front(rows, arguments.plot)


if __name__ == "__main__":
    main()
