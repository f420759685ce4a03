"""The alphabet and length that a sequence must have. Stands on no NumPy, which the portal lacks."""

from dataclasses import dataclass, field
from typing import Any, Final

from assay.errors import BundleInvalid

MAX_SYMBOLS: Final = 128
MAX_LENGTH: Final = 65_536


GAP_SYMBOLS: Final = "-.~_"
"""What alignments write for no residue."""
LINKER: Final = "LESSGGS"
"""What pads the assay's designs of 43 residues to 50."""


@dataclass(frozen=True, slots=True)
class Lenience:
    """What a caller forgives: a final "*" and gaps are removed, the linker pads sequences too short by its length."""

    terminator: bool = True
    gaps: bool = False
    pad: bool = False


def _derive() -> Any:
    """Return the field of what follows from the others."""
    return field(init=False, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Contract:
    """What a model reads: sequences of `length` residues from `alphabet`, whose order gives the indices.

    `lenience` says what else a caller may write, which is made such a sequence first.
    Raises `BundleInvalid` where the alphabet or the length cannot be one.
    """

    alphabet: str = "ACDEFGHIKLMNPQRSTVWY"
    length: int = 50
    lenience: Lenience = Lenience()
    gaps: str = _derive()
    """The symbols that are removed as an alignment's gaps: none that the alphabet has."""
    terminated: bool = _derive()
    """Whether a final "*" is taken off."""
    numbered: bool = _derive()
    """Whether digits can only be numbers of lines."""
    padded: int = _derive()
    """The length of what the linker pads, 0 where nothing is padded."""

    def __post_init__(self) -> None:
        """Refuse alphabets whose bytes could not be told apart, and derive the rest."""
        if not 1 <= self.length <= MAX_LENGTH:
            raise BundleInvalid(f"a sequence length of {self.length} is not within 1..{MAX_LENGTH}")
        if not 1 <= len(self.alphabet) <= MAX_SYMBOLS or len(set(self.alphabet)) != len(self.alphabet):
            raise BundleInvalid(f"an alphabet has 1..{MAX_SYMBOLS} different symbols, not {self.alphabet!r}")
        if not all("!" <= symbol <= "~" and not symbol.islower() for symbol in self.alphabet):
            raise BundleInvalid(f"an alphabet is of printable upper-case ASCII, not {self.alphabet!r}")
        gaps = [symbol for symbol in GAP_SYMBOLS if self.lenience.gaps and symbol not in self.alphabet]
        fits = self.lenience.pad and {*LINKER} <= {*self.alphabet}
        object.__setattr__(self, "gaps", "".join(gaps))
        object.__setattr__(self, "terminated", self.lenience.terminator and "*" not in self.alphabet)
        object.__setattr__(self, "numbered", not any(symbol.isdigit() for symbol in self.alphabet))
        object.__setattr__(self, "padded", max(self.length - len(LINKER), 0) if fits else 0)


DEFAULT: Final = Contract()


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of `size` residues at 0, `step`, 2 `step`, ...; what is left at the end, shorter, is in none."""

    size: int
    step: int = 1
