"""The alphabet and length that a sequence must have. Stands on no NumPy, which the portal lacks."""

from dataclasses import dataclass
from typing import Final

from assay.errors import BundleInvalid

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
