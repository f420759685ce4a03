"""`reference.json` made from scores: a calibration by Platt's sigmoid, and how named sets of scores are spread."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.models.loading import SequenceScorer, load_folder
from assay.models.manifest import read_manifest
from assay.models.measured_file import dump_measured
from assay.models.reference import MEASURED, REFERENCE, Reference
from assay.ranking.distributions import probability_curve
from tools.models.build import rebuild_manifest
from tools.models.measured_table import MeasuredTableFile
from tools.models.platt_scaling import platt, sigmoid
from tools.models.sequence_rows import read_codes, read_labelled

Scores = npt.NDArray[np.floating]
Outcomes = npt.NDArray[np.bool_]
Groups = npt.NDArray[np.generic]
BINS: Final = 10
KNOTS: Final = 301
_TAILS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
PERCENTS: Final = np.unique([*np.linspace(0, 100, 1001), *_TAILS, *(100 - tail for tail in _TAILS)])
"""Where the scores of a set are noted: 1,001 quantiles, and more at both ends, where the best candidates are."""
FEWEST: Final = 50
"""Sequences below which neither a probability nor its reliability would say anything."""


def fit_line(scores: Scores, outcomes: Outcomes) -> tuple[list[float], list[float]]:
    """Return the knots of Platt's sigmoid between the least and the greatest of the scores; it is level beyond them."""
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    logits = ((scores.astype(np.float64) - centre) / spread)[:, None]
    scale, shift = (float(each[0]) for each in platt(logits, outcomes.astype(np.float64)[:, None]))
    knots = np.linspace(float(logits.min()), float(logits.max()), KNOTS)
    return np.round(knots * spread + centre, 6).tolist(), np.round(sigmoid(scale * knots + shift), 6).tolist()


def cross_fit(scores: Scores, outcomes: Outcomes, groups: Groups) -> npt.NDArray[np.float64]:
    """Return the probability [N] of each by a line that was fitted on the other half of the groups."""
    names, group = np.unique(groups, return_inverse=True)
    half = np.random.default_rng(0).permutation(len(names))[group] < len(names) // 2
    given = np.empty(len(scores))
    for judged in (half, ~half):
        curve = probability_curve(*fit_line(scores[~judged], outcomes[~judged]))
        given[judged] = curve.at(scores[judged].astype(np.float32))
    return given


def reliability(given: Scores, outcomes: Outcomes, bins: int = BINS) -> list[dict[str, float]]:
    """Return what was given and what came true, by bins of equal width; bins without any are left out."""
    place = np.minimum((given * bins).astype(int), bins - 1)
    return [
        {
            "from": round(at / bins, 4),
            "to": round((at + 1) / bins, 4),
            "count": int((place == at).sum()),
            "given": round(float(given[place == at].mean()), 4),
            "observed": round(float(outcomes[place == at].mean()), 4),
        }
        for at in range(bins)
        if (place == at).any()
    ]


def expected_error(bins: list[dict[str, float]]) -> float:
    """Return the mean distance of what was given and what came true, weighed by counts."""
    total = sum(each["count"] for each in bins)
    return round(sum(each["count"] * abs(each["given"] - each["observed"]) for each in bins) / total, 4)


def fit_calibration(scores: Scores, outcomes: Outcomes, groups: Groups, event: str, about: str) -> dict[str, Any]:
    """Return the calibration fitted on all, its reliability cross-fitted. Raises ValueError for too few."""
    rarest = int(min(outcomes.sum(), (~outcomes).sum()))
    if len(scores) < FEWEST or rarest < BINS:
        raise ValueError(
            f"a calibration needs {FEWEST} sequences with a label, and {BINS} of either label: here are {len(scores)}, "
            f"the rarer label {rarest} times"
        )
    knots, probabilities = fit_line(scores, outcomes)
    bins = reliability(cross_fit(scores, outcomes, groups), outcomes)
    return {
        "event": event,
        "about": about,
        "count": len(scores),
        "expected_error": expected_error(bins),
        "reliability": bins,
        "scores": knots,
        "probabilities": probabilities,
    }


def describe_set(name: str, about: str, scores: Scores) -> dict[str, Any]:
    """Return how the scores of a named set are spread. Raises ValueError for a set of nothing."""
    if not len(scores):
        raise ValueError(f"the set {name} has no sequence that the model can score")
    found = np.quantile(scores.astype(np.float64), PERCENTS / 100)
    spread = {"scores": np.round(found, 6).tolist(), "percents": np.round(PERCENTS, 4).tolist()}
    return {"name": name, "about": about, "count": len(scores), **spread}


def refer_to_files(
    folder: Path,
    labelled: Path | None,
    event: str,
    sets: Mapping[str, Path],
    measured: MeasuredTableFile | None = None,
) -> Reference:
    """Write the reference of a bundle from a user's files: labels, named files of sequences, measured sequences.

    Parts that are not given stay unchanged. Raises BundleInvalid, UnreadableInput; ValueError for too few.
    """
    scorer = SequenceScorer(load_folder(folder, os.cpu_count() or 1))
    document = json.loads((folder / REFERENCE).read_bytes()) if (folder / REFERENCE).exists() else {}
    if labelled:
        rows = read_labelled(labelled, scorer.contract)
        about = f"Platt's sigmoid on {len(rows.codes):,} sequences of {labelled.name}; judged on halves not fitted on."
        document["calibration"] = fit_calibration(scorer.score(rows.codes), rows.outcomes, rows.groups, event, about)
    if sets:
        document["sets"] = [
            describe_set(name, f"Sequences of {path.name}", scorer.score(read_codes(path, scorer.contract)))
            for name, path in sets.items()
        ]
    if measured:
        document["measured"] = measured.describe()
    write_reference(folder, document, {MEASURED: dump_measured(measured.known)} if measured else {})
    return Reference.of((folder / REFERENCE).read_bytes(), scorer.model.manifest)


def write_reference(folder: Path, document: Mapping[str, Any], beside: Mapping[str, bytes] | None = None) -> None:
    """Write a bundle's reference.json, files `beside` it, and its manifest anew. Raises BundleInvalid."""
    manifest = read_manifest(folder)
    text = json.dumps({**document, "schema": 1}, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    Reference.of(text.encode(), manifest)
    for name, content in {**(beside or {}), REFERENCE: text.encode()}.items():
        (folder / name).write_bytes(content)
    rebuild_manifest(folder)
