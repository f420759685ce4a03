import numpy as np
import pytest
from numpy.typing import NDArray

from assay.ranking.topk import Rows, TopK


def rows(codes: NDArray[np.uint8], score: NDArray[np.float32]) -> Rows:
    lines = np.arange(1, len(score) + 1)
    return Rows(codes, lines, np.ones(len(score), np.float32), score, None)


def plain(whole: Rows, k: int) -> list[int]:
    """Return the lines of the best `k` by sorting everything."""
    best: dict[bytes, int] = {}
    for index in np.lexsort((whole.lines, -whole.score)).tolist():
        best.setdefault(whole.codes[index].tobytes(), int(whole.lines[index]))
    return list(best.values())[:k]


def lines(whole: Rows, k: int, step: int) -> list[int]:
    top = TopK(k)
    for start in range(0, len(whole), step):
        top.add(whole.pick(slice(start, start + step)))
    best = top.best()
    return [] if best is None else best.lines.tolist()


def scores(kind: str, count: int, random: np.random.Generator) -> NDArray[np.float32]:
    match kind:
        case "ascending":
            return np.arange(count, dtype=np.float32)
        case "descending":
            return -np.arange(count, dtype=np.float32)
        case "ties":
            return np.copysign(np.zeros(count, np.float32), random.standard_normal(count).astype(np.float32))
        case "few":
            return random.integers(0, 7, count).astype(np.float32)
        case _:
            return random.standard_normal(count).astype(np.float32)


@pytest.mark.parametrize("kind", ["ascending", "descending", "ties", "few", "normal"])
@pytest.mark.parametrize(("k", "step"), [(1, 7919), (100, 30_000), (5000, 997)])
def test_the_best_are_those_that_sorting_gives(kind: str, k: int, step: int) -> None:
    random = np.random.default_rng(7)
    codes = random.integers(0, 20, (60_000, 5), np.uint8)
    whole = rows(codes, scores(kind, len(codes), random).astype(np.float32))
    assert lines(whole, k, step) == plain(whole, k)


@pytest.mark.parametrize("k", [1, 10, 3000])
def test_repeated_sequences_count_once_at_their_first_line(k: int) -> None:
    random = np.random.default_rng(11)
    kinds = random.integers(0, 20, (2500, 5), np.uint8)
    worth = random.integers(0, 50, 2500).astype(np.float32)
    drawn = random.integers(0, 2500, 70_000)
    whole = rows(kinds[drawn], worth[drawn])
    assert lines(whole, k, 20_011) == plain(whole, k)


def test_no_rows_have_no_best() -> None:
    assert TopK(3).best() is None


def test_memory_does_not_grow_with_the_rows() -> None:
    top = TopK(10)
    for start in range(0, 400_000, 10_000):
        score = np.arange(start, start + 10_000, dtype=np.float32)
        top.add(rows(np.random.default_rng(start).integers(0, 20, (10_000, 5), np.uint8), score))
        assert top._held <= 10 + 2 * (1 << 14)
