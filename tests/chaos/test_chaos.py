"""A few jobs of `make chaos` in every run of the tests."""

from pathlib import Path

import pytest

from tests.chaos.cancelling import everywhere
from tests.chaos.faults import KINDS, WRONG, Faults
from tests.chaos.files import again, file
from tests.chaos.running import run

pytestmark = pytest.mark.slow


def test_jobs_through_a_service_of_which_a_fifth_of_the_calls_fail(tmp_path: Path) -> None:
    outcomes = run(seed=7, jobs=4, rate=0.2, scratch=tmp_path)
    assert outcomes.wrong == []
    assert outcomes.counts.total() == outcomes.dropped > 4
    assert outcomes.faults.total() > 20


def test_a_job_cancelled_at_any_call_and_killed_after_it_says_the_same_everywhere(tmp_path: Path) -> None:
    runs, wrong = everywhere(tmp_path, range(0, 7, 3), step=3)
    assert wrong == []
    assert runs > 15


def test_answers_that_are_wrong_are_among_the_faults() -> None:
    kinds = {Faults(1, 1.0).fate(f"call {at}") for at in range(400)}
    assert kinds == set(KINDS) > set(WRONG)


def test_a_key_dropped_again_has_another_file_of_the_same_kind() -> None:
    for number in range(20):
        one = file(5, number)
        assert again(one).key == one.key
        assert again(one).body != one.body


def test_jobs_of_a_seed_are_the_same_every_time() -> None:
    assert [file(5, number) for number in range(9)] == [file(5, number) for number in range(9)]
    assert file(5, 0) != file(6, 0)
