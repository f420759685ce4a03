"""From the results of shards to one sequence of them: all, in order, of this plan; wrong ones are taken back."""

import random
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from assay.errors import AssayError, ShardFailed, Unaccounted
from assay.jobs.merging import CutInRow, collect_results, locate
from assay.jobs.workspace import JobPlan, ShardResult, Source


def manifest(shards: int, each: int = 10) -> JobPlan:
    return JobPlan("j", "rank", Source("uploads", "rank/a.txt", shards * each, "e"), "lines", each, shards, {})


@dataclass
class Held:
    """Working objects in memory; those of early shards are slow to come."""

    made: dict[int, ShardResult] = field(default_factory=dict)
    voided: list[tuple[int, str]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def list_done(self) -> list[int]:
        return sorted(self.made)

    def find_result(self, shard: int, pin: str) -> ShardResult | None:
        self.asked.append(shard)
        time.sleep(random.Random(shard).random() / 500)
        result = self.made[shard]
        return result if result.pin == pin else None

    def void(self, shard: int, error: AssayError) -> None:
        self.voided.append((shard, type(error).__name__))


def held(plan: JobPlan) -> Any:
    made = {
        at: ShardResult(at, plan.pin, 1, {}, first=at * plan.shard_bytes, size=plan.shard_bytes)
        for at in range(plan.shards)
    }
    return Held(made)


@pytest.mark.parametrize("shards", [1, 2, 7, 8, 9, 16, 23])
def test_all_results_come_in_order(shards: int) -> None:
    plan = manifest(shards)
    working = held(plan)
    assert [result.shard for result in collect_results(working, plan)] == list(range(shards))
    assert sorted(working.asked) == list(range(shards))
    assert working.voided == []


def test_no_more_than_eight_are_fetched_ahead() -> None:
    plan = manifest(40)
    working = held(plan)
    results = collect_results(working, plan)
    for at in range(10):
        assert next(results).shard == at
        time.sleep(0.02)
        assert at < len(working.asked) <= at + 8


@pytest.mark.parametrize("missing", [[0], [22], [3, 4, 5, 6, 7, 8, 9]])
def test_missing_shards_are_named_before_any_is_fetched(missing: list[int]) -> None:
    plan = manifest(23)
    working = held(plan)
    for shard in missing:
        del working.made[shard]
    with pytest.raises(ShardFailed, match=r"left no result$") as told:
        list(collect_results(working, plan))
    assert told.value.details["shards"] == missing[:5]
    assert working.asked == []


@pytest.mark.parametrize("shard", [0, 7, 8, 14, 15, 22])
def test_a_result_of_another_plan_is_named_by_its_own_place(shard: int) -> None:
    plan = manifest(23)
    working = held(plan)
    working.made[shard] = replace(working.made[shard], pin="another")
    with pytest.raises(ShardFailed, match=rf"^shard {shard + 1} of 23 .* left no result of this plan$") as told:
        list(collect_results(working, plan))
    assert told.value.details["shards"] == [shard]


@pytest.mark.parametrize("shard", [0, 9, 22])
def test_a_shard_that_was_cut_within_a_row_ends_it(shard: int) -> None:
    plan = manifest(23)
    working = held(plan)
    working.made[shard] = replace(working.made[shard], cut=True)
    with pytest.raises(CutInRow):
        list(collect_results(working, plan))


def test_results_that_do_not_add_up_are_yielded_and_taken_back() -> None:
    plan = manifest(5)
    working = held(plan)
    working.made[3] = replace(working.made[3], counts={"received": 1})
    results = collect_results(working, plan)
    assert [next(results).shard for _ in range(5)] == [0, 1, 2, 3, 4]
    assert working.voided == []
    with pytest.raises(Unaccounted):
        next(results)
    assert working.voided == [(3, "Unaccounted")]


@pytest.mark.parametrize(
    ("shards", "told"),
    [
        ([2], "shard 3 of 9 (bytes 2,000 to 2,999) of rank/a.txt"),
        ([0, 8], "shard 1 of 9 (bytes 0 to 999), shard 9 of 9 (bytes 8,000 to 8,999) of rank/a.txt"),
        ([0, 1, 2, 3, 4], ", shard 5 of 9 (bytes 4,000 to 4,999) of rank/a.txt"),
        ([0, 1, 2, 3, 4, 5, 6], ", shard 5 of 9 (bytes 4,000 to 4,999) and 2 more of rank/a.txt"),
    ],
)
def test_shards_are_told_by_number_and_bytes(shards: list[int], told: str) -> None:
    assert locate(manifest(9, 1000), shards).endswith(told)


def test_a_shard_of_an_empty_file_ends_where_it_begins() -> None:
    plan = JobPlan("j", "rank", Source("uploads", "rank/a.txt", 0, "e"), "lines", 10, 1, {})
    assert locate(plan, [0]) == "shard 1 of 1 (bytes 0 to 0) of rank/a.txt"
