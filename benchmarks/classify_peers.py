"""Assay and its peers on one network of SciBERT's size, in turn: `python -m benchmarks.classify_peers [--size quick]`.

The network has random weights (`benchmarks.scibert`); `make peers` installs the peers, and `python -m
benchmarks.peers.forms FOLDER` writes the network in each one's form. Times are from token ids to logits, warm; the
start is from process start to the first answer, imports included, files on disk. What is not installed is left out.
"""

import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.contest import ROOT, Way, draw_by_peers, start_ways
from benchmarks.measuring import Report, Times, arguments, in_turn, report
from benchmarks.peers.text_ways import WAYS
from tools.models.shipped import newest

FORMS: Final = ROOT / "build/peers"
SHIPPED: Final = newest(ROOT / "models", "arxiv-archives")
ASSAY: Final = "assay-int8"
REPLACED: Final = "tensorflow-512"
FIRST_PIECE: Final = 104
PIECES: Final = 5000
"""Both vocabularies, the shipped classifier's and SciBERT's, are longer."""
TOLERANCE: Final[Mapping[str, float]] = {"int8": 0.25, "float32": 0.002, "openvino": 0.05}
REFERENCES: Final = ("pytorch", "onnxruntime-float32", "assay-float32")
PLANS: Final[Mapping[str, Mapping[int, tuple[int, ...]]]] = {
    "smoke": {1: (64,)},
    "quick": {1: (64, 192, 512)},
    "full": {1: (64, 128, 192, 256, 512), 8: (64, 128, 192, 256, 512)},
}
SLOW: Final = (REPLACED, "tensorflow", "pytorch", "assay-float32", "onnxruntime-float32", "openvino-float32")


def ids(tokens: int, seed: int) -> list[int]:
    """Return a text of so many tokens, the first and last special."""
    drawn = random.Random(seed)
    return [2, *(drawn.randrange(FIRST_PIECE, PIECES) for _ in range(tokens - 2)), 3]


def abstracts(count: int, longest: int = 512) -> list[list[int]]:
    """Return texts as long as abstracts are: 40 tokens to the longest, most 120 to 300, the middle one near 200."""
    drawn = random.Random(4)
    lengths = [min(longest, max(40, round(drawn.lognormvariate(5.3, 0.38)))) for _ in range(count)]
    return [ids(length, seed) for seed, length in enumerate(lengths)]


def task(lengths: int, batch: int) -> dict[str, Any]:
    """Return a batch of texts of one length."""
    return {"ids": [ids(lengths, seed) for seed in range(batch)], "rows": batch}


def allow_difference(name: str) -> float:
    """Return how far from the reference a way's logits may be."""
    return next((most for part, most in TOLERANCE.items() if name.endswith(part)), TOLERANCE["float32"])


def compare_logits(ways: Mapping[str, Way], reference: str) -> dict[str, float]:
    """Return the greatest difference of logits from the reference's, on texts of several lengths, padded together."""
    asked = {"ids": [ids(length, 9) for length in (16, 40, 64)], "rows": 3}
    outputs = {name: np.array(way.run(asked).output) for name, way in ways.items()}
    return {name: float(np.abs(output - outputs[reference]).max()) for name, output in outputs.items()}


def measure_ways(ways: Mapping[str, Way], asked: Mapping[str, Any], rounds: int) -> dict[str, Times]:
    """Return the times of every way."""
    for way in ways.values():
        way.run(asked)
    acts: dict[str, Callable[[], float]] = {name: partial(_seconds, way, asked) for name, way in ways.items()}
    return in_turn(acts, rounds)


def _seconds(way: Way, asked: Mapping[str, Any]) -> float:
    return way.run(asked).seconds


def versus(times: Mapping[str, Times], name: str) -> str:
    """Return how many times as long as Assay a way takes."""
    return f"{times[name].median / times[ASSAY].median:.2f}"


def compare_lengths(said: Report, ways: Mapping[str, Way], plan: Mapping[int, tuple[int, ...]], rounds: int) -> None:
    """Add a table of texts of one length, for each batch."""
    for batch, sizes in plan.items():
        turns = rounds if batch == 1 else min(rounds, 3)
        columns = [measure_ways(ways, task(size, batch), turns) for size in sizes]
        said.add(f"## Batch of {batch}: ms a batch, median of {turns} (fastest-slowest); x: times as long as {ASSAY}")
        head = ("way", *(f"{size} tokens" for size in sizes), *(f"x at {size}" for size in sizes))
        rows = [(n, *(c[n].show() for c in columns), *(versus(c, n) for c in columns)) for n in ways]
        said.table(head, rows)
        if said.keep:
            series = {name: [column[name].median * 1000 for column in columns] for name in ways}
            title = f"SciBERT-sized network, batch of {batch}, warm"
            groups = [f"{size} tokens" for size in sizes]
            drawn = {"file": f"classify-{batch}", "title": title, "unit": "ms", "groups": groups, "series": series}
            draw_by_peers(said.images, bars=drawn)


