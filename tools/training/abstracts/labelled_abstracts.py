"""Rows, labels and splits of the arXiv abstracts (arXiv metadata, CC0)."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.abstracts.cleaning import clean

TITLES = {
    "astro-ph": "Astrophysics",
    "cond-mat": "Condensed Matter",
    "cs": "Computer Science",
    "gr-qc": "General Relativity and Quantum Cosmology",
    "hep-ex": "High Energy Physics - Experiment",
    "hep-lat": "High Energy Physics - Lattice",
    "hep-ph": "High Energy Physics - Phenomenology",
    "hep-th": "High Energy Physics - Theory",
    "math": "Mathematics",
    "math-ph": "Mathematical Physics",
    "nlin": "Nonlinear Sciences",
    "nucl-ex": "Nuclear Experiment",
    "nucl-th": "Nuclear Theory",
    "physics": "Physics",
    "q-bio": "Quantitative Biology",
    "q-fin": "Quantitative Finance",
    "quant-ph": "Quantum Physics",
    "stat": "Statistics",
}
"""What arXiv calls each archive."""
LABELS = [*TITLES]
# Quoted in the demo and the docs, so never trained on.
DEMO_IDS = frozenset({"0704.0001", "0704.0002", "0704.0007", "0704.0046", "0704.0304", "0706.3639", "0707.4123"})
MAX_TOKENS = 256
"""What training reads of a text."""
SERVED_TOKENS = 512
"""What the served network reads, all that it has positions for."""
_TEST, _VALIDATION = 0.072, 0.11


@dataclass(frozen=True, slots=True)
class LabelledAbstract:
    """One abstract: cleaned text and its multi-hot labels, shape [18]."""

    id: str
    text: str
    target: npt.NDArray[np.float32]
    primary: str


@dataclass(frozen=True, slots=True)
class Splits:
    """`test` and `validation` come from the balanced file alone; `train` also draws on the pool."""

    train: list[LabelledAbstract]
    validation: list[LabelledAbstract]
    test: list[LabelledAbstract]


def read_labelled_abstracts(path: Path) -> Iterator[LabelledAbstract]:
    """Yield the labelled rows of a gzipped JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            target = np.array([label in record["archives"] for label in LABELS], np.float32)
            if target.any():
                yield LabelledAbstract(record["id"], clean(record["abstract"]), target, record["primary"])


def fraction(identity: str) -> float:
    """Return a stable pseudo-random number in [0, 1) for an arXiv id: the split never moves between runs."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") / 2**64


def load_splits(folder: Path, per_primary: int) -> Splits:
    """Return the splits; the pool adds up to `per_primary` further training rows of each primary archive."""
    rows = [row for row in read_labelled_abstracts(folder / "abstracts.jsonl.gz") if row.id not in DEMO_IDS]
    balanced = {row.id for row in rows} | DEMO_IDS
    test = [row for row in rows if fraction(row.id) < _TEST]
    validation = [row for row in rows if _TEST <= fraction(row.id) < _TEST + _VALIDATION]
    train = [row for row in rows if fraction(row.id) >= _TEST + _VALIDATION]
    held_out = {row.text for row in test} | {row.text for row in validation}
    pool = (
        row
        for row in read_labelled_abstracts(folder / "pool.jsonl.gz")
        if row.id not in balanced and row.text not in held_out
    )
    return Splits(train + _cap(pool, per_primary), validation, test)


def _cap(rows: Iterator[LabelledAbstract], per_primary: int) -> list[LabelledAbstract]:
    taken: Counter[str] = Counter()
    kept = []
    for row in sorted(rows, key=lambda row: fraction("pool" + row.id)):
        if taken[row.primary] < per_primary:
            taken[row.primary] += 1
            kept.append(row)
    return kept
