"""Likeness as it is fitted: what it learned from is alike, what it learned against is not, whatever the linker."""

import numpy as np

from assay.sequences.composition import name_notices
from assay.sequences.contract import DEFAULT, LINKER
from tools.training.sequences.likeness_fit import alarm_rates, fit_likeness, strange_sets
from tools.training.sequences.proteins_data import encode_proteins

RANDOM = np.random.default_rng(0)
HELIX, SHEET = "ADEKLRAEKL", "CFGHITVWYP"


def drawn(letters: str, count: int, ending: str = "") -> np.ndarray:
    texts = ["".join(RANDOM.choice(list(letters), 50 - len(ending))) + ending for _ in range(count)]
    return encode_proteins(texts)


def test_residues_and_not_the_linker_decide_what_is_alike() -> None:
    known, natural = drawn(HELIX, 300, LINKER), drawn(SHEET, 300)
    likeness = fit_likeness(known, drawn(HELIX, 300, LINKER), natural)
    sets = {"bare": drawn(HELIX, 200), "padded": drawn(SHEET, 200, LINKER), "other": drawn(SHEET, 200)}
    rates = alarm_rates(likeness, sets)
    assert rates["bare"] < 0.05
    assert (rates["padded"], rates["other"]) == (1.0, 1.0)
    alarms = name_notices(drawn(HELIX, 400, LINKER), DEFAULT, likeness)
    assert sum(code is not None for code in alarms) / 400 < 0.05


def test_strange_sets_are_sequences_of_the_contract() -> None:
    made = strange_sets(drawn(SHEET, 20), drawn(HELIX, 20, LINKER), "The quick brown fox jumps over the lazy dog. " * 9)
    assert all(codes.shape[1] == 50 and codes.max() < 20 and len(codes) for codes in made.values())
    assert (
        made["designs, shuffled before the linker"][:, 43:] == made["designs, shuffled before the linker"][0, 43:]
    ).all()
