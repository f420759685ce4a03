"""Fitting: teachers on the measured proteins, the student on what the teachers say of many more sequences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import keras
import numpy as np
import tensorflow as tf

from tools.training.sequences.data import Codes, Proteins, Scores, mutants
from tools.training.sequences.network import StudentShape, TeacherShape, student, teacher

BATCH: Final = 256
COPIES: Final = 2
"""Mutants of each measured protein that the student learns from."""
MOST_MUTATIONS: Final = 8
WINDOWS: Final = 25_000
TEACHER_EPOCHS: Final = 16
STUDENT_EPOCHS: Final = 10
SHARE: Final = 0.7
"""Weight of the teachers, against the measurement, in the student's target."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Epochs, peak learning rate, weight decay."""

    epochs: int
    rate: float
    decay: float


def fit(network: keras.Model, codes: Codes, scores: Scores, recipe: Recipe) -> keras.Model:
    """Fit a network to scores [N, 2] and return it."""
    steps = recipe.epochs * -(-len(codes) // BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(
        recipe.rate / 20, steps, alpha=0.01, warmup_target=recipe.rate, warmup_steps=steps // 20
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.decay, clipnorm=1.0)
    network.compile(optimizer, keras.losses.Huber(0.5), jit_compile=False)
    network.fit(codes, scores, batch_size=BATCH, epochs=recipe.epochs, verbose=2)
    return network


def predict(networks: Sequence[keras.Model], codes: Codes) -> Scores:
    """Return the mean predicted scores [N, 2] of the networks."""
    predicted = [network.predict(codes, batch_size=1024, verbose=0) for network in networks]
    return np.asarray(np.mean(predicted, axis=0), np.float32)


def distillation(
    proteins: Proteins, windows: Codes, teachers: Sequence[keras.Model], random: np.random.Generator
) -> tuple[Codes, Scores]:
    """Return what a student learns from, codes and scores: measured proteins, mutants of them and natural windows.

    The target of a measured protein is part the teachers' prediction and part the measurement, of the others the
    prediction alone: it spares the student the noise of the assay.
    """
    unmeasured = [mutants(proteins.codes, MOST_MUTATIONS, random) for _ in range(COPIES)]
    codes = np.concatenate([proteins.codes, *unmeasured, windows])
    scores = predict(teachers, codes)
    scores[: len(proteins)] += (1 - SHARE) * (proteins.scores - scores[: len(proteins)])
    return codes, scores


def new_teacher(proteins: Proteins, seed: int) -> keras.Model:
    """Return a teacher fitted to measured proteins, in bfloat16 for speed."""
    _start("mixed_bfloat16", seed)
    return fit(teacher(TeacherShape()), proteins.codes, proteins.scores, Recipe(TEACHER_EPOCHS, 3e-3, 0.03))


def new_student(proteins: Proteins, windows: Codes, teachers: Sequence[keras.Model]) -> keras.Model:
    """Return a student distilled from teachers."""
    codes, scores = distillation(proteins, windows, teachers, np.random.default_rng(7))
    _start("mixed_bfloat16", 3)
    network = fit(student(StudentShape()), codes, scores, Recipe(STUDENT_EPOCHS, 3e-3, 0.01))
    return in_float32(network)


def in_float32(network: keras.Model) -> keras.Model:
    """Return a student with the same weights that computes in float32, as it is served."""
    keras.config.set_dtype_policy("float32")
    served = student(StudentShape())
    served.set_weights(network.get_weights())
    return served


def set_threads(count: int) -> None:
    """Bound TensorFlow's threads; before anything else of it runs."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _start(policy: str, seed: int) -> None:
    keras.config.set_dtype_policy(policy)
    keras.utils.set_random_seed(seed)
