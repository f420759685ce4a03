"""The alphabet and length that a sequence must have, and the byte table made from them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from assay.errors import BundleInvalid

# Codes above every residue: what a byte is when it is not a residue.
BLANK: Final = 0xFC
NEWLINE: Final = 0xFD
NON_ASCII: Final = 0xFE
UNKNOWN: Final = 0xFF
MAX_SYMBOLS: Final = 128
MAX_LENGTH: Final = 65_536


@dataclass(frozen=True, slots=True)
class Contract:
    """What a model reads: sequences of `length` residues from `alphabet`, whose order gives the indices.

    Raises `BundleInvalid` where the alphabet or the length cannot be one.
    """

    alphabet: str = "ACDEFGHIKLMNPQRSTVWY"
    length: int = 50

    def __post_init__(self) -> None:
        """Refuse alphabets whose bytes could not be told apart."""
        if not 1 <= self.length <= MAX_LENGTH:
            raise BundleInvalid(f"a sequence length of {self.length} is not within 1..{MAX_LENGTH}")
        if not 1 <= len(self.alphabet) <= MAX_SYMBOLS or len(set(self.alphabet)) != len(self.alphabet):
            raise BundleInvalid(f"an alphabet has 1..{MAX_SYMBOLS} different symbols, not {self.alphabet!r}")
        if not all("!" <= symbol <= "~" and not symbol.islower() for symbol in self.alphabet):
            raise BundleInvalid(f"an alphabet is of printable upper-case ASCII, not {self.alphabet!r}")


DEFAULT: Final = Contract()


@lru_cache(maxsize=64)
def byte_table(alphabet: str) -> bytes:
    """Return the 256 codes for `bytes.translate`: residue indices, else BLANK, NEWLINE, NON_ASCII or UNKNOWN."""
    table = bytearray([UNKNOWN] * 0x80 + [NON_ASCII] * 0x80)
    table[ord(" ")] = table[ord("\t")] = BLANK
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
