"""Texts one by one and side by side: `python -m benchmarks.side_by_side BUNDLE [--size quick]`.

The same classifier, in turn: one network of two threads, a text at a time, against a network of one thread for each
processor, fed from one queue. Both have to give the same bits. Times are from token ids to scores, warm.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from assay.jobs.classify_files import AT_ONCE
from assay.models.loading import LoadedModel, load_folder
from assay.models.parallel_runs import PAYS
from assay.models.text_classifier import Ids, Scores, TextClassifier
from benchmarks.classify_peers import abstracts, ids
from benchmarks.contest import SETTLE
from benchmarks.measuring import Report, Times, arguments, hush, in_turn, report, time_act

COUNTS: Final = {"smoke": (8,), "quick": (2, 8), "full": (1, 2, 8, 32)}
LENGTHS: Final = {"smoke": (32,), "quick": (64, 256), "full": (32, 64, 128, 256)}
ROUNDS: Final = {"smoke": 1, "quick": 5, "full": 7}
SHARD: Final = {"smoke": 16, "quick": 64, "full": 128}
Act = Callable[[list[Ids]], Scores]


class OneByOne(LoadedModel):
    """A model that never runs side by side."""

    parallel_runs = None


def in_lots(act: Act, windows: list[Ids]) -> Scores:
    """Return the scores of texts as a shard has them run."""
    return np.concatenate([act(windows[at : at + AT_ONCE]) for at in range(0, len(windows), AT_ONCE)])


def time_settled(act: Callable[[], object]) -> float:
    """Return the seconds of an act, once the threads of what ran before have stopped spinning."""
    time.sleep(SETTLE)
    return time_act(act)


def time_texts(ways: dict[str, Act], windows: list[Ids], rounds: int) -> dict[str, Times]:
    """Return the times of both ways on the same texts. Raises SystemExit where their bits differ."""
    if len({act(windows).tobytes() for act in ways.values()}) > 1:
        raise SystemExit("the ways differ")
    return in_turn({name: partial(time_settled, partial(act, windows)) for name, act in ways.items()}, rounds)


def show_share(times: dict[str, Times]) -> list[str]:
    """Return both times in ms, and the share of the time that side by side takes."""
    one, other = times.values()
    return [one.show(), other.show(), f"{other.median / one.median:.2f}"]


def measure_making(model: LoadedModel) -> str:
    """Have the networks made that run side by side; return how long that and their first runs take, in ms."""
    first = [{each.name: np.ones((1, 16), each.dtype) for each in model.manifest.inputs}] * model.threads

    def make() -> None:
        if model.parallel_runs is not None and model.parallel_runs.expect(PAYS):
            model.parallel_runs.run(first)

    return f"{time_act(make) * 1000:.0f} ms"


def add_tables(said: Report, ways: dict[str, Act], size: str, longest: int) -> None:
    """Add the table of texts of one length, and that of a shard's abstracts."""
    rows: list[Sequence[str]] = []
    for count in COUNTS[size]:
        for length in LENGTHS[size]:
            windows = [np.array(ids(length, seed), np.int32) for seed in range(count)]
            rows.append([str(count), str(length), *show_share(time_texts(ways, windows, ROUNDS[size]))])
    head = ["ms, median (fastest-slowest): one by one", "side by side", "share of the time"]
    said.table(["texts", "tokens each", *head], rows)
    windows = [np.array(each, np.int32) for each in abstracts(SHARD[size], longest)]
    lots: dict[str, Act] = {name: partial(in_lots, act) for name, act in ways.items()}
    said.add(f"## {len(windows)} abstracts of mixed length, {AT_ONCE} at once as in a job's shard")
    said.table(["texts", *head], [[str(len(windows)), *show_share(time_texts(lots, windows, min(ROUNDS[size], 3)))]])


def main() -> None:
    """Parse the command line and measure."""
    parser = arguments(__doc__, "side_by_side")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    options = parser.parse_args()
    hush()
    model = load_folder(options.bundle, options.threads)
    single = OneByOne(model.manifest, model.folder, model.runner, options.threads)
    said = report("side_by_side", f"Texts side by side: {model.manifest.name} {model.manifest.version}", options)
    said.add(f"The networks and their first runs take {measure_making(model)}, once.")
    ways: dict[str, Act] = {
        "one by one": TextClassifier(single)._windows,
        "side by side": TextClassifier(model)._windows,
    }
    add_tables(said, ways, options.size, model.longest)
    said.finish()


if __name__ == "__main__":
    main()