def compare_mixed(said: Report, ways: Mapping[str, Way], count: int, rounds: int) -> None:
    """Add the table of abstracts of mixed length; the slowest ways do fewer of them, once."""
    texts = abstracts(count)
    few = texts[: max(8, count // 8)]
    rows = []
    for batch in (1, 8, 32):
        chosen = {name: way for name, way in ways.items() if not (name.startswith("assay") and batch > 1)}
        quick = {name: way for name, way in chosen.items() if name not in SLOW}
        times = in_turn({n: partial(_seconds, way, {"ids": texts, "rows": batch}) for n, way in quick.items()}, rounds)
        slow = {name: chosen[name] for name in SLOW if name in chosen}
        once = in_turn({n: partial(_seconds, way, {"ids": few, "rows": batch}) for n, way in slow.items()}, 1)
        rows += [_rate(name, batch, each, count) for name, each in times.items()]
        rows += [_rate(name, batch, each, len(few)) for name, each in once.items()]
    middle = int(np.median([len(each) for each in texts]))
    said.add(f"## {count} abstracts of mixed length, {middle} tokens in the middle, {sum(map(len, texts)):,} in all")
    said.table(("way", "texts at once, padded to the longest", "abstracts/s", "measured on"), rows)


def _rate(name: str, batch: int, times: Times, count: int) -> tuple[str, ...]:
    shown = "by length, its own batches" if name.startswith("assay") else str(batch)
    return name, shown, f"{count / times.median:.2f}", f"{count}, {len(times.seconds)} times"


def compare_starts(said: Report, names: list[str], folder: Path, threads: int, rounds: int) -> None:
    """Add the table of process starts: each way is started anew in each round."""

    def begin(name: str) -> float:
        way = Way(name, folder, threads)
        way.close()
        return way.start_seconds

    times = in_turn({name: partial(begin, name) for name in names}, rounds)
    said.add("## From process start to the first answer (192 tokens), files on disk and in the file cache")
    rows = [(name, each.show("s"), versus(times, name)) for name, each in times.items()]
    said.table(("way", "s, median (fastest-slowest)", f"times {ASSAY}"), rows)


def compare_peers(said: Report, folder: Path, names: Sequence[str], size: str, threads: int) -> None:
    """Start the ways, check that they agree, measure."""
    rounds = {"smoke": 1, "quick": 3, "full": 7}[size]
    with start_ways(names, folder, threads) as (ways, absent):
        reference = next((name for name in REFERENCES if name in ways), ASSAY)
        differences = compare_logits(ways, reference)
        rows = [(n, f"{differences[n]:.4f}", f"{allow_difference(n)}", *_about(ways[n])) for n in ways]
        said.add(
            f"Greatest difference of logits from {reference}'s; peak memory after the first answer; AMX asked for:"
        )
        said.table(("way", "difference", "allowed", "MB", "asked for AMX"), rows)
        for name in [n for n, each in differences.items() if each > allow_difference(n)]:
            said.add(f"**{name} is left out of all tables: its answers are not the network's.**")
            ways.pop(name)
        if absent:
            said.add("Left out:", "\n".join(f"- {name}: {why}" for name, why in absent.items()))
        compare_lengths(said, ways, PLANS[size], rounds)
        compare_mixed(said, ways, {"smoke": 4, "quick": 16, "full": 256}[size], {"full": 3}.get(size, 1))
        running = list(ways)
    compare_starts(said, running, folder, threads, {"smoke": 1, "quick": 1, "full": 3}[size])


def _about(way: Way) -> list[str]:
    return [f"{way.about['megabytes']:.0f}", "yes" if way.about["amx"] else "no"]


def stand_in(folder: Path) -> Path:
    """Return a folder in which the shipped classifier stands for the large network: where only Assay is installed."""
    shutil.copytree(SHIPPED, folder / "scibert-litert/1")
    return folder


def main() -> None:
    """Read the options, measure, print."""
    parser = arguments(__doc__, "classify_peers")
    parser.add_argument("--forms", type=Path, default=FORMS, help="what benchmarks.peers.forms wrote")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), help="contestants (all: 9 GB)")
    options = parser.parse_args()
    said = report("classify_peers", "Classification and its peers", options)
    with tempfile.TemporaryDirectory() as name:
        folder = options.forms if (options.forms / "scibert-litert").is_dir() else stand_in(Path(name))
        if folder != options.forms:
            said.add("The network of SciBERT's size is not here: `assay-int8` is the shipped classifier.")
        compare_peers(said, folder, options.ways, options.size, options.threads)
    said.finish()


if __name__ == "__main__":
    main()
