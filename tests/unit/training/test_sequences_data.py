import gzip
from pathlib import Path

import numpy as np
import pytest

from tools.training.sequences import proteins_data

HEADER = "sequence,ss_trypsin,ss_chymotrypsin,kind,fold,ec50_t,ec50_c\n"


@pytest.fixture
def proteins(tmp_path: Path) -> proteins_data.Proteins:
    path = tmp_path / "some.csv.gz"
    rows = [
        f"{letter * 50},{index / 2},{index},design,{index % 5},{index * 2},{index * 3}\n"
        for index, letter in enumerate("ACDEFGH")
    ]
    path.write_bytes(gzip.compress("".join([HEADER, *rows]).encode()))
    return proteins_data.read_proteins(path)


def test_columns_are_read_by_name_with_chymotrypsin_first(proteins: proteins_data.Proteins) -> None:
    np.testing.assert_array_equal(proteins.scores[3], [3.0, 1.5])
    np.testing.assert_array_equal(proteins.ec50[3], [9, 6])
    np.testing.assert_array_equal(proteins.codes[:, 0], range(7))


def test_stable_means_above_one_against_both(proteins: proteins_data.Proteins) -> None:
    np.testing.assert_array_equal(proteins.stable, [False, False, False, True, True, True, True])


@pytest.mark.parametrize("held_out", range(5))
def test_a_split_keeps_every_protein_once_and_no_fold_on_both_sides(
    proteins: proteins_data.Proteins, held_out: int
) -> None:
    training, kept = proteins_data.split(proteins, held_out)
    assert len(training) + len(kept) == len(proteins)
    assert set(kept.fold) == {held_out}
    assert held_out not in training.fold


@pytest.mark.parametrize("sequence", ["A" * 49, "A" * 51, "A" * 49 + "X", "a" * 50])
def test_what_the_contract_refuses_is_refused(sequence: str) -> None:
    with pytest.raises(ValueError, match="every"):
        proteins_data.encode_proteins(["A" * 50, sequence])


def test_mutants_differ_in_few_places_and_leave_their_parents_alone() -> None:
    codes = proteins_data.encode_proteins(["A" * 50] * 500)
    changed = (proteins_data.mutants(codes, 8, np.random.default_rng(0)) != codes).sum(1)
    assert codes.sum() == 0
    assert changed.max() <= 8
    assert 3 < changed.mean() < 5


def test_windows_are_optional_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "windows.txt.gz"
    path.write_bytes(gzip.compress(b"\n".join([b"C" * 50] * 9)))
    assert proteins_data.load_windows(None, 5).shape == (0, 50)
    assert proteins_data.load_windows(path, 5).shape == (5, 50)
