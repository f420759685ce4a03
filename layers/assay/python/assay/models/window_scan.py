"""Windows of long sequences scored together: what neighbours share of the network is computed once.

A bundle whose network has no padding may carry a second file. It scores every window of a long sequence at once, and
gives each the bits that it has alone. Rows that overlap are found by their residues, so that nobody says that they do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
Scores = NDArray[np.float32]
Index = NDArray[np.intp]

SAVING: Final = 8
"""Places of a scan that take less time than a window by itself: rows that are spread wider are scored one by one."""
_MOST_STEP: Final = SAVING
_KEY: Final = 8
_LOOK: Final = 1024
_PIECE: Final = 2048


@dataclass(frozen=True, eq=False, slots=True)
class Overlap:
    """Rows [N] that are windows of one `text`, and the place of it that each begins at."""

    rows: Index
    text: Codes
    places: Index


def find_overlap(codes: Codes) -> Overlap | None:
    """Return those of [N, length] rows that are windows of few longer sequences, None where they are not many enough.

    A row counts that begins a few residues behind the row before it, in a run that is worth a scan.
    """
    if codes.shape[1] <= _KEY or len(codes) < 2 or not (_find_steps(codes[:_LOOK])[1:] < codes.shape[1]).any():
        return None
    steps = _find_steps(codes)
    rows = np.flatnonzero(_is_worth(steps, codes.shape[1]))
    if not len(rows):
        return None
    kept, steps = (codes, steps) if len(rows) == len(codes) else (codes[rows], steps[rows])
    text, places = _join(kept, steps)
    same = _compare(text, places, kept)
    return Overlap(rows, text, places) if same.all() else Overlap(rows[same], text, places[same])


def _find_steps(codes: Codes) -> Index:
    """Return how many residues behind the row before it each row [N] seems to begin; its length where it does not.

    Only the ends are compared, so that rows which merely end alike may be taken for windows.
    """
    length = codes.shape[1]
    steps = np.full(len(codes), length, np.intp)
    before, after, left = codes[:-1], codes[1:], np.arange(1, len(codes))
    for step in range(1, min(_MOST_STEP, length - _KEY) + 1):
        found = _keys(before, step) == _keys(after, 0)
        found &= _keys(before, length - _KEY) == _keys(after, length - _KEY - step)
        steps[left[found]] = step
        before, after, left = before[~found], after[~found], left[~found]
    return steps


def _keys(codes: Codes, at: int) -> NDArray[np.uint64]:
    """Return the residues [at, at + 8) of each row as one number [N]."""
    return np.ascontiguousarray(codes[:, at : at + _KEY]).view(np.uint64)[:, 0]


def _is_worth(steps: Index, length: int) -> NDArray[np.bool_]:
    """Say which rows [N] are in a run that a scan scores sooner than one by one."""
    starts = np.flatnonzero(steps == length)
    counts = np.diff(np.append(starts, len(steps)))
    residues = np.add.reduceat(steps, starts)
    return np.repeat(residues < SAVING * counts, counts)


def _join(codes: Codes, steps: Index) -> tuple[Codes, Index]:
    """Return the text whose windows the rows are, run behind run, and the place of each row in it."""
    length = codes.shape[1]
    ends = np.cumsum(steps)
    text = np.empty(int(ends[-1]), np.uint8)
    text[ends - 1] = codes[:, -1]
    wide = np.flatnonzero(steps > 1)
    for back in range(1, _MOST_STEP):
        wide = wide[steps[wide] > back]
        text[ends[wide] - 1 - back] = codes[wide, length - 1 - back]
    first = np.flatnonzero(steps == length)
    text[ends[first, None] - length + np.arange(length)] = codes[first]
    return text, ends - length


def _compare(text: Codes, places: Index, codes: Codes) -> NDArray[np.bool_]:
    """Say which rows [N] are the windows of the text at their places; by pieces, which stay in a processor's cache."""
    view = np.lib.stride_tricks.sliding_window_view(text, codes.shape[1])
    same = np.ones(len(codes), np.bool_)
    for start in range(0, len(codes), _PIECE):
        piece = slice(start, start + _PIECE)
        found = view[places[piece]]
        if not np.array_equal(found, codes[piece]):
            same[piece] = (found == codes[piece]).all(axis=1)
    return same


class WindowScan:
    """Scores every window of a text of any length, by a network that reads `residues` at once."""

    def __init__(self, run: Callable[[Codes], Scores], length: int, residues: int) -> None:
        """Take what gives the scores of one text [1, residues], of whose windows each has `length`."""
        self._run, self._length, self._residues = run, length, residues

    def score(self, text: Codes) -> Scores:
        """Return the scores of all windows of a text [T]: [T - length + 1]."""
        at_once = self._residues - self._length + 1
        count = len(text) - self._length + 1
        scores = np.empty(count, np.float32)
        for start in range(0, count, at_once):
            part = np.zeros((1, self._residues), np.uint8)
            given = text[start : start + self._residues]
            part[0, : len(given)] = given
            found = self._run(part).reshape(-1)[:at_once]
            scores[start : start + at_once] = found[: count - start]
        return scores
