"""The bundles of the pair in models/: file, probes, manifest, card and plot."""

import json
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from assay.errors import InvalidOption
from assay.models.probes import PROBES
from assay.sequences.contract import DEFAULT
from tools.models.build import build_manifest
from tools.models.importers.result import FLOAT_TOLERANCE, sequence_header, sequence_probes
from tools.models.scan_graph import score_rows, write_scan
from tools.training.sequences import convert
from tools.training.sequences.pair_cards import card
from tools.training.sequences.pair_metrics import Report
from tools.training.sequences.pipeline import FoldOutcome
from tools.training.sequences.proteins_data import GATE, PROTEASES, STABLE, Proteins, Scores

matplotlib.use("Agg")
from matplotlib import pyplot

_INK, _MARK, _SECOND = "#33415c", "#c2410c", "#0f766e"


def bundle_head(folder: Path, protease: str, shipped: FoldOutcome, metrics: Report, provenance: dict[str, Any]) -> None:
    """Write model.tflite, probes.json and manifest.json into models/{name}/{version}/, the card and plot beside it.

    A network without padding gets its scan.tflite too. The probes hold other machines to what the file answers here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = shipped.contents[protease]
    (folder / "model.tflite").write_bytes(content)
    (folder / PROBES).write_bytes(sequence_probes(DEFAULT, partial(score_rows, content), FLOAT_TOLERANCE).dumps())
    more = {"metrics": metrics, "provenance": provenance, "licence": "Apache-2.0", "quantization": "static"}
    with suppress(InvalidOption):  # of a network with padding
        more |= write_scan(folder, DEFAULT)
    header = sequence_header(DEFAULT, "index", convert.BATCHES[protease], "tflite", **more)
    manifest = build_manifest(folder, {**header, "name": folder.parent.name, "version": folder.name})
    (folder / "manifest.json").write_bytes(manifest.dumps())
    (folder.parent / "README.md").write_text(card(json.loads(manifest.dumps())), "utf-8")
    zero = shipped.zero if protease == GATE else 0.0
    _draw_quality(shipped.unseen, content, protease, zero, folder.parent / "quality.png")


def _draw_quality(unseen: Proteins, content: bytes, protease: str, zero: float, path: Path) -> None:
    """Write how good a served model is on proteins that it never saw; a line where a gate's zero is."""
    measured = unseen.scores[:, PROTEASES.index(protease)]
    predicted = score_rows(content, unseen.codes) + zero
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 4), dpi=110)
    _agreement(left, predicted, measured)
    _thresholds(right, predicted, measured > STABLE)
    for axes in (left, right) if zero else ():
        axes.axvline(zero, color=_MARK, linewidth=0.8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)


def _agreement(axes: Any, predicted: Scores, measured: Scores) -> None:
    axes.hexbin(predicted, measured, gridsize=45, bins="log", cmap="Blues", mincnt=1, linewidths=0.1)
    axes.axhline(STABLE, color=_MARK, linewidth=0.8)
    axes.set(xlabel="predicted stability", ylabel="measured stability", title="Proteins never seen; line: stable")


def _thresholds(axes: Any, predicted: Scores, stable: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Draw precision and recall of `predicted > threshold` against the threshold."""
    at = np.linspace(0, 1.6, 81)
    passed = predicted[None] > at[:, None]
    hits = (passed & stable).sum(1)
    axes.plot(at, hits / np.maximum(passed.sum(1), 1), color=_INK, label="precision")
    axes.plot(at, hits / stable.sum(), color=_SECOND, label="recall")
    axes.set(xlabel="threshold on predicted stability", ylim=(0, 1.02), title="Truly stable among those above")
    axes.legend(frameon=False)
