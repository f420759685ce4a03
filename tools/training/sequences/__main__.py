"""Train, measure and bundle the default rank models.

    python -m tools.training.sequences stability50.csv.gz models --windows windows50.txt.gz

One fold of protein clusters is held out: neither the teachers nor the shipped weights saw it, and the metrics in the
manifests are those of the shipped files on it. Metrics go to the manifests and to the cards.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from assay.models.bundle import build
from tools.training.sequences import convert, train
from tools.training.sequences.cards import card
from tools.training.sequences.data import (
    ALPHABET,
    LENGTH,
    PROTEASES,
    STABLE,
    Proteins,
    load,
    load_windows,
    split,
)
from tools.training.sequences.metrics import Report, report

OFFSETS = {"chymotrypsin": -STABLE, "trypsin": 0.0}


def header(name: str, version: str, metrics: Report, provenance: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest without its files."""
    return {
        "schema": 1,
        "name": name,
        "version": version,
        "task": "sequence-score",
        "format": "tflite",
        "inputs": [{"name": "sequence", "dtype": "uint8", "shape": [convert.BATCH, LENGTH]}],
        "outputs": [{"name": "score", "dtype": "float32", "shape": [convert.BATCH]}],
        "sequence": {"alphabet": ALPHABET, "length": LENGTH, "encoding": "index"},
        "metrics": metrics,
        "provenance": provenance,
        "licence": "Apache-2.0",
    }


def bundle(folder: Path, content: bytes, protease: str, metrics: Report, provenance: dict[str, Any]) -> None:
    """Write model.tflite and manifest.json into models/{name}/{version}/, and the card beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(content)
    manifest = build(folder, header(folder.parent.name, folder.name, metrics, provenance))
    (folder / "manifest.json").write_bytes(manifest.dumps())
    (folder.parent / "README.md").write_text(card(folder.parent.name, protease, metrics, provenance), "utf-8")


def export(network: keras.Model, held_out: Proteins, arguments: argparse.Namespace) -> None:
    """Convert both heads, measure the files on the held-out proteins, and write the bundles."""
    contents = {name: convert.convert(network, head, OFFSETS[name]) for head, name in enumerate(PROTEASES)}
    served = [convert.score(contents[name], held_out.codes) - OFFSETS[name] for name in PROTEASES]
    metrics = report(held_out, np.stack(served, 1))
    print(json.dumps(metrics, indent=1))
    for name in PROTEASES:
        folder = arguments.out / f"stability-{name}" / arguments.version
        bundle(folder, contents[name], name, metrics[name], provenance(arguments))


def provenance(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return where the weights come from."""
    return {
        "data": "Rocklin et al., Science 357:168 (2017), doi:10.1126/science.aan0693",
        "held_out": f"fold {arguments.held_out}",
        "trained_on": "the other four of five cluster-safe folds",
        "method": (
            f"Residual convolutional teachers ({arguments.teachers}), distilled into one small network on "
            "the measured proteins, their random mutants and natural windows."
        ),
    }


def main() -> None:
    """Parse the command line, train, and write both bundles and cards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="stability50.csv.gz")
    parser.add_argument("out", type=Path, help="folder that receives stability-chymotrypsin/ and stability-trypsin/")
    parser.add_argument("--windows", type=Path, help="natural sequences to distil on, one a line, gzip")
    parser.add_argument("--teachers", type=int, default=2, help="more smooth the targets; each costs an equal time")
    parser.add_argument("--held-out", type=int, default=0, choices=range(5), help="fold that is never trained on")
    parser.add_argument("--version", default="1")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    train.set_threads(arguments.threads)
    training, held_out = split(load(arguments.data), arguments.held_out)
    teachers = [train.new_teacher(training, seed) for seed in range(1, arguments.teachers + 1)]
    print(json.dumps({"teachers": report(held_out, train.predict(teachers, held_out.codes))}))
    network = train.new_student(training, load_windows(arguments.windows, train.WINDOWS), teachers)
    export(network, held_out, arguments)


if __name__ == "__main__":
    main()
