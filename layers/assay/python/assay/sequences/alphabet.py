"""The byte table of an alphabet, and residues from its codes."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assay.sequences.contract import DEFAULT, Contract

# Codes above every residue: what a byte is when it is not a residue.
BLANK: Final = 0xFC
NEWLINE: Final = 0xFD
NON_ASCII: Final = 0xFE
UNKNOWN: Final = 0xFF


@lru_cache(maxsize=64)
def byte_table(alphabet: str, gaps: str = "") -> bytes:
    """Return the 256 codes for `bytes.translate`: residue indices, else BLANK, NEWLINE, NON_ASCII or UNKNOWN.

    Symbols of `gaps` are blanks.
    """
    table = bytearray([UNKNOWN] * 0x80 + [NON_ASCII] * 0x80)
    for symbol in f" \t{gaps}":
        table[ord(symbol)] = BLANK
    table[ord("\n")] = NEWLINE
    for index, symbol in enumerate(alphabet):
        table[ord(symbol)] = table[ord(symbol.lower())] = index
    return bytes(table)


def decode(codes: NDArray[np.uint8], contract: Contract = DEFAULT) -> list[str]:
    """Return the upper-case sequences of `codes`, alphabet indices of shape [N, length]."""
    letters = np.frombuffer(contract.alphabet.encode("ascii"), np.uint8)
    text = letters[codes].tobytes().decode("ascii")
    width = codes.shape[1]
    return [text[start : start + width] for start in range(0, len(text), width)]
