"""Measured stabilities of 50-residue mini-proteins (Rocklin et al., Science 357:168, 2017), in cluster-safe folds."""

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from assay.sequences.contract import DEFAULT

PROTEASES: Final = ("chymotrypsin", "trypsin")
GATE: Final = PROTEASES[0]
STABLE: Final = 1.0
"""Stability score above which a protein counts as stable: ten times more so than unfolded."""
ALPHABET: Final = DEFAULT.alphabet
LENGTH: Final = DEFAULT.length

Codes = npt.NDArray[np.uint8]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Proteins:
    """N sequences: `codes` uint8 [N, 50], `scores` float32 [N, 2] (chymotrypsin, trypsin), `kind` and `fold` [N].

    `ec50` [N, 2] is what the assay measured before the unfolded state was taken off, in its dilution steps.
    """

    codes: Codes
    scores: Scores
    kind: npt.NDArray[np.str_]
    fold: npt.NDArray[np.int64]
    ec50: Scores

    def __len__(self) -> int:
        return len(self.codes)

    def where(self, mask: npt.NDArray[np.bool_]) -> "Proteins":
        """Return the proteins of a mask [N]."""
        return Proteins(self.codes[mask], self.scores[mask], self.kind[mask], self.fold[mask], self.ec50[mask])

    @property
    def stable(self) -> npt.NDArray[np.bool_]:
        """True [N] where both proteases measured more than STABLE."""
        return np.asarray((self.scores > STABLE).all(1))


def encode_proteins(sequences: list[str]) -> Codes:
    """Return alphabet indices uint8 [N, 50]; raises ValueError on another length or residue."""
    if any(len(sequence) != LENGTH for sequence in sequences):
        raise ValueError(f"every sequence has {LENGTH} residues")
    table = np.full(256, 255, np.uint8)
    table[list(ALPHABET.encode())] = np.arange(len(ALPHABET))
    codes = table[np.frombuffer("".join(sequences).encode("latin-1"), np.uint8)].reshape(-1, LENGTH)
    if (codes == 255).any():
        raise ValueError(f"every residue is one of {ALPHABET}")
    return codes


def read_proteins(path: Path) -> Proteins:
    """Read `stability50.csv.gz`."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    return Proteins(
        encode_proteins([row["sequence"] for row in rows]),
        _columns(rows, [f"ss_{protease}" for protease in PROTEASES]),
        np.array([row["kind"] for row in rows]),
        np.array([int(row["fold"]) for row in rows]),
        _columns(rows, [f"ec50_{protease[0]}" for protease in PROTEASES]),
    )


def load_clusters(path: Path) -> npt.NDArray[np.str_]:
    """Return the cluster of each protein of `stability50.csv.gz`."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as source:
        return np.array([row["cluster"] for row in csv.DictReader(source)])


def _columns(rows: list[dict[str, str]], names: list[str]) -> Scores:
    return np.array([[float(row[name]) for name in names] for row in rows], np.float32)


def load_windows(path: Path | None, most: int) -> Codes:
    """Return `most` unlabelled natural sequences, drawn from a gzip file of one a line; none without a path."""
    if path is None:
        return np.empty((0, LENGTH), np.uint8)
    with gzip.open(path, "rt", encoding="ascii") as source:
        windows = encode_proteins(source.read().split())
    return windows[np.random.default_rng(5).permutation(len(windows))[:most]]


def split(proteins: Proteins, held_out: int) -> tuple[Proteins, Proteins]:
    """Return (the other folds, the held-out fold); folds keep variants with their parent."""
    mask = proteins.fold == held_out
    return proteins.where(~mask), proteins.where(mask)


def mutants(codes: Codes, most: int, random: np.random.Generator) -> Codes:
    """Return a mutant of each sequence, with 1 to `most` random substitutions (some to the same residue)."""
    mutated = codes.copy()
    left = random.integers(1, most + 1, len(codes))
    for turn in range(most):
        rows = np.flatnonzero(left > turn)
        mutated[rows, random.integers(0, LENGTH, len(rows))] = random.integers(0, len(ALPHABET), len(rows))
    return mutated
