"""Sequences that came before in the same input: told by hashes while all differ, else by their bytes."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MOST_HASHED: Final = 1 << 16
"""Rows that are told apart by sorting their hashes, anew with each block; a set takes longer, but no longer a block."""
_WORD: Final = 8
_ODD: Final = 0x9E3779B97F4A7C15
_AT_ONCE: Final = 1 << 10
"""Rows hashed at once: what is held meanwhile stays in the processor's cache."""


def pack(codes: NDArray[np.uint8]) -> NDArray[np.void]:
    """Return each row of [N, length] codes as one value that compares by its bytes: [N]."""
    return np.ascontiguousarray(codes).view(np.dtype((np.void, codes.shape[1]))).reshape(-1)


def hash_rows(codes: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a hash [N] of each row of [N, length] codes: equal rows have equal ones, others hardly ever."""
    count, length = codes.shape
    words = -(-length // _WORD)
    factors = np.multiply.accumulate(np.full(words, _ODD, np.uint64))
    padded = np.zeros((min(count, _AT_ONCE), words * _WORD), np.uint8)
    hashes = np.empty(count, np.uint64)
    for start in range(0, count, _AT_ONCE):
        some = codes[start : start + _AT_ONCE]
        padded[: len(some), :length] = some
        np.matmul(padded[: len(some)].view(np.uint64), factors, out=hashes[start : start + len(some)])
    return hashes


class Seen:
    """All sequences of an input until now."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys: set[bytes] = set()
        self._apart: list[NDArray[np.uint8]] = []
        """Blocks, all of whose rows differ by their hashes; they are not among the keys yet."""
        self._hashes = np.empty(0, np.uint64)

    def find_fresh(self, codes: NDArray[np.uint8]) -> NDArray[np.intp] | None:
        """Return which rows of [N, length] codes are the first of their kind, None for all, and remember them."""
        if not self._keys and self._all_differ(codes):
            return None
        for block in self._apart:
            self._keys.update(pack(block).tolist())
        self._apart = []
        return self._find_by_key(codes)

    def _all_differ(self, codes: NDArray[np.uint8]) -> bool:
        """Say whether these rows, and those before, surely differ; they are then remembered."""
        if len(self._hashes) + len(codes) > _MOST_HASHED:
            return False
        hashes = np.concatenate([self._hashes, hash_rows(codes)])
        hashes.sort()
        if (hashes[1:] == hashes[:-1]).any():
            return False
        self._hashes = hashes
        self._apart.append(codes)
        return True

    def _find_by_key(self, codes: NDArray[np.uint8]) -> NDArray[np.intp] | None:
        keys, seen = pack(codes).tolist(), self._keys
        known = len(seen)
        if seen.isdisjoint(keys):
            seen.update(keys)
            if len(seen) == known + len(keys):
                return None
            first = dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))
            return np.sort(np.fromiter(first.values(), np.intp, len(first)))
        fresh: list[int] = []
        for index, key in enumerate(keys):
            if key not in seen:
                seen.add(key)
                fresh.append(index)
        return np.asarray(fresh, np.intp)
