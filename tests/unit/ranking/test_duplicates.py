"""Sequences that came before are found, whether hashes tell them apart or their bytes have to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.ranking import duplicates
from assay.ranking.duplicates import Seen, hash_rows

blocks = st.lists(st.lists(st.text("ABC", min_size=3, max_size=3), max_size=8), max_size=5)


def coded(texts: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer("".join(texts).encode(), np.uint8).reshape(-1, 3)


def constant(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.zeros(len(codes), np.uint64)


@pytest.mark.parametrize("hashes", [hash_rows, constant])
@pytest.mark.parametrize("most", [0, 6, 1 << 16])
@given(given=blocks)
def test_each_sequence_is_fresh_once(given: list[list[str]], most: int, hashes: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "hash_rows", hashes)
        patch.setattr(duplicates, "_MOST_HASHED", most)
        seen, before = Seen(), set[str]()
        for texts in given:
            found = seen.find_fresh(coded(texts))
            fresh = [at for at, text in enumerate(texts) if text not in before and text not in texts[:at]]
            assert (list(range(len(texts))) if found is None else found.tolist()) == fresh
            before.update(texts)


@given(st.integers(1, 70), st.integers(0, 2500), st.integers(0, 1 << 30))
def test_equal_rows_have_equal_hashes_and_others_differ(length: int, count: int, seed: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 20, (count, length), np.uint8)
    hashes = hash_rows(np.concatenate([rows, rows[::-1]]))
    assert (hashes[:count] == hashes[count:][::-1]).all()
    assert len(np.unique(hashes)) == len(np.unique(rows, axis=0))


def test_neighbouring_words_do_not_make_up_for_each_other() -> None:
    rows = np.full((2, 24), 5, np.uint8)
    rows[1, [0, 8, 16]] += np.array([1, -2, 1]).astype(np.uint8)
    assert len(set(hash_rows(rows).tolist())) == 2
