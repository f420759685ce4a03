"""What is forgiven in a sequence: blanks and numbers within it, a final "*", gaps, and seven residues too few."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from assay.residues import LINKER, Contract
from assay.text.records import Notice, notice

STRIPPED: Final = "terminator_stripped"
REMOVED: Final = "gaps_removed"
PADDED: Final = "padded"
_SAID: Final = {
    STRIPPED: "a final '*' was taken off: it ends a protein and is no residue (terminator=reject rejects it)",
    REMOVED: "gaps were removed, as gaps=remove asks",
    PADDED: f"{LINKER} was appended to sequences that lack its length, as pad=linker asks",
}


class Tidied(NamedTuple):
    """A sequence as it is judged, and what was done to it that a caller is told."""

    text: bytes
    done: tuple[str, ...] = ()


def tidy(text: bytes, contract: Contract) -> Tidied:
    """Return a sequence without what is forgiven."""
    gaps = contract.gaps.encode()
    done = []
    words = text.translate(_SPACED).split(b" ")
    letters = [word for word in words if word and not word.isdigit()] if contract.numbered else words
    found = b"".join(letters or words)
    if gaps and len(found.translate(None, gaps)) < len(found):
        found = found.translate(None, gaps)
        done.append(REMOVED)
    if contract.terminated and found.endswith(b"*"):
        found = found[:-1]
        done.append(STRIPPED)
    if contract.padded and len(found) == contract.padded:
        found += LINKER.encode()
        done.append(PADDED)
    return Tidied(found, tuple(done))


def tell(code: str, lines: Iterable[int]) -> Notice:
    """Return the notice of what was done to sequences of some lines."""
    return notice(code, _SAID[code], sorted(lines))


_SPACED: Final = bytes.maketrans(b"\t\r\n", b"   ")
