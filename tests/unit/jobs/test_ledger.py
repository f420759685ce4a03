"""A job's books, by themselves: what adds up is taken, whatever does not is refused with the shards to do again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import Unaccounted
from assay.jobs.merging import OUTCOMES, Ledger, adds_up
from assay.jobs.workspace import JobPlan, ShardResult, Source

COUNTS = {"received": 10, "scored": 7, "passed": 3, "rejected": 2, "duplicates": 1}


def manifest(size: int, shards: int = 1) -> JobPlan:
    step = -(-size // shards) if size else 1
    return JobPlan("j", "rank", Source("uploads", "rank/a.txt", size, "e"), "lines", max(step, 1), shards, {})


def enter(results: list[ShardResult], size: int) -> Ledger:
    ledger = Ledger(manifest(size))
    for result in results:
        ledger.enter(result)
    return ledger


def split(sizes: list[int]) -> list[ShardResult]:
    """Return honest results of shards that own so many bytes; one that owns none says it begins nowhere."""
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    return [
        ShardResult(at, "pin", 1, COUNTS, first=start if size else 0, size=size)
        for at, (start, size) in enumerate(zip(starts, sizes, strict=True))
    ]


sizes = st.lists(st.integers(0, 50), min_size=1, max_size=8)


@given(sizes)
def test_what_adds_up_is_taken(owned: list[int]) -> None:
    ledger = enter(split(owned), sum(owned))
    ledger.close()
    assert ledger.suspects == set()


@given(sizes.filter(any), st.data())
def test_bytes_that_are_moved_lost_or_read_twice_are_refused(owned: list[int], data: st.DataObject) -> None:
    results = split(owned)
    at = data.draw(st.sampled_from([at for at, size in enumerate(owned) if size]))
    off = data.draw(st.integers(-3, 3).filter(bool))
    honest = results[at]
    change: Mapping[str, Any] = data.draw(
        st.sampled_from([{"first": honest.first + off}, {"size": max(1, (honest.size or 0) + off)}])
    )
    results[at] = replace(honest, **change)
    ledger = enter(results, sum(owned))
    if results[at] == honest:
        ledger.close()
        return
    with pytest.raises(Unaccounted) as told:
        ledger.close()
    assert at in ledger.suspects
    assert told.value.details["shards"] == sorted(ledger.suspects)[:5]
    begun = [each for each in results if each.size]
    assert f"have {sum(each.size or 0 for each in begun):,} of {sum(owned):,} bytes" in told.value.message


def test_a_gap_names_both_shards_beside_it_and_where_it_is() -> None:
    results = [ShardResult(0, "p", 1, {}, first=0, size=1000), ShardResult(1, "p", 1, {}, first=2000, size=1000)]
    ledger = enter(results, 3000)
    with pytest.raises(Unaccounted, match=r"shard 2 of 1 begins at byte 2,000 but 1,000 comes next"):
        ledger.close()
    assert ledger.suspects == {0, 1}


def test_an_end_that_is_missing_names_the_last_shard_that_has_bytes() -> None:
    ledger = enter([*split([1000, 500]), ShardResult(2, "p", 1, {}, size=0)], 1501)
    with pytest.raises(Unaccounted, match=r"shard 2 of 1 ends at byte 1,500; redrive the job"):
        ledger.close()
    assert ledger.suspects == {1}


def test_only_the_first_wrongs_are_told_and_five_shards_named() -> None:
    ledger = enter([replace(each, counts={"received": 1000}) for each in split([1] * 9)], 9)
    with pytest.raises(Unaccounted) as told:
        ledger.close()
    assert [f"shard {at} of 1 counts received 1,000;" in told.value.message for at in range(1, 6)] == [True] * 3 + [
        False
    ] * 2
    assert told.value.details["shards"] == [0, 1, 2, 3, 4]
    assert ledger.suspects == set(range(9))


def test_counts_of_nothing_are_spelled() -> None:
    ledger = enter([ShardResult(0, "p", 1, {"passed": 1}, size=0), ShardResult(1, "p", 1, {}, size=0)], 0)
    with pytest.raises(Unaccounted, match=r"shard 1 of 1 counts passed 1;"):
        ledger.close()
    assert ledger.suspects == {0}


@pytest.mark.parametrize("old", [0, 1, 2])
def test_a_result_that_states_no_bytes_ends_the_check_of_bytes_and_not_of_records(old: int) -> None:
    results = split([10, 20, 30])
    results[old] = replace(results[old], size=None, first=0)
    enter(results, 60).close()
    results[old] = replace(results[old], counts={"received": 1})
    with pytest.raises(Unaccounted):
        enter(results, 60).close()


counted = st.fixed_dictionaries({name: st.integers(0, 9) for name in OUTCOMES})


@given(counted, st.integers(0, 20), st.integers(0, 12))
def test_each_record_has_one_outcome(outcomes: dict[str, int], received: int, passed: int) -> None:
    whole = sum(outcomes.values())
    assert adds_up({**outcomes, "received": whole, "passed": outcomes["scored"]})
    assert adds_up({**outcomes, "received": received}) is (received == whole)
    assert adds_up({**outcomes, "received": whole, "passed": passed}) is (passed <= outcomes["scored"])


def test_what_is_not_counted_is_none() -> None:
    assert adds_up({})
    assert adds_up({"received": 2, "classified": 2})
    assert not adds_up({"received": 1})
    assert not adds_up({"passed": 1})
