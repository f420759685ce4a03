"""Runs side by side: each input once, the outputs in order, and the bits that a run by itself has."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from assay.errors import BundleInvalid, ModelUnavailable
from assay.models.loading import MANY, Inputs, LoadedModel, Processors, load_folder, load_model
from assay.models.manifest import read_manifest
from assay.models.parallel_runs import PAYS, ParallelRuns, Run
from assay.models.text_classifier import TextClassifier
from assay.telemetry import logger
from tests.conftest import DATA
from tools.models.shipped import newest
from tools.paths import ROOT

TINY = DATA / "tiny-text" / "1"

Act = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def numbered(count: int) -> list[dict[str, NDArray[np.float32]]]:
    return [{"x": np.array([number], np.float32)} for number in range(count)]


def as_run(act: Act) -> Run:
    def run(inputs: Inputs) -> NDArray[np.float32]:
        return act(inputs["x"])

    return run


def runs(acts: Sequence[Act], places: Processors = Processors()) -> ParallelRuns:  # noqa: B008 - it never changes
    made = ParallelRuns(lambda: [as_run(act) for act in acts], len(acts), places)
    assert made.expect(PAYS)
    return made


@cache
def loaded(threads: int, folder: Path = TINY) -> LoadedModel:
    return load_folder(folder, threads)


@given(waits=st.lists(st.integers(0, 2), max_size=30), workers=st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_each_input_has_one_run_and_its_output_stands_in_its_place(waits: list[int], workers: int) -> None:
    seen = list[int]()

    def act(x: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(int(x[0]))
        time.sleep(waits[int(x[0])] / 5000)
        return x * x

    found = runs([act] * workers).run(numbered(len(waits)))
    assert [float(each[0]) for each in found] == [float(number**2) for number in range(len(waits))]
    assert sorted(seen) == list(range(len(waits)))


def test_all_processors_work_at_once() -> None:
    together = threading.Barrier(3, timeout=20)

    def act(x: NDArray[np.float32]) -> NDArray[np.float32]:
        together.wait()
        return x

    assert len(runs([act] * 3).run(numbered(3))) == 3


@pytest.mark.parametrize("culprit", [0, 1])
def test_an_error_is_raised_and_nothing_else_is_begun(culprit: int) -> None:
    begun, failed, together = list[int](), threading.Event(), threading.Barrier(2, timeout=20)

    def work(at: int) -> Act:
        def act(x: NDArray[np.float32]) -> NDArray[np.float32]:
            begun.append(int(x[0]))
            if broken:
                together.wait()
                if at == culprit:
                    failed.set()
                    raise ValueError("broken")
                failed.wait(20)
                time.sleep(0.05)
            return x

        return act

    broken, both = True, runs([work(0), work(1)])
    with pytest.raises(ValueError, match="broken"):
        both.run(numbered(50))
    assert sorted(begun) == [0, 1]
    broken = False
    assert len(both.run(numbered(50))) == 50


def test_a_caller_whose_helpers_are_taken_does_all_by_itself() -> None:
    taken, release = threading.Event(), threading.Event()

    def help_first(x: NDArray[np.float32]) -> NDArray[np.float32]:
        taken.set()
        release.wait(20)
        return x

    def lead(x: NDArray[np.float32]) -> NDArray[np.float32]:
        taken.wait(20)
        return x

    both = runs([lead, help_first])
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(both.run, numbered(2))
        assert taken.wait(20)
        assert len(both.run(numbered(9))) == 9
        assert not first.done()
        release.set()
        assert len(first.result()) == 2


texts = st.lists(st.text("abcdefgh ", min_size=1, max_size=200).map(str.strip).filter(bool), min_size=MANY, unique=True)


def are_made(model: LoadedModel) -> bool:
    """Have the networks made that run side by side, if the model has them; say whether it has."""
    return model.parallel_runs is not None and model.parallel_runs.expect(PAYS)


@given(given_texts=texts, seed=st.randoms())
@settings(max_examples=10, deadline=None)
def test_texts_score_the_same_bits_alone_together_and_in_any_order(given_texts: list[str], seed: object) -> None:
    alone, together = TextClassifier(loaded(1)), TextClassifier(loaded(2))
    shuffled = sorted(given_texts, key=lambda _: seed.random())  # type: ignore[attr-defined]
    assert are_made(loaded(2))
    assert not are_made(loaded(1))
    found = dict(zip(shuffled, together.classify(shuffled), strict=True))
    for text, single in zip(given_texts, (alone.classify([text])[0] for text in given_texts), strict=True):
        assert found[text].scores.tobytes() == single.scores.tobytes()


def test_the_shipped_classifier_gives_the_same_bits_with_one_thread_and_two_and_side_by_side() -> None:
    folder, random = newest(ROOT / "models", "arxiv-archives"), np.random.default_rng(5)
    windows = [
        random.integers(104, 5000, length).astype(np.int32) for length in random.permutation(np.arange(3, 256, 28))
    ]
    ways = [TextClassifier(loaded(threads, folder)) for threads in (1, 2)]
    assert are_made(loaded(2, folder))
    singly = [np.concatenate([way._windows([each]) for each in windows]) for way in ways]
    assert len(np.unique(singly[0])) > len(windows)
    assert {each.tobytes() for each in (*singly, ways[1]._windows(windows))} == {singly[0].tobytes()}


@given(counts=st.lists(st.integers(0, 3 * MANY), max_size=30))
@settings(deadline=None, max_examples=30)
def test_networks_are_made_once_and_only_when_enough_texts_came_in_lists(counts: list[int]) -> None:
    made = list[str]()

    class Single:
        def run(self, inputs: Inputs) -> NDArray[np.float32]:
            return inputs["x"]

    def make() -> list[Run]:
        made.append("networks")
        return [as_run(np.negative)] * 2

    model, asked = LoadedModel(loaded(1).manifest, TINY, Single()), 0
    vars(model)["parallel_runs"] = ParallelRuns(make, 2, Processors())
    for count in counts:
        asked += count if count >= MANY else 0
        sign = -1 if count >= MANY and asked >= PAYS else 1
        assert [int(each[0]) for each in model.run_all(numbered(count))] == [sign * at for at in range(count)]
    assert made == ["networks"] * (asked >= PAYS)


def test_few_texts_make_no_further_networks() -> None:
    model = load_folder(TINY, 2)
    TextClassifier(model).classify([f"dark matter {number}" for number in range(MANY - 1)])
    assert "parallel_runs" not in vars(model)


def test_one_thread_and_another_runtime_run_texts_one_by_one() -> None:
    assert loaded(1).parallel_runs is None
    model = loaded(2)
    other = LoadedModel(replace(model.manifest, format="saved_model"), model.folder, model.runner, 2)
    assert other.parallel_runs is None


def test_a_file_that_is_gone_by_then_costs_time_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, many = list[str](), [f"dark matter {number}" for number in range(MANY)]
    monkeypatch.setattr(logger, "warning", lambda message, **more: told.append(more["model"]))
    model = load_model(TINY, read_manifest(TINY), 2)
    model.tokenizer, model.usual_texts  # noqa: B018 - reads them
    moved = LoadedModel(model.manifest, tmp_path, model.runner, 2)
    vars(moved).update(tokenizer=model.tokenizer, usual_texts=model.usual_texts)
    assert not are_made(moved)
    found, expected = TextClassifier(moved).classify(many), TextClassifier(model).classify(many)
    assert [each.scores.tobytes() for each in found] == [each.scores.tobytes() for each in expected]
    assert told == ["tiny-text"]


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (RuntimeError("no"), ModelUnavailable, "tiny-text 1 failed while it ran"),
        (BundleInvalid("bad"), BundleInvalid, "bad"),
    ],
)
def test_a_failure_is_told_as_that_of_one_run(error: Exception, raised: type[Exception], said: str) -> None:
    def fail(inputs: Inputs) -> NDArray[np.float32]:
        raise error

    model = load_folder(TINY, 2)
    vars(model)["parallel_runs"] = ParallelRuns(lambda: [fail, fail], 2, Processors())
    assert are_made(model)
    with pytest.raises(raised, match=said):
        TextClassifier(model).classify([f"dark matter {number}" for number in range(MANY)])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads are placed on Linux alone")
def test_helpers_keep_to_the_other_processors_and_the_caller_stays_free() -> None:
    usable = tuple(sorted(os.sched_getaffinity(0)))
    if len(usable) < 2:
        pytest.skip("one processor")
    kept, together = list[frozenset[int]](), threading.Barrier(2, timeout=20)

    def act(x: NDArray[np.float32]) -> NDArray[np.float32]:
        kept.append(frozenset(os.sched_getaffinity(0)))
        together.wait()
        return x

    runs([act, act], Processors(usable)).run(numbered(2))
    assert set(kept) == {frozenset(usable), frozenset(usable[1:])}
    assert os.sched_getaffinity(0) == set(usable)
