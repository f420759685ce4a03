import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sequences.chemistry import (
    CHYMOTRYPSIN,
    HYDROPATHY,
    MASSES,
    TRYPSIN,
    describe_chemistry,
    find_sites,
    mean_hydropathy,
    molecular_weight,
    net_charge,
)

SEQUENCES = st.text(alphabet=sorted(MASSES), min_size=1, max_size=80)
ATOMS = {"C": 12.0107, "H": 1.00794, "N": 14.0067, "O": 15.9994, "S": 32.065}
# Residues as C, H, N, O, S.
FORMULAS = {
    **{"A": (3, 5, 1, 1, 0), "R": (6, 12, 4, 1, 0), "N": (4, 6, 2, 2, 0), "D": (4, 5, 1, 3, 0), "C": (3, 5, 1, 1, 1)},
    **{"Q": (5, 8, 2, 2, 0), "E": (5, 7, 1, 3, 0), "G": (2, 3, 1, 1, 0), "H": (6, 7, 3, 1, 0), "I": (6, 11, 1, 1, 0)},
    **{"L": (6, 11, 1, 1, 0), "K": (6, 12, 2, 1, 0), "M": (5, 9, 1, 1, 1), "F": (9, 9, 1, 1, 0), "P": (5, 7, 1, 1, 0)},
    **{"S": (3, 5, 1, 2, 0), "T": (4, 7, 1, 2, 0), "W": (11, 10, 2, 1, 0), "Y": (9, 9, 1, 2, 0), "V": (5, 9, 1, 1, 0)},
}


def test_masses_are_those_of_the_atoms() -> None:
    assert MASSES.keys() == FORMULAS.keys() == HYDROPATHY.keys()
    for residue, counts in FORMULAS.items():
        found = sum(count * mass for count, mass in zip(counts, ATOMS.values(), strict=True))
        assert MASSES[residue] == pytest.approx(found, abs=0.01)
    assert molecular_weight("G") == pytest.approx(75.067, abs=0.01)  # glycine


def test_sites_are_where_a_bond_can_be_cut() -> None:
    assert find_sites("AKRPKFLWK", TRYPSIN) == [2, 5]  # not before P, not at the end
    assert find_sites("AKRPKFLWK", CHYMOTRYPSIN) == [6, 7, 8]
    assert find_sites("", TRYPSIN) == find_sites("K", TRYPSIN) == []


@given(SEQUENCES)
def test_every_site_is_of_its_protease(sequence: str) -> None:
    found = describe_chemistry(sequence)
    for name, residues in (("trypsin_sites", TRYPSIN), ("chymotrypsin_sites", CHYMOTRYPSIN)):
        assert all(sequence[at - 1] in residues for at in found[name])
        assert found[name] == sorted(set(found[name]))
    assert min(HYDROPATHY.values()) <= mean_hydropathy(sequence) <= max(HYDROPATHY.values())


@given(SEQUENCES, st.floats(0, 14), st.floats(0, 14))
def test_charge_falls_with_ph_and_grows_with_lysine(sequence: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert net_charge(sequence, low) >= net_charge(sequence, high)
    assert net_charge(sequence + "K") > net_charge(sequence) > net_charge(sequence + "E")


def test_charge_at_ph_7_is_nearly_that_of_the_charged_residues() -> None:
    assert net_charge("A") == pytest.approx(0, abs=0.05)
    assert net_charge("KKRRDE") == pytest.approx(2, abs=0.05)
    assert net_charge("H") == pytest.approx(0.24, abs=0.05)


def test_a_residue_that_is_none_of_the_twenty_has_sites_alone() -> None:
    found = describe_chemistry("KUKA")
    assert (found["trypsin_sites"], found["charge"], found["weight"]) == ([1, 3], None, None)
