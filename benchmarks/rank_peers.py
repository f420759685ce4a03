"""Ranking against its peers, from a file's bytes to its best 100, in turn: `python -m benchmarks.rank_peers`.

Two contests. Linear: a pair of scikit-learn models in the pipeline that Assay replaces, and the same pair imported by
`assay models import`. Default: the pair that ships, and its networks rebuilt with the same weights in Keras, PyTorch,
ONNX Runtime, OpenVINO and LiteRT's other forms, each at the batch that suits it best. The pair computes in integers,
its peers in floats with the same weights. `make peers` installs them; the missing are left out.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from assay.models.loading import SequenceScorer, load_folder
from benchmarks.contest import ROOT, Way, contest_environment, draw_by_peers, interpreter, start_ways
from benchmarks.measuring import Report, Times, arguments, hush, in_turn, report
from benchmarks.peers.sequences import encode_lines
from benchmarks.rank import GATE, MODELS, SCORE, random_lines
from tools.models.importers.result import ImportRequest
from tools.models.importing import make_bundle
from tools.models.shipped import newest

PAIR: Final = ("gate", "score")
REPLACED: Final = "replaced"
LINEAR: Final = ("assay", REPLACED)
NETWORKS: Final = (
    "assay",
    "rank-litert-float32",
    "rank-litert-int8",
    "keras-predict",
    "rank-pytorch",
    "rank-onnxruntime",
    "rank-openvino",
    "rank-openvino-float32",
)
BATCHES: Final = (64, 256, 1024, 4096)
TOLERANCE: Final = 0.002
Table = Mapping[str, Times]
LOOSE: Final = 0.1
"""Of the default pair, which rounds to integers what its peers keep as floats."""


def files(folder: Path, counts: Sequence[int]) -> dict[int, Path]:
    """Write files of so many sequences, plain lines."""
    made = {}
    for count in counts:
        made[count] = folder / f"{count}.txt"
        with made[count].open("wb") as target:
            for start in range(0, count, 100_000):
                lines = random_lines(min(count - start, 100_000), seed=3 + start)
                target.write(b"".join(line + b"\n" for line in lines))
    return made


def default_pair(folder: Path) -> Path:
    """Copy the default models to `gate` and `score`."""
    for place, name in zip(PAIR, (GATE, SCORE), strict=True):
        shutil.copytree(newest(MODELS, name), folder / place / "1")
    return folder


def linear_pair(folder: Path) -> Path | None:
    """Have scikit-learn write a pair and import it; None where it is not installed."""
    command = [interpreter(), "-m", "benchmarks.peers.linear_pair", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=contest_environment(1), capture_output=True, check=False)
    if done.returncode:
        return None
    for name in PAIR:
        make_bundle(ImportRequest(folder / f"{name}.pkl"), "sklearn", name, "1", "", folder / "linear" / name / "1")
    return folder


@dataclass(frozen=True)
class Field:
    """What a contest runs on: a folder of models, the gate's threshold, files by their number of sequences.

    A `large` file is ranked once.
    """

    folder: Path
    threshold: float
    inputs: Mapping[int, Path]
    large: Mapping[int, Path] = field(default_factory=dict)

    def task(self, count: int, rows: int = 256) -> dict[str, Any]:
        """Return the task of one file."""
        return {"path": str({**self.large, **self.inputs}[count]), "rows": rows, "threshold": self.threshold}


def threshold(pair: Path) -> float:
    """Return what a tenth of random sequences has a gate over: hardly any passes the default pair's zero."""
    gate = SequenceScorer(load_folder(pair / "gate/1", 1))
    lines = b"".join(line + b"\n" for line in random_lines(5000, seed=1))
    return float(np.quantile(gate.score(encode_lines(lines)), 0.9))


def time_ranking(way: Way, task: Mapping[str, Any]) -> float:
    """Return the seconds of ranking a file."""
    return way.run(task).seconds


def best_batches(ways: Mapping[str, Way], field: Field, count: int) -> dict[str, int]:
    """Return for each way the batch at which it ranks a file fastest; Assay's is its models'."""
    found = dict.fromkeys(ways, 256)
    for name, way in ways.items():
        if name not in LINEAR:
            times = in_turn({str(rows): partial(time_ranking, way, field.task(count, rows)) for rows in BATCHES}, 2)
            found[name] = int(min(times, key=lambda rows: times[rows].least))
    return found


def differences(ways: Mapping[str, Way], task: Mapping[str, Any]) -> dict[str, float]:
    """Return how far each way's best scores are from Assay's."""
    outputs = {name: np.array(way.run(task).output["scores"]) for name, way in ways.items()}
    first = outputs["assay"]
    return {n: float(np.abs(o - first).max()) if o.shape == first.shape else np.inf for n, o in outputs.items()}


