"""Say what the scores of the default rank models mean: reference.json, its plot, and the card's section on it.

    python -m tools.training.sequences.score_meaning models stability50.csv.gz windows50.txt.gz

The calibration is of the proteins of the held-out fold; its reliability is measured on the half of their clusters that
the line was not fitted on, both ways. Tables of likeness are fitted on three of the other folds, their limit on the
fourth, and both are judged on the held-out fold. Run it again whenever a bundle's weights change.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
import numpy.typing as npt

from assay.models.loading import SequenceScorer
from assay.models.manifest import MANIFEST
from tools.models.score_reference import cross_fit, describe_set, fit_calibration, write_reference
from tools.models.shipped import newest, newest_model
from tools.paths import ROOT
from tools.training.sequences.likeness_fit import alarm_rates, fit_likeness, strange_sets, to_document
from tools.training.sequences.pair_cards import card
from tools.training.sequences.proteins_data import (
    GATE,
    PROTEASES,
    Codes,
    Proteins,
    load_clusters,
    load_windows,
    read_proteins,
)

matplotlib.use("Agg")
from matplotlib import pyplot

HELD_OUT: Final = 0
_LIMIT_FOLD: Final = 1
_LEARNED: Final = 25_000
"""Windows that the models were distilled on, the first that are drawn."""
_JUDGED: Final = 20_000
_SPREAD: Final = 150_000
EVENT: Final = "measured stability over 1 against both proteases"
_ABOUT: Final = (
    "Platt's sigmoid on the {count:,} measured proteins of fold {fold}, whose clusters the model never saw. The "
    "reliability is that of lines fitted on half of the clusters and judged on the other half, both ways."
)


def name_model(protease: str) -> str:
    """Return the name of the bundle of a protease."""
    return f"stability-{protease}"


def measure_rates(unseen: Proteins, likeness: Any, windows: Codes) -> dict[str, dict[str, float]]:
    """Return the share of held-out proteins, all and by kind, and of what is none, that gets a notice."""
    kinds = {str(kind): unseen.codes[unseen.kind == kind] for kind in np.unique(unseen.kind)}
    prose = "".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
    strange = strange_sets(windows, unseen.codes[unseen.kind == "design"], prose)
    alarms = alarm_rates(likeness, {"all": unseen.codes, **kinds})
    return {"false_alarms": alarms, "caught": alarm_rates(likeness, strange)}


def draw_calibration(known: Mapping[str, Any], given: npt.NDArray[np.float64], path: Path) -> None:
    """Write the reliability of a calibration and how often each probability is given."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 4), dpi=110)
    bins = known["reliability"]
    left.plot([0, 1], [0, 1], color="#33415c", linewidth=0.8, linestyle=":")
    left.plot([each["given"] for each in bins], [each["observed"] for each in bins], "o-", color="#c2410c")
    left.set(xlabel="probability given", ylabel="share that came true", title="Clusters that the line never saw")
    right.hist(given, bins=10, range=(0, 1), color="#33415c", log=True, rwidth=0.9)
    right.set(xlabel="probability given", ylabel="proteins", title="How often each is given")
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)


def write_explained_bundle(folder: Path, document: Mapping[str, Any], given: npt.NDArray[np.float64]) -> None:
    """Write reference.json and the manifest of a bundle; card and plot beside it."""
    write_reference(folder, document)
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder.parent / "README.md").write_text(card(manifest, document), "utf-8")
    draw_calibration(document["calibration"], given, folder.parent / "reliability.png")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The proteins that no model saw, their clusters [N], and which of them pass the default gate [N]."""

    proteins: Proteins
    clusters: npt.NDArray[np.str_]
    passed: npt.NDArray[np.bool_]

    def after_gate(self, given: npt.NDArray[np.float64]) -> dict[str, float]:
        """Return of how many that pass what is given on average, and how many of them are stable."""
        said, came = given[self.passed].mean(), self.proteins.stable[self.passed].mean()
        return {"count": int(self.passed.sum()), "given": round(float(said), 4), "observed": round(float(came), 4)}


def build_document(scorer: SequenceScorer, held: HeldOut, windows: Codes, likeness: dict[str, Any]) -> dict[str, Any]:
    """Return a model's reference."""
    unseen = held.proteins
    about = _ABOUT.format(count=len(unseen), fold=HELD_OUT)
    designs = unseen.codes[unseen.kind == "design"]
    spread = scorer.score(windows), scorer.score(designs)
    sets = [
        describe_set("natural-windows", "Natural 50-residue windows of proteins, not learned from", spread[0]),
        describe_set("measured-designs", f"Measured designs of fold {HELD_OUT}, never seen", spread[1]),
    ]
    scores = scorer.score(unseen.codes)
    return {
        "calibration": fit_calibration(scores, unseen.stable, held.clusters, EVENT, about),
        "sets": sets,
        **likeness,
    }


def write_references(models: Path, proteins: Proteins, clusters: npt.NDArray[np.str_], windows: Codes) -> None:
    """Write the references of both models."""
    is_held, is_limit = proteins.fold == HELD_OUT, proteins.fold == _LIMIT_FOLD
    unseen, known = proteins.where(is_held), proteins.codes[~is_held & ~is_limit]
    likeness = fit_likeness(known, proteins.codes[is_limit], windows[:_LEARNED])
    rates = measure_rates(unseen, likeness, windows[_LEARNED : _LEARNED + _JUDGED])
    print(json.dumps(rates, indent=1), flush=True)
    scorers = {name: SequenceScorer(newest_model(models, name_model(name))) for name in PROTEASES}
    held = HeldOut(unseen, clusters[is_held], scorers[GATE].score(unseen.codes) > 0)
    for name, scorer in scorers.items():
        given = cross_fit(scorer.score(unseen.codes), unseen.stable, held.clusters)
        measured = {**rates, "after_gate": held.after_gate(given)}
        tables = {"likeness": {**to_document(likeness), "measured": measured}}
        document = build_document(scorer, held, windows[_LEARNED + _JUDGED :], tables)
        write_explained_bundle(newest(models, name_model(name)), document, given)
        print(name, document["calibration"]["expected_error"], measured["after_gate"], flush=True)


def main() -> None:
    """Parse the command line; write the references of both models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, help="folder of stability-chymotrypsin/ and stability-trypsin/")
    parser.add_argument("data", type=Path, help="stability50.csv.gz")
    parser.add_argument("windows", type=Path, help="natural windows, one a line, gzip")
    arguments = parser.parse_args()
    windows = load_windows(arguments.windows, _LEARNED + _JUDGED + _SPREAD)
    write_references(arguments.models, read_proteins(arguments.data), load_clusters(arguments.data), windows)


if __name__ == "__main__":
    main()
