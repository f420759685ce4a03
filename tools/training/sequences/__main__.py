"""Train, measure and bundle the default rank models.

    python -m tools.training.sequences stability50.csv.gz models --windows windows50.txt.gz

One fold of protein clusters is held out: neither the teachers nor the shipped weights saw it, and the metrics in the
manifests are those of the shipped files on it. `--cross-validate` also trains without each of the other folds. That
shows how much of the figures is chance, and fits the gate's zero on proteins that those networks never saw. The command
continues where it stopped.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tools.training.sequences.fitting import WINDOWS
from tools.training.sequences.pair_bundles import bundle_head
from tools.training.sequences.pair_metrics import across
from tools.training.sequences.pipeline import FoldOutcome, Setup, find_even_point, fold, outcome
from tools.training.sequences.proteins_data import GATE, PROTEASES, load_windows, read_proteins

FOLDS = range(5)


def export_pair(outcomes: Sequence[FoldOutcome], arguments: argparse.Namespace) -> None:
    """Write the bundles of the first fold's pair, with its metrics and those of the others beside them."""
    for name in PROTEASES:
        folds = across([outcome.metrics[name] for outcome in outcomes])
        metrics = outcomes[0].metrics[name] | ({"cross_validation": folds} if len(outcomes) > 1 else {})
        folder = arguments.out / f"stability-{name}" / arguments.version
        zero = {"gate_zero": round(outcomes[0].zero, 4)} if name == GATE else {}
        bundle_head(folder, name, outcomes[0], metrics, manifest_provenance(arguments) | zero)


def manifest_provenance(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return where the weights come from."""
    return {
        "data": "Rocklin et al., Science 357:168 (2017), doi:10.1126/science.aan0693",
        "held_out": f"fold {arguments.held_out}",
        "trained_on": "the other four of five cluster-safe folds",
        "method": (
            f"Residual convolutional teachers ({arguments.teachers}), fitted to both stability scores and both EC50, "
            "distilled into one small network a protease on the measured proteins, their random mutants and natural "
            "windows. Then int8, the last layer float32, with ranges from proteins and windows of the training."
        ),
    }


def main() -> None:
    """Parse the command line, train, and write both bundles and cards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="stability50.csv.gz")
    parser.add_argument("out", type=Path, help="folder that receives stability-chymotrypsin/ and stability-trypsin/")
    parser.add_argument("--windows", type=Path, help="natural sequences to distil on, one a line, gzip")
    parser.add_argument("--teachers", type=int, default=3, help="more smooth the targets; each costs an equal time")
    parser.add_argument("--copies", type=int, default=2, help="mutants of each protein that the students learn from")
    parser.add_argument("--held-out", type=int, default=0, choices=FOLDS, help="fold that is never trained on")
    parser.add_argument("--cross-validate", action="store_true", help="also train without each of the other folds")
    parser.add_argument("--kept", type=Path, default=Path("build/sequences"), help="where unfinished work is kept")
    parser.add_argument("--version", default="3")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    windows = load_windows(arguments.windows, WINDOWS)
    setup = Setup(read_proteins(arguments.data), windows, arguments.teachers, arguments.copies, arguments.kept)
    others = [each for each in FOLDS if each != arguments.held_out] if arguments.cross_validate else []
    folds = [fold(setup, held_out) for held_out in (arguments.held_out, *others)]
    outcomes = [outcome(each, find_even_point([other for other in folds if other is not each])) for each in folds]
    for each in outcomes:
        print(json.dumps({"zero": each.zero, **each.metrics, "teachers": each.teachers}))
    export_pair(outcomes, arguments)


if __name__ == "__main__":
    main()
