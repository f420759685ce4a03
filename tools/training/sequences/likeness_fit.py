"""What tells sequences that are unlike the measured proteins, and how many of which kind it catches."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.sequences.composition import Likeness, count_residues, name_notices
from assay.sequences.contract import DEFAULT, LINKER
from tools.training.sequences.proteins_data import ALPHABET, LENGTH, Codes, encode_proteins

_SYMBOLS: Final = len(ALPHABET)
_BARE: Final = LENGTH - len(LINKER)
_LINKER: Final = encode_proteins([LINKER + "A" * _BARE])[0, : len(LINKER)]
_PENALTY: Final = 10.0
_STEPS: Final = 8
FALSE_ALARMS: Final = 0.015
"""Share of measured proteins, not fitted on, below whose likeness a sequence is unlike training."""
Table = npt.NDArray[np.float64]


def fit_likeness(known: Codes, unseen: Codes, natural: Codes) -> Likeness:
    """Return tables by logistic regression of measured proteins against natural windows, codes [N, 50].

    `unseen` proteins set the least likeness. The linker that pads designs is left out of what is fitted, so that it
    alone makes nothing alike.
    """
    features = np.concatenate([_features(known), _features(natural)])
    weights = _logistic(features, np.repeat([1.0, 0.0], [len(known), len(natural)]))
    rounded = np.round(weights, 4).astype(np.float32)
    pairs = {1: rounded[_SYMBOLS:].reshape(_SYMBOLS, _SYMBOLS)}
    rating = Likeness(0.0, rounded[:_SYMBOLS], pairs).rate(unseen)
    return Likeness(round(float(np.quantile(rating, FALSE_ALARMS)), 4), rounded[:_SYMBOLS], pairs)


def _features(codes: Codes) -> npt.NDArray[np.float32]:
    """Return counts of residues and of neighbours [N, 20 + 400], those of a final linker left out."""
    padded = (codes[:, _BARE:] == _LINKER).all(1)
    found = _counts(codes)
    found[padded] = _counts(codes[padded, :_BARE])
    return found


def _counts(codes: Codes) -> npt.NDArray[np.float32]:
    neighbours = codes[:, :-1].astype(np.intp) * _SYMBOLS + codes[:, 1:]
    parts = [count_residues(codes, _SYMBOLS), count_residues(neighbours, _SYMBOLS**2)]
    return np.concatenate(parts, 1).astype(np.float32)


def _logistic(features: npt.NDArray[np.float32], target: Table) -> Table:
    """Return the weights of logistic regression with a ridge, by Newton's method, that of the constant left out."""
    inputs = np.concatenate([features, np.ones((len(features), 1), np.float32)], 1)
    weights = np.zeros(inputs.shape[1])
    ridge = _PENALTY * np.eye(len(weights))
    for _ in range(_STEPS):
        given = 0.5 + 0.5 * np.tanh(0.5 * (inputs @ weights))
        curvature = (inputs * (given * (1 - given))[:, None].astype(np.float32)).T @ inputs
        slope = inputs.T @ (given - target) + _PENALTY * weights
        weights -= np.linalg.solve(curvature.astype(np.float64) + ridge, slope)
    return weights[:-1]


def to_document(likeness: Likeness) -> dict[str, Any]:
    """Return tables as `reference.json` has them."""
    pairs = [{"distance": at, "values": _decimals(table)} for at, table in likeness.pairs.items()]
    return {"least": likeness.least, "residues": _decimals(likeness.residues), "pairs": pairs}


def _decimals(table: npt.NDArray[np.float32]) -> list[float]:
    return [round(float(value), 4) for value in table.ravel()]


def alarm_rates(likeness: Likeness, sets: Mapping[str, Codes]) -> dict[str, float]:
    """Return the share of each set that gets any notice."""
    found = {name: name_notices(codes, DEFAULT, likeness) for name, codes in sets.items()}
    return {name: round(sum(code is not None for code in codes) / len(codes), 4) for name, codes in found.items()}


_CODONS: Final = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
"""The standard genetic code, codons in the order of the bases T, C, A, G."""
_RANDOM: Final = 5000


def strange_sets(natural: Codes, designs: Codes, prose: str) -> dict[str, Codes]:
    """Return sets of what is no measured protein, from natural windows, padded designs and a text: codes [N, 50]."""
    random = np.random.default_rng(0)
    linker = np.repeat(_LINKER[None], len(natural), 0)
    scrambled = designs.copy()
    scrambled[:, :_BARE] = random.permuted(designs[:, :_BARE], axis=1)
    bases = encode_proteins(["ACGT" * 12 + "AC"])[0][:4]
    return {
        "natural windows": natural,
        "natural windows of 43, padded with the linker": np.concatenate([natural[:, :_BARE], linker], 1),
        "natural windows, shuffled": random.permuted(natural, axis=1),
        "designs, shuffled before the linker": scrambled,
        "residues drawn evenly": random.integers(0, _SYMBOLS, (_RANDOM, LENGTH)).astype(np.uint8),
        "random DNA, translated": encode_proteins([_translate(random) for _ in range(_RANDOM)]),
        "random DNA, read as residues": bases[random.integers(0, 4, (_RANDOM, LENGTH))],
        "homopolymers": np.repeat(np.arange(_SYMBOLS, dtype=np.uint8)[:, None], LENGTH, 1),
        "repeats of two or three residues": _repeats(random),
        "English prose, its standard letters": _prose(prose),
    }


def _translate(random: np.random.Generator) -> str:
    sense = _CODONS.replace("*", "")
    return "".join(sense[at] for at in random.integers(0, len(sense), LENGTH))


def _repeats(random: np.random.Generator) -> Codes:
    units = (random.integers(0, _SYMBOLS, width) for width in random.integers(2, 4, _RANDOM))
    return np.stack([np.resize(unit, LENGTH) for unit in units]).astype(np.uint8)


def _prose(text: str) -> Codes:
    letters = "".join(letter for letter in text.upper() if letter in ALPHABET)
    return encode_proteins([letters[at : at + LENGTH] for at in range(0, len(letters) - LENGTH + 1, LENGTH)])
