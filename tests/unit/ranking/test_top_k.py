import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.ranking import ranker
from assay.ranking.duplicates import pack
from assay.ranking.ranker import Rows, TopK, concatenate, weigh

HEAVY = 64 << 20
"""Bytes of labels that wait at once, as its documentation has it."""


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


@pytest.mark.parametrize("label", [None, ("a", ("x",))])
def test_a_row_that_ties_with_the_last_of_the_best_is_not_held(label: tuple[str, tuple[str, ...]] | None) -> None:
    top = TopK(2)
    top.add(numbered(0, [3, 2, 2], label), HEAVY + 1)
    held = top._held
    top.add(numbered(3, [2, 2, 1], label), 1)
    assert (top._held, top._weight) == (held, 0)
    top.add(numbered(6, [2, 5, 2], label), 1)
    assert (top._held, top._weight) == (held + 1, 1)
    best = top.best()
    assert best is not None
    assert best.lines.tolist() == [8, 1]


def numbered(start: int, worth: list[float], label: tuple[str | None, tuple[str, ...]] | None = None) -> Rows:
    """Return rows of different sequences; the first has line `start` + 1."""
    count = len(worth)
    codes = np.arange(start, start + count, dtype=np.uint32).view(np.uint8).reshape(count, 4)
    labels = np.fromiter([label] * count, np.object_, count) if label else None
    scores = np.asarray(worth, np.float32)
    return Rows(codes, np.arange(start + 1, start + count + 1), np.ones(count, np.float32), scores, labels)


def test_what_waits_is_sorted_before_it_is_heavy_or_many_and_not_for_each_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sorts: list[int] = []
    top = TopK(10)

    def note(parts: list[Rows]) -> Rows:
        sorts.append(sum(map(len, parts)))
        return concatenate(parts)

    monkeypatch.setattr(ranker, "concatenate", note)
    for at in range(9):
        top.add(numbered(at * 4, [at, at, at, at], ("a", ())), HEAVY // 3)
        assert top._weight <= HEAVY
    assert sorts == [16, 26]
    for at in range(9, 12):
        top.add(numbered(at * 10_000, np.arange(10_000.0).tolist(), ("a", ())))
        assert top._held <= 10 + 2 * (1 << 14)
    assert len(sorts) == 3
    assert sorts[-1] > 1 << 14


@given(st.lists(st.tuples(st.none() | st.text(max_size=9), st.lists(st.text(max_size=9)).map(tuple)), max_size=9))
def test_labels_weigh_their_letters_and_64_bytes_a_cell(labels: list[tuple[str | None, tuple[str, ...]]]) -> None:
    plainly = 0
    for name, cells in labels:
        for cell in (name or "", *cells):
            plainly += 64 + len(cell)
    assert weigh(labels) == plainly


@pytest.mark.parametrize(("most", "shed"), [(None, False), (2 * 131 - 1, True), (2 * 131, False), (2 * 131 + 1, False)])
def test_labels_of_the_best_are_let_go_where_they_are_too_large_to_hold(most: int | None, shed: bool) -> None:
    top = TopK(2, most)
    top.add(numbered(0, [1, 2, 3], ("a", ("bc",))), HEAVY)
    assert not top.shed
    top.add(numbered(3, [2.5], ("a", ("bc",))), 1)
    assert top.shed is shed
    top.add(numbered(4, [9], ("a", ("bc",))), HEAVY + 1)
    best = top.best()
    assert best is not None
    assert best.lines.tolist() == [5, 3]
    assert (best.labels is None) is shed
    assert top.shed is shed


def test_labels_that_never_waited_in_number_are_not_weighed() -> None:
    top = TopK(2, 1)
    top.add(numbered(0, [1, 2], ("a", ("bc",))), HEAVY)
    best = top.best()
    assert best is not None
    assert best.labels is not None
    assert not top.shed
    bare = TopK(2, 0)
    bare.add(numbered(0, [1, 2]), HEAVY + 1)
    assert not bare.shed


def test_parts_are_joined_with_their_labels_and_one_is_as_it_is() -> None:
    one, two = numbered(0, [1, 2], ("a", ())), numbered(2, [3], ("b", ("c",)))
    assert concatenate([one]) is one
    whole = concatenate([one, two])
    assert whole.labels is not None
    assert [*whole.labels] == [("a", ()), ("a", ()), ("b", ("c",))]
    assert whole.lines.tolist() == [1, 2, 3]
    assert concatenate([numbered(0, [1]), numbered(1, [2])]).labels is None


@pytest.mark.parametrize(
    ("distinct", "count", "looked"),
    [(100, 60_000, [200]), (300, 200, [200]), (50, 200, [200]), (99, 1000, [200, 800, 1000])],
)
def test_repeats_are_looked_for_no_further_than_they_must_be(
    distinct: int, count: int, looked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The best 100 of so many rows, of which so many differ, the others after them."""
    seen: list[int] = []

    def note(codes: NDArray[np.uint8]) -> NDArray[np.void]:
        seen.append(len(codes))
        return pack(codes)

    monkeypatch.setattr(ranker, "pack", note)
    codes = np.minimum(np.arange(count, dtype=np.uint32), distinct - 1).view(np.uint8).reshape(count, 4)
    top = TopK(100)
    top._parts = [rows(codes, -np.arange(count, dtype=np.float32))]
    assert top.best() is not None
    assert seen == looked
