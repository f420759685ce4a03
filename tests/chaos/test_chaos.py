"""A few jobs of `make chaos` in every run of the tests."""

from pathlib import Path

from tests.chaos.files import file
from tests.chaos.running import run


def test_jobs_through_a_service_of_which_a_fifth_of_the_calls_fail(tmp_path: Path) -> None:
    outcomes = run(seed=5, jobs=4, rate=0.2, scratch=tmp_path)
    assert outcomes.wrong == []
    assert outcomes.counts.total() == 4
    assert outcomes.faults.total() > 20


def test_jobs_of_a_seed_are_the_same_every_time() -> None:
    assert [file(5, number) for number in range(9)] == [file(5, number) for number in range(9)]
    assert file(5, 0) != file(6, 0)