def contest(said: Report, title: str, names: Sequence[str], field: Field, rounds: int, threads: int) -> None:
    """Measure the ways on every size, and add their table."""
    with start_ways(names, field.folder, threads) as (ways, absent):
        if absent:
            said.add("Left out: " + "; ".join(f"{name}: {why}" for name, why in absent.items()))
        counts = sorted(field.inputs)
        found = differences(ways, field.task(counts[0]))
        allowed = TOLERANCE if REPLACED in names else LOOSE
        for name in [n for n, each in found.items() if each > allowed]:
            said.add(f"**{name} is left out: its best scores differ by {found[name]:.3g}.**")
            ways.pop(name)
        batches = best_batches(ways, field, counts[len(counts) // 2])
        tables = {count: measure_counts(ways, field, count, batches, rounds) for count in counts}
        rates = [f"{n:,}: sequences/s" for n in counts]
        head = (
            "way",
            "rows a run",
            "difference",
            *rates,
            *(f"x at {n:,}" for n in counts),
            "MB at start",
            "MB at the end",
        )
        if said.keep:
            series = {name: [count / tables[count][name].median for count in counts] for name in ways}
            drawn = {"title": f"Ranking a file, {title}", "groups": [f"{n:,} sequences" for n in counts]}
            draw_by_peers(
                said.images, bars={**drawn, "file": f"rank-{title.split()[0]}", "unit": "sequences/s", "series": series}
            )
        said.table(head, [[*_row(name, batches, found, tables), *_memory(ways[name], field)] for name in ways])
        rank_once(said, ways, field, batches)


def rank_once(said: Report, ways: Mapping[str, Way], field: Field, batches: Mapping[str, int]) -> None:
    """Add one run of each way on the large file; what is replaced holds all of it in memory, and is left out."""
    for count in field.large:
        rows = []
        for name in [each for each in ways if each != REPLACED]:
            answer = ways[name].run(field.task(count, batches[name]))
            rows.append((name, f"{answer.seconds:.1f}", f"{count / answer.seconds:,.0f}", f"{answer.megabytes:.0f}"))
        said.add(f"{count:,} sequences, once each:")
        said.table(("way", "s", "sequences/s", "peak MB"), rows)


def _memory(way: Way, field: Field) -> list[str]:
    return [f"{each:.0f}" for each in (way.about["megabytes"], way.run(field.task(min(field.inputs))).megabytes)]


def measure_counts(ways: Mapping[str, Way], field: Field, count: int, batches: Mapping[str, int], rounds: int) -> Table:
    """Return the times of every way on a file, the first run of each not counted."""
    acts = {name: partial(time_ranking, way, field.task(count, batches[name])) for name, way in ways.items()}
    in_turn(acts, 1)
    return in_turn(acts, rounds)


def _row(name: str, batches: Mapping[str, int], found: Mapping[str, float], tables: Mapping[int, Table]) -> list[str]:
    rates = [f"{count / times[name].median:,.0f}" for count, times in tables.items()]
    ratios = [f"{times[name].median / times['assay'].median:.2f}" for times in tables.values()]
    return [name, str(batches[name]) if name not in LINEAR else "its own", f"{found[name]:.2g}", *rates, *ratios]


def main() -> None:
    """Read the options, measure, print."""
    parser = arguments(__doc__, "rank_peers")
    parser.add_argument("--large", type=int, default=0, help="also one pass of each over so many sequences")
    options = parser.parse_args()
    hush()
    said = report("rank_peers", "Ranking and its peers", options)
    counts = {"smoke": (500,), "quick": (1000, 20_000), "full": (1000, 100_000)}[options.size]
    rounds = {"smoke": 1, "quick": 3, "full": 7}[options.size]
    said.add("Medians in turn; x is how many times as long as Assay. Difference: of the best 100 scores from Assay's.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs, large = files(folder, counts), files(folder, [options.large] if options.large else [])
        said.add("## The replaced pipeline: a pair of linear models")
        linear = linear_pair(folder / "linear-pair")
        if linear is None:
            said.add("Left out: scikit-learn is not installed (`make peers`).")
        else:
            contest(said, "linear pair", LINEAR, Field(linear, 0.0, inputs, large), rounds, options.threads)
        pair = default_pair(folder / "pair")
        field = Field(pair, threshold(pair), inputs, large)
        said.add(
            f"## The default pair: {GATE} as gate, {SCORE} as score",
            f"A tenth passes the threshold, {field.threshold:.3f}: of random sequences hardly any passes zero.",
        )
        contest(said, "default pair", NETWORKS, field, rounds, options.threads)
    said.finish()


if __name__ == "__main__":
    main()
