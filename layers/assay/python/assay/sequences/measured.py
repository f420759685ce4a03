"""Measured sequences, and which of them are nearest to another: those that differ from it at the fewest positions.

The distance is Hamming's: substitutions alone, position by position. One residue more or less at the front makes two
sequences of one length differ nearly everywhere.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.sequences.blocks import decode
from assay.sequences.contract import Contract

NEAREST: Final = 3
"""Measured sequences that are shown of one."""


@dataclass(frozen=True, eq=False, slots=True)
class MeasuredSequences:
    """N sequences and V values of each.

    `positions` uint8 [length, N] has alphabet indices by position, `values` float32 [V, N] NaN where nothing was
    measured, `names` UTF-8 with an LF behind each of N names, `ends` int64 [N] the places of those.
    """

    columns: tuple[str, ...]
    positions: npt.NDArray[np.uint8]
    values: npt.NDArray[np.float32]
    names: bytes
    ends: npt.NDArray[np.int64]

    def distances(self, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return at how many positions each [N] differs from alphabet indices [length], length <= 255."""
        found = np.zeros(self.positions.shape[1], np.uint8)
        for column, code in zip(self.positions, codes, strict=True):
            found += (column != code).view(np.uint8)
        return found

    def nearest(self, codes: npt.NDArray[np.uint8], most: int = NEAREST) -> list[tuple[int, int]]:
        """Return (index, distance) of the nearest, at most so many; of equally near ones those that come first."""
        found = self.distances(codes)
        most = min(most, len(found))
        near = np.flatnonzero(found <= np.partition(found, most - 1)[most - 1])
        chosen = near[np.argsort(found[near], kind="stable")[:most]]
        return [(int(at), int(found[at])) for at in chosen]

    def name(self, at: int) -> str | None:
        """Return the name of one, None where it has none."""
        start = int(self.ends[at - 1]) + 1 if at else 0
        return self.names[start : int(self.ends[at])].decode() or None

    def values_of(self, at: int) -> dict[str, float | None]:
        """Return the values of one by column, each the shortest decimal that names its float32."""
        pairs = zip(self.columns, self.values[:, at], strict=True)
        return {column: None if np.isnan(value) else float(str(value)) for column, value in pairs}


def describe_nearest(
    known: MeasuredSequences, codes: npt.NDArray[np.uint8], contract: Contract
) -> list[dict[str, Any]]:
    """Return the measured sequences nearest to alphabet indices [length], the nearest first."""
    return [_describe(known, at, distance, codes, contract) for at, distance in known.nearest(codes)]


def _describe(
    known: MeasuredSequences, at: int, distance: int, codes: npt.NDArray[np.uint8], contract: Contract
) -> dict[str, Any]:
    [measured] = decode(known.positions[None, :, at], contract)
    [given] = decode(codes[None], contract)
    pairs = enumerate(zip(measured, given, strict=True), 1)
    return {
        "name": known.name(at),
        "sequence": measured,
        "distance": distance,
        "identity": round(1 - distance / len(given), 4),
        "differences": [f"{before}{place}{after}" for place, (before, after) in pairs if before != after],
        "values": known.values_of(at),
    }
