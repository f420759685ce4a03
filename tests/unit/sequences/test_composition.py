"""Sequences that a model of proteins has no grounds to judge, found alike one by one and all at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.sequences.blocks import byte_table
from assay.sequences.composition import Likeness, count_residues, entropies, entropy, name_notices
from assay.sequences.contract import DEFAULT

LENGTH, SYMBOLS = DEFAULT.length, len(DEFAULT.alphabet)
PROTEIN = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"


def encode(*texts: str) -> NDArray[np.uint8]:
    data = "".join(texts).encode().translate(byte_table(DEFAULT.alphabet))
    return np.frombuffer(data, np.uint8).reshape(len(texts), LENGTH)


def likeness(seed: int = 1) -> Likeness:
    random = np.random.default_rng(seed)
    pairs = {at: random.normal(size=(SYMBOLS, SYMBOLS)).astype(np.float32) for at in (1, 3, 60)}
    return Likeness(0.0, random.normal(size=SYMBOLS).astype(np.float32), pairs)


proteins = st.lists(st.text(DEFAULT.alphabet, min_size=LENGTH, max_size=LENGTH), max_size=8)
simple = st.lists(st.text("ACGTW", min_size=LENGTH, max_size=LENGTH), max_size=8)


@given(st.one_of(proteins, simple))
def test_entropy_is_that_of_each_sequence(texts: list[str]) -> None:
    found = entropies(count_residues(encode(*texts), SYMBOLS))
    assert found == pytest.approx([entropy(text) for text in texts])


@given(st.one_of(proteins, simple))
def test_a_row_says_the_same_whatever_its_neighbours(texts: list[str]) -> None:
    whole = name_notices(encode(*texts), DEFAULT, likeness())
    assert whole == [name_notices(encode(text), DEFAULT, likeness())[0] for text in texts]


@given(proteins)
def test_likeness_is_the_mean_of_what_the_tables_say(texts: list[str]) -> None:
    known, codes = likeness(), encode(*texts)
    found = known.rate(codes)
    for row, value in zip(codes.tolist(), found, strict=True):
        terms = [float(known.residues[code]) for code in row]
        for distance, table in known.pairs.items():
            terms += [float(table[a, b]) for a, b in zip(row, row[distance:], strict=False)]
        assert value == pytest.approx(sum(terms) / len(terms), abs=1e-4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (PROTEIN, None),
        ("ACGT" * 12 + "AC", "looks_like_dna"),
        ("ACGTN" * 10, "looks_like_dna"),
        ("ACG" * 16 + "AC", "looks_like_dna"),
        ("A" * LENGTH, "low_complexity"),
        ("AG" * 25, "low_complexity"),
        ("W" * LENGTH, "low_complexity"),
        ("EEK" * 16 + "EE", "low_complexity"),
    ],
)
def test_bases_and_repeats_are_named(text: str, code: str | None) -> None:
    assert name_notices(encode(text), DEFAULT) == [code]


def test_below_the_least_likeness_a_sequence_is_unlike_training_unless_it_is_worse() -> None:
    tables = Likeness(0.5, np.zeros(SYMBOLS, np.float32), {})
    said = name_notices(encode(PROTEIN, "A" * LENGTH, "ACGT" * 12 + "AC"), DEFAULT, tables)
    assert said == ["unlike_training", "low_complexity", "looks_like_dna"]


def test_of_nothing_nothing_is_said() -> None:
    assert name_notices(np.zeros((0, LENGTH), np.uint8), DEFAULT, likeness()) == []
