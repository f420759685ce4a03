"""The bundles of the pair in models/: file, probes, manifest, card and plot."""

import json
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from assay.errors import InvalidOption
from assay.models.probes import PROBES
from assay.sequences.contract import DEFAULT
from tools.models.build import build_manifest
from tools.models.importers.result import FLOAT_TOLERANCE, sequence_header, sequence_probes
from tools.models.scan_graph import write_scan
from tools.training.sequences import convert, quality_plots
from tools.training.sequences.pair_cards import card
from tools.training.sequences.pair_metrics import Report
from tools.training.sequences.pipeline import FoldOutcome
from tools.training.sequences.proteins_data import GATE


def bundle_head(folder: Path, protease: str, shipped: FoldOutcome, metrics: Report, provenance: dict[str, Any]) -> None:
    """Write model.tflite, probes.json and manifest.json into models/{name}/{version}/, the card and plot beside it.

    A network without padding gets its scan.tflite too. The probes hold other machines to what the file answers here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = shipped.contents[protease]
    (folder / "model.tflite").write_bytes(content)
    (folder / PROBES).write_bytes(sequence_probes(DEFAULT, partial(convert.score, content), FLOAT_TOLERANCE).dumps())
    more = {"metrics": metrics, "provenance": provenance, "licence": "Apache-2.0", "quantization": "static"}
    with suppress(InvalidOption):  # of a network with padding
        more |= write_scan(folder, DEFAULT)
    header = sequence_header(DEFAULT, "index", convert.BATCHES[protease], "tflite", **more)
    manifest = build_manifest(folder, {**header, "name": folder.parent.name, "version": folder.name})
    (folder / "manifest.json").write_bytes(manifest.dumps())
    (folder.parent / "README.md").write_text(card(json.loads(manifest.dumps())), "utf-8")
    zero = shipped.zero if protease == GATE else 0.0
    quality_plots.draw_quality(shipped.unseen, content, protease, zero, folder.parent / "quality.png")
