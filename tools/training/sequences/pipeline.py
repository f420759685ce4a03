"""One fold from data to a measured pair: teachers, a student for the gate, a larger one for the score.

The gate runs on every row and the score only on those that pass, so the score can afford a larger network. What has
been trained is kept in a folder, and a run that was stopped continues there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from tools.models.platt_scaling import platt
from tools.models.scan_graph import score_rows
from tools.models.static_quantization import quantize_static
from tools.training.sequences import convert, fitting
from tools.training.sequences.pair_metrics import Report, report_pair
from tools.training.sequences.proteins_data import GATE, PROTEASES, STABLE, Codes, Proteins, Scores, split
from tools.training.sequences.stability_network import Student, StudentShape, Teacher, TeacherShape

SHAPES = {"chymotrypsin": StudentShape(), "trypsin": StudentShape(width=96, blocks=2)}
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that is the same for every fold."""

    proteins: Proteins
    windows: Codes
    teachers: int
    copies: int
    kept: Path

    def folder(self, held_out: int) -> Path:
        """Return where the networks that never saw one fold are kept."""
        folder = self.kept / f"fold-{held_out}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@dataclass(frozen=True, slots=True)
class Fold:
    """Networks that never saw one fold: the students by protease, and what all say of its proteins, [N, 2].

    `representative` [N, 50] are rows of the other folds.
    """

    unseen: Proteins
    representative: Codes
    students: dict[str, Student]
    predicted: Scores
    by_teachers: Scores


@dataclass(frozen=True, slots=True)
class FoldOutcome:
    """A fold's files to serve, by protease, and how good they are; `zero` was subtracted from the gate."""

    unseen: Proteins
    zero: float
    contents: dict[str, bytes]
    metrics: dict[str, Report]
    teachers: dict[str, Report]


def fold(setup: Setup, held_out: int) -> Fold:
    """Train without one fold."""
    training, unseen = split(setup.proteins, held_out)
    trained = students(setup, held_out, SHAPES)
    predicted = [
        fitting.predict_stability([trained[name]], unseen.codes)[:, PROTEASES.index(name)] for name in PROTEASES
    ]
    by_teachers = fitting.predict_stability(teachers(setup, held_out), unseen.codes)
    representative = convert.choose_representative(training, setup.windows)
    return Fold(unseen, representative, trained, np.stack(predicted, 1), by_teachers)


def find_even_point(folds: Sequence[Fold]) -> float:
    """Return the prediction against chymotrypsin at which a protein is as likely stable as not, STABLE without folds.

    Networks predict towards the mean, so that is less than STABLE. By logistic regression (Platt) on proteins that
    the networks never saw.
    """
    if not folds:
        return STABLE
    predicted = np.concatenate([each.predicted[:, :1] for each in folds]).astype(np.float64)
    measured = np.concatenate([each.unseen.scores[:, :1] for each in folds])
    scale, shift = platt(predicted, (measured > STABLE).astype(np.float64))
    return float(-shift[0] / scale[0])


def outcome(found: Fold, zero: float) -> FoldOutcome:
    """Return the files to serve, the gate minus `zero`, and their measures on proteins that they never saw."""
    floats = {
        name: convert.convert_student(found.students[name], head, -zero if name == GATE else 0.0, convert.BATCHES[name])
        for head, name in enumerate(PROTEASES)
    }
    contents = {name: quantize_static(content, found.representative) for name, content in floats.items()}
    served = np.stack([score_rows(contents[name], found.unseen.codes) for name in PROTEASES], 1)
    by_teachers = found.by_teachers - np.array([zero, 0], np.float32)
    metrics = report_pair(found.unseen, served)
    return FoldOutcome(found.unseen, zero, contents, metrics, report_pair(found.unseen, by_teachers))


def teachers(setup: Setup, held_out: int) -> list[Teacher]:
    """Return the teachers that never saw one fold."""
    training = split(setup.proteins, held_out)[0]

    def make(seed: int) -> Callable[[], nn.Module]:
        return lambda: fitting.new_teacher(training, seed)

    seeds = range(1, setup.teachers + 1)
    return [
        _load_or_make(setup.folder(held_out) / f"teacher-{seed}.pt", Teacher(TeacherShape()), make(seed))
        for seed in seeds
    ]


def students(setup: Setup, held_out: int, shapes: Mapping[str, StudentShape]) -> dict[str, Student]:
    """Return a student of each shape, all from the same teachers."""

    @cache
    def lesson() -> tuple[Codes, Scores]:
        training = split(setup.proteins, held_out)[0]
        predict = partial(fitting.predict_stability, teachers(setup, held_out))
        return fitting.distillation(training, setup.windows, predict, setup.copies)

    def make(shape: StudentShape) -> Callable[[], nn.Module]:
        return lambda: fitting.new_student(*lesson(), shape)

    folder = setup.folder(held_out)
    return {name: _load_or_make(folder / shape.file, Student(shape), make(shape)) for name, shape in shapes.items()}


def _load_or_make(path: Path, fresh: Network, make: Callable[[], nn.Module]) -> Network:
    """Return `fresh` with the weights that lie at `path`, made and written there first if there are none."""
    if not path.exists():
        part = path.with_suffix(".part")
        torch.save(make().state_dict(), part)
        part.replace(path)
    fresh.load_state_dict(torch.load(path, weights_only=True))
    fresh.eval()
    return fresh
