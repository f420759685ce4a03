"""Give the pair of an earlier, float32 version its integer body, without training.

    python -m tools.training.sequences.quantize_pair stability50.csv.gz FLOATS models --windows windows50.txt.gz

FLOATS holds the bundles `stability-chymotrypsin/VERSION` and `stability-trypsin/VERSION`. The metrics are measured anew
on the held-out fold; those of the other folds stay what the float32 networks had there, and the card says so.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from assay.models.manifest import Manifest, read_manifest
from tools.models.metrics import spearman
from tools.models.shipped import newest
from tools.models.static_quantization import quantize_static, with_batch
from tools.training.sequences import convert
from tools.training.sequences.fitting import WINDOWS
from tools.training.sequences.pair_bundles import bundle_head
from tools.training.sequences.pair_metrics import report_pair
from tools.training.sequences.pipeline import FoldOutcome
from tools.training.sequences.proteins_data import PROTEASES, Proteins, load_windows, read_proteins, split


def quantize_pair(proteins: Proteins, windows: Path | None, floats: Path, held_out: int) -> FoldOutcome:
    """Return the pair with integer bodies and its metrics on a fold that it never saw."""
    training, unseen = split(proteins, held_out)
    rows = convert.choose_representative(training, load_windows(windows, WINDOWS))
    contents = {
        name: quantize_static(with_batch(read_float(floats, name), convert.BATCHES[name]), rows) for name in PROTEASES
    }
    served = np.stack([convert.score(contents[name], unseen.codes) for name in PROTEASES], 1)
    zero = float(find_manifest(floats, "chymotrypsin").provenance["gate_zero"])
    return FoldOutcome(unseen, zero, contents, report_pair(unseen, served), {})


def find_manifest(floats: Path, protease: str) -> Manifest:
    """Return the manifest of a protease's newest bundle."""
    return read_manifest(newest(floats, f"stability-{protease}"))


def read_float(floats: Path, protease: str) -> bytes:
    """Return the LiteRT file of a protease's newest bundle."""
    return (newest(floats, f"stability-{protease}") / "model.tflite").read_bytes()


def compare_by_fold(proteins: Proteins, before: bytes, after: bytes) -> dict[str, Any]:
    """Return how alike two files rank the proteins of each fold, and by how much a score differs."""
    scores = [convert.score(content, proteins.codes) for content in (before, after)]
    folds = [proteins.fold == each for each in np.unique(proteins.fold)]
    return {
        "spearman": [round(float(spearman(scores[0][rows], scores[1][rows])), 4) for rows in folds],
        "mean_difference": round(float(np.abs(scores[1] - scores[0]).mean()), 4),
        "greatest_difference": round(float(np.abs(scores[1] - scores[0]).max()), 4),
    }


def main() -> None:
    """Parse the command line, quantize, measure, and write both bundles and cards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="stability50.csv.gz")
    parser.add_argument("floats", type=Path, help="folder of the float32 bundles")
    parser.add_argument("out", type=Path, help="folder that receives stability-chymotrypsin/ and stability-trypsin/")
    parser.add_argument("--windows", type=Path, help="natural sequences, one a line, gzip")
    parser.add_argument("--held-out", type=int, default=0, help="fold that the networks never saw")
    parser.add_argument("--version", default="3")
    arguments = parser.parse_args()
    proteins = read_proteins(arguments.data)
    outcome = quantize_pair(proteins, arguments.windows, arguments.floats, arguments.held_out)
    for name in PROTEASES:
        before = find_manifest(arguments.floats, name)
        agreement = compare_by_fold(proteins, read_float(arguments.floats, name), outcome.contents[name])
        kept = {"cross_validation": before.metrics["cross_validation"], "cross_validation_of": "float32"}
        metrics = outcome.metrics[name] | kept | {"agreement_with_float32": agreement}
        method = f"{before.provenance['method']} Then int8 with the last layer float32, from version {before.version}."
        folder = arguments.out / f"stability-{name}" / arguments.version
        bundle_head(folder, name, outcome, metrics, {**before.provenance, "method": method})
        print(name, {key: value for key, value in metrics.items() if "spearman" in key or "agreement" in key})


if __name__ == "__main__":
    main()
