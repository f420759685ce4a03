"""Fitting: teachers on the measured proteins, the student on what the teachers say of many more sequences."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import nn

from tools.training.sequences.proteins_data import Codes, Proteins, Scores, mutants
from tools.training.sequences.stability_network import Student, StudentShape, Teacher, TeacherShape

BATCH: Final = 256
MOST_MUTATIONS: Final = 8
WINDOWS: Final = 25_000
SHARE: Final = 0.7
"""Weight of the teachers, against the measurement, in the student's target."""
EC50_WEIGHT: Final = 0.3
_HUBER: Final = 0.5


@dataclass(frozen=True, slots=True)
class Recipe:
    """Epochs, peak learning rate, weight decay."""

    epochs: int
    rate: float
    decay: float


TEACHER: Final = Recipe(16, 3e-3, 0.03)
STUDENT: Final = Recipe(20, 3e-3, 0.01)


@dataclass(frozen=True, slots=True)
class Examples:
    """`codes` [N, 50], `targets` [N, outputs], and the `weight` of each output."""

    codes: Codes
    targets: Scores
    weight: Sequence[float]


def fit(network: nn.Module, examples: Examples, recipe: Recipe, seed: int) -> nn.Module:
    """Fit a network in bfloat16 where that is fast, and return it ready to predict."""
    codes, targets = torch.from_numpy(examples.codes.astype(np.int64)), torch.from_numpy(examples.targets)
    weight = torch.tensor(examples.weight)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, recipe.epochs * (len(codes) // BATCH), pct_start=0.05, cycle_momentum=False
    )
    random, began = np.random.default_rng(seed), time.monotonic()
    for epoch in range(recipe.epochs):
        network.train()
        for rows in _batches(len(codes), random):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                outputs = network(codes[rows])
            losses = nn.functional.huber_loss(outputs.float(), targets[rows], reduction="none", delta=_HUBER)
            loss = (losses * weight).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            rates.step()
        print(f"epoch {epoch + 1}/{recipe.epochs} loss {loss.item():.4f} {time.monotonic() - began:.0f} s", flush=True)
    return network.eval()


def _batches(count: int, random: np.random.Generator) -> Iterator[torch.Tensor]:
    order = torch.from_numpy(random.permutation(count))
    return (order[at : at + BATCH] for at in range(0, count - BATCH + 1, BATCH))


def predict_stability(networks: Sequence[nn.Module], codes: Codes) -> Scores:
    """Return the mean predicted scores [N, 2] of the networks, in float32."""
    rows = torch.from_numpy(codes.astype(np.int64)).split(4096)
    with torch.inference_mode():
        predicted = [torch.cat([network(part)[:, :2] for part in rows]).numpy() for network in networks]
    return np.asarray(np.mean(predicted, axis=0), np.float32)


def distillation(
    proteins: Proteins, windows: Codes, predict: Callable[[Codes], Scores], copies: int, window_copies: int = 0
) -> tuple[Codes, Scores]:
    """Return what a student learns from, codes and scores: measured proteins, natural windows, mutants of both.

    The target of a measured protein is part the teachers' prediction and part the measurement, of the others the
    prediction alone: it spares the student the noise of the assay.
    """
    random = np.random.default_rng(7)
    unmeasured = [mutants(proteins.codes, MOST_MUTATIONS, random) for _ in range(copies)]
    changed = [mutants(windows, MOST_MUTATIONS, random) for _ in range(window_copies)]
    codes = np.concatenate([proteins.codes, *unmeasured, windows, *changed])
    scores = predict(codes)
    scores[: len(proteins)] += (1 - SHARE) * (proteins.scores - scores[: len(proteins)])
    return codes, scores


def new_teacher(proteins: Proteins, seed: int, shape: TeacherShape | None = None) -> nn.Module:
    """Return a teacher fitted to the scores and EC50 of measured proteins."""
    torch.manual_seed(seed)
    targets = np.concatenate([proteins.scores, proteins.ec50], 1)
    examples = Examples(proteins.codes, targets, (1.0, 1.0, EC50_WEIGHT, EC50_WEIGHT))
    return fit(Teacher(shape or TeacherShape()), examples, TEACHER, seed)


def new_student(codes: Codes, scores: Scores, shape: StudentShape, recipe: Recipe = STUDENT) -> Student:
    """Return a student fitted to what `distillation` gave."""
    torch.manual_seed(3)
    student = Student(shape)
    fit(student, Examples(codes, scores, (1.0, 1.0)), recipe, 3)
    return student
