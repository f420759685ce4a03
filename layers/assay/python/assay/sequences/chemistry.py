"""What a protease and a solvent see of a protein: cleavage sites, charge, hydrophobicity, weight."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final

from assay.sequences.blocks import Block
from assay.sequences.measured import MeasuredSequences, describe_nearest

TRYPSIN: Final = "KR"
CHYMOTRYPSIN: Final = "FYWLM"
PH: Final = 7.0
HYDROPATHY: Final = {
    **{"A": 1.8, "R": -4.5, "N": -3.5, "D": -3.5, "C": 2.5, "Q": -3.5, "E": -3.5, "G": -0.4, "H": -3.2, "I": 4.5},
    **{"L": 3.8, "K": -3.9, "M": 1.9, "F": 2.8, "P": -1.6, "S": -0.8, "T": -0.7, "W": -0.9, "Y": -1.3, "V": 4.2},
}
"""Kyte and Doolittle, J. Mol. Biol. 157:105 (1982), doi:10.1016/0022-2836(82)90515-0."""
MASSES: Final = {
    **{"A": 71.0788, "R": 156.1875, "N": 114.1038, "D": 115.0886, "C": 103.1388, "Q": 128.1307, "E": 129.1155},
    **{"G": 57.0519, "H": 137.1411, "I": 113.1594, "L": 113.1594, "K": 128.1741, "M": 131.1926, "F": 147.1766},
    **{"P": 97.1167, "S": 87.0782, "T": 101.1051, "W": 186.2132, "Y": 163.1760, "V": 99.1326},
}
"""Average masses of residues in daltons, as proteomics tables give them."""
WATER: Final = 18.01528
# pKa values of EMBOSS's iep, with the charge that a group takes or gives.
_BASES: Final = {"K": 10.8, "R": 12.5, "H": 6.5}
_ACIDS: Final = {"D": 3.9, "E": 4.1, "C": 8.5, "Y": 10.1}
_AMINO_END: Final = 8.6
_CARBOXYL_END: Final = 3.6


def find_sites(sequence: str, residues: str) -> list[int]:
    """Return the 1-based positions of residues after which a protease may cut.

    It does not cut before proline (Keil, Specificity of Proteolysis, 1992), nor where the sequence ends.
    """
    pairs = enumerate(pairwise(sequence), 1)
    return [at for at, (residue, following) in pairs if residue in residues and following != "P"]


def net_charge(sequence: str, ph: float = PH) -> float:
    """Return the net charge of an unfolded chain with free ends, in elementary charges (Henderson-Hasselbalch)."""
    bases = [_AMINO_END, *(_BASES[each] for each in sequence if each in _BASES)]
    acids = [_CARBOXYL_END, *(_ACIDS[each] for each in sequence if each in _ACIDS)]
    return sum(1 / (1 + 10 ** (ph - pka)) for pka in bases) - sum(1 / (1 + 10 ** (pka - ph)) for pka in acids)


def mean_hydropathy(sequence: str) -> float:
    """Return the grand average of hydropathy (GRAVY). Raises KeyError for another residue than the standard 20."""
    return sum(HYDROPATHY[each] for each in sequence) / len(sequence)


def molecular_weight(sequence: str) -> float:
    """Return the average weight of a chain in daltons. Raises KeyError for another residue than the standard 20."""
    return sum(MASSES[each] for each in sequence) + WATER


def describe_chemistry(sequence: str) -> dict[str, Any]:
    """Return sites, charge at pH 7, hydrophobicity, weight; numbers are None if a residue is not one of the 20."""
    known = set(sequence) <= HYDROPATHY.keys()
    return {
        "trypsin_sites": find_sites(sequence, TRYPSIN),
        "chymotrypsin_sites": find_sites(sequence, CHYMOTRYPSIN),
        "charge": round(net_charge(sequence), 2) if known else None,
        "hydrophobicity": round(mean_hydropathy(sequence), 3) if known else None,
        "weight": round(molecular_weight(sequence), 2) if known else None,
    }


def describe_sequences(blocks: Iterable[Block], measured: MeasuredSequences | None = None) -> Iterator[dict[str, Any]]:
    """Yield what is seen of each sequence, with its line and id, in input order, and its nearest measured ones."""
    for block in blocks:
        for row, codes in enumerate(block.codes):
            sequence = "".join(block.contract.alphabet[code] for code in codes)
            named = {"line": int(block.lines[row]), "id": block.ids[row] if block.ids else None}
            near = {"nearest": describe_nearest(measured, codes, block.contract)} if measured else {}
            yield {"sequence": sequence, **named, **describe_chemistry(sequence), **near}
