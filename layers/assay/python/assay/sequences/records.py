"""What parsing gives: blocks of encoded sequences, and the records that were refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.residues import DEFAULT, Contract
from assay.text.records import Notice

LENGTH: Final = "length"
RESIDUE: Final = "residue"
EMPTY: Final = "empty"
MALFORMED: Final = "malformed"
ENCODING: Final = "encoding"
TOO_LONG: Final = "too_long_line"
NOT_FINITE: Final = "not_finite"
REASONS: Final = (LENGTH, RESIDUE, EMPTY, ENCODING, TOO_LONG, MALFORMED, NOT_FINITE)
"""Why a record of a ranking may be refused."""


class Reject(NamedTuple):
    """A record that was received and not scored: its 1-based line, a stable reason, and what exactly is wrong."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on memory: bytes and records worked on at once, and bytes of the longest record that is read."""

    block_bytes: int = 1 << 20
    block_records: int = 1 << 15
    record_bytes: int = 1 << 20


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Block:
    """One parsed stretch of input, N sequences in input order; N + len(rejects) records were received."""

    codes: NDArray[np.uint8]
    """[N, length] alphabet indices; rows may be strided."""
    lines: NDArray[np.int64]
    """[N] 1-based lines, ascending (FASTA: the header's; JSON: the position in the list)."""
    ids: list[str] | None = None
    extra: Sequence[tuple[str, ...]] | None = None
    rejects: list[Reject] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    contract: Contract = DEFAULT
    notices: list[Notice] = field(default_factory=list)

    @property
    def received(self) -> int:
        """Return how many records this stretch of input held."""
        return len(self.lines) + len(self.rejects)


def rejected_block(rejects: list[Reject], contract: Contract) -> Block:
    """Return a block of no sequences."""
    none = np.empty((0, contract.length), np.uint8)
    return Block(none, np.empty(0, np.int64), rejects=rejects, contract=contract)


def too_long(line: int, limits: Limits) -> Reject:
    """Return the reject for a record over the longest that is read."""
    return Reject(line, TOO_LONG, f"over {limits.record_bytes} bytes")
