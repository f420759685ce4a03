"""Distil a pair without padding from an earlier version, so that windows of long proteins can be scanned.

    python -m tools.training.sequences.distil_pair stability50.csv.gz TEACHERS models --windows windows50.txt.gz

TEACHERS holds the bundles `stability-chymotrypsin/VERSION` and `stability-trypsin/VERSION`, which never saw the
held-out fold. One network learns both scores; each bundle has one of them.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import torch

from assay.models.manifest import read_manifest
from tools.models.scan_graph import score_rows
from tools.models.shipped import newest
from tools.models.static_quantization import quantize_static
from tools.training.sequences import convert, fitting
from tools.training.sequences.pair_bundles import bundle_head
from tools.training.sequences.pair_metrics import report_pair
from tools.training.sequences.pipeline import FoldOutcome
from tools.training.sequences.proteins_data import (
    GATE,
    PROTEASES,
    Codes,
    Proteins,
    Scores,
    load_windows,
    read_proteins,
    split,
)
from tools.training.sequences.stability_network import Student, StudentShape

SHAPE: Final = StudentShape(width=96, blocks=2, stem=10, valid=True)
RECIPE: Final = fitting.Recipe(4, 3e-3, 0.01)
COPIES: Final = 10
WINDOW_COPIES: Final = 4
"""A student without padding learns its teacher on new sequences from many mutants, not from many epochs."""


class Teachers:
    """The pair that is learned from: both scores of codes [N, 50], with what was taken off the gate put back."""

    def __init__(self, folder: Path) -> None:
        bundles = {name: newest(folder, f"stability-{name}") for name in PROTEASES}
        self.manifests = {name: read_manifest(bundle) for name, bundle in bundles.items()}
        self.zero = float(self.manifests[GATE].provenance["gate_zero"])
        self._contents = [(bundle / "model.tflite").read_bytes() for bundle in bundles.values()]

    def predict(self, codes: Codes) -> Scores:
        """Return the scores [N, 2]."""
        scores = np.stack([score_rows(content, codes) for content in self._contents], 1)
        return scores + np.array([self.zero, 0], np.float32)


def distil(proteins: Proteins, windows: Codes, teachers: Teachers, held_out: int) -> Student:
    """Return a student that never saw a fold."""
    training, _ = split(proteins, held_out)
    codes, scores = fitting.distillation(training, windows, teachers.predict, COPIES, WINDOW_COPIES)
    return fitting.new_student(codes, scores, SHAPE, RECIPE)


def quantize(student: Student, proteins: Proteins, windows: Codes, zero: float, held_out: int) -> FoldOutcome:
    """Return the student's files and their metrics on the fold."""
    training, unseen = split(proteins, held_out)
    rows = convert.choose_representative(training, windows)
    offsets = {name: -zero if name == GATE else 0.0 for name in PROTEASES}
    contents = {
        name: quantize_static(convert.convert_student(student, head, offsets[name], convert.BATCHES[name]), rows)
        for head, name in enumerate(PROTEASES)
    }
    served = np.stack([score_rows(contents[name], unseen.codes) for name in PROTEASES], 1)
    return FoldOutcome(unseen, zero, contents, report_pair(unseen, served), {})


def main() -> None:
    """Parse the command line, distil, measure, and write both bundles and cards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="stability50.csv.gz")
    parser.add_argument("teachers", type=Path, help="folder of the bundles to learn from")
    parser.add_argument("out", type=Path, help="folder that receives stability-chymotrypsin/ and stability-trypsin/")
    parser.add_argument("--windows", type=Path, help="natural sequences to learn on, one a line, gzip")
    parser.add_argument("--held-out", type=int, default=0, help="fold that the teachers never saw")
    parser.add_argument("--version", default="scanning")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    proteins, windows = read_proteins(arguments.data), load_windows(arguments.windows, fitting.WINDOWS)
    teachers = Teachers(arguments.teachers)
    student = distil(proteins, windows, teachers, arguments.held_out)
    outcome = quantize(student, proteins, windows, teachers.zero, arguments.held_out)
    for name in PROTEASES:
        before = teachers.manifests[name]
        method = f"Distilled from version {before.version}, without padding, on many mutants. Then int8."
        more = {**before.provenance, "method": method}
        bundle_head(arguments.out / f"stability-{name}" / arguments.version, name, outcome, outcome.metrics[name], more)
        print(name, {key: value for key, value in outcome.metrics[name].items() if "ci95" not in key})


if __name__ == "__main__":
    main()
