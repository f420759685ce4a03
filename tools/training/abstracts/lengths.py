"""What becomes of abstracts that are longer than a classifier reads: cut, read whole, or scored in windows.

    python -m tools.training.abstracts.lengths DATA BUNDLE

DATA is the folder of abstracts.jsonl.gz, BUNDLE a published form of the classifier, for example
models/arxiv-archives/3. Held-out rows only; each way is measured on those that are longer than the bundle's
`max_tokens`, with the bundle's own thresholds, and the time is that of one call a text.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.models.loading import load_folder
from assay.models.manifest import MANIFEST
from assay.models.text_classifier import TextClassifier
from tools.models import metrics
from tools.models.build import build_manifest
from tools.training.abstracts.data import LABELS, LabelledAbstract, fraction, load_splits

Matrix = npt.NDArray[np.floating]
_PER_PRIMARY = 0
_SHARED = 8
_DRAWS = 1000


def ways(longest: int) -> dict[str, tuple[int, int]]:
    """Return max_tokens and overlap of each way to read a long text."""
    return {
        f"cut at {longest}": (longest, 0),
        f"cut at {2 * longest}": (2 * longest, 0),
        f"windows of {longest}": (longest, longest // _SHARED),
    }


def changed(bundle: Path, folder: Path, max_tokens: int, overlap: int) -> TextClassifier:
    """Return the classifier of a bundle that reads texts in another way."""
    shutil.copytree(bundle, folder)
    header = json.loads((folder / MANIFEST).read_text("utf-8"))
    header["text"] |= {"max_tokens": max_tokens, "overlap": overlap}
    (folder / MANIFEST).write_bytes(
        build_manifest(folder, {key: value for key, value in header.items() if key != "files"}).dumps()
    )
    return TextClassifier(load_folder(folder, 2))


def scored(classifier: TextClassifier, rows: Sequence[LabelledAbstract]) -> tuple[Matrix, float]:
    """Return the scores [N, labels] of rows and the seconds of a text."""
    start = time.perf_counter()
    found = np.stack([classifier.classify([row.text])[0].scores for row in rows]).astype(np.float64)
    return found, (time.perf_counter() - start) / max(1, len(rows))


def gain(target: Matrix, before: Matrix, after: Matrix, thresholds: Matrix) -> tuple[float, float, float]:
    """Return by how much micro-F1 grows from one way to another, and its 95% interval by resampling the rows."""
    random = np.random.default_rng(1)
    draws = [np.arange(len(target)), *(random.integers(0, len(target), len(target)) for _ in range(_DRAWS))]
    found = [
        metrics.micro_f1(target[rows], (after >= thresholds)[rows].astype(np.float64))
        - metrics.micro_f1(target[rows], (before >= thresholds)[rows].astype(np.float64))
        for rows in draws
    ]
    low, high = np.quantile(found[1:], (0.025, 0.975))
    return found[0], float(low), float(high)


def measured(data: Path, bundle: Path, most: int) -> Iterator[str]:
    """Yield a line for each way to read texts."""
    splits, header = load_splits(data, _PER_PRIMARY), json.loads((bundle / MANIFEST).read_text("utf-8"))
    longest, held_out = int(header["text"]["max_tokens"]), [*splits.test, *splits.validation]
    thresholds = np.array([header["text"]["thresholds"].get(label, 0.5) for label in LABELS])
    first: Matrix | None = None
    with tempfile.TemporaryDirectory() as scratch:
        for at, (way, (tokens, overlap)) in enumerate(ways(longest).items()):
            classifier = changed(bundle, Path(scratch) / str(at), tokens, overlap)
            if first is None:
                long = [row for row in held_out if _tokens(classifier, row) > longest]
                rows = sorted(long, key=lambda row: fraction(f"long{row.id}"))[:most]
                yield f"{len(long)} of {len(held_out)} rows are longer than {longest}; {len(rows)} are measured"
                target = np.stack([row.target for row in rows]).astype(np.float64)
            scores, seconds = scored(classifier, rows)
            first = scores if first is None else first
            shown = ", ".join(
                f"{name} {value:.4f}" for name, value in metrics.report(target, scores, thresholds).items()
            )
            more, low, high = gain(target, first, scores, thresholds)
            yield f"{way}: {shown}; micro-F1 {more:+.4f} ({low:+.4f} to {high:+.4f}); {seconds * 1000:.0f} ms a text"


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rows", type=int, default=1000, help="so many at most, by chance (default 1000)")
    arguments = parser.parse_args()
    for line in measured(arguments.data, arguments.bundle, arguments.rows):
        print(line, flush=True)


def _tokens(classifier: TextClassifier, row: LabelledAbstract) -> int:
    tokenizer = classifier.model.tokenizer
    tokens = tokenizer.encode([row.text])[0]
    return len(tokens.ids) + tokens.truncated


if __name__ == "__main__":
    main()
