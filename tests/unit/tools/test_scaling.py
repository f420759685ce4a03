"""The simulation of what a file takes: its bounds hold, and what it says waits is what changes the time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.costs import FILES, cost_file, cost_request, price_tables
from benchmarks.scaling import (
    MACHINE,
    Retrier,
    World,
    contend,
    map_shards,
    read_retrier,
    simulate,
    throttled_lines,
    write_tables,
)
from tests.unit.templates import ROOT, written

WORLD = World()
NOW = read_retrier()
DEFAULT = int(written()["Parameters"]["ShardConcurrency"]["Default"])


def test_one_shard_takes_its_own_time() -> None:
    run = simulate(WORLD, 1_000_000)
    assert (run.shards, run.busy) == (1, 1)
    computing = 1e6 / WORLD.sequences_per_vcpu / WORLD.vcpus
    assert run.seconds == pytest.approx(WORLD.start_seconds + WORLD.step_seconds + computing)


def test_no_more_functions_than_allowed_and_no_faster_than_they_compute() -> None:
    for at_once in (1, 10, 100, 5000):
        world = replace(WORLD, at_once=at_once)
        run = simulate(world, 10**9)
        assert run.busy <= min(at_once, world.account)
        assert run.seconds >= 10**9 / (world.sequences_per_vcpu * world.vcpus * run.busy)


def test_ten_times_the_functions_are_ten_times_as_fast_while_computing_is_what_waits() -> None:
    slow, fast = (simulate(replace(WORLD, at_once=each), 10**9) for each in (2, 20))
    assert slow.waits == fast.waits == "computing"
    assert slow.seconds / fast.seconds == pytest.approx(10, rel=0.05)
    assert slow.dollars == pytest.approx(fast.dollars, rel=0.01)


@pytest.mark.parametrize(
    ("changed", "waits"),
    [
        ({"top_k": 10_000}, "merging"),
        ({"children_per_second": 1.0}, "handing out shards"),
        ({"start_seconds": 60.0}, "starts and ramp"),
        ({"get_limit": 10}, "S3's requests"),
    ],
)
def test_what_waits_is_named(changed: dict[str, float], waits: str) -> None:
    world = replace(WORLD, at_once=WORLD.account, **changed)  # type: ignore[arg-type]
    assert simulate(world, 10**9).waits == waits


def test_functions_are_used_again_and_the_ramp_is_kept() -> None:
    ended, busy = map_shards(replace(WORLD, at_once=2, start_seconds=0), [1.0] * 4)
    assert busy == 2
    assert ended == pytest.approx(2.01)
    ended, busy = map_shards(replace(WORLD, ramp=1, at_once=3, start_seconds=0), [100.0] * 3)
    assert busy == 3
    assert ended == pytest.approx(120.0)


def test_tables_have_a_line_for_each_case() -> None:
    assert sum("computing" in line or "merging" in line for line in write_tables(WORLD, [10**6, 10**9])) >= 8


@given(
    shards=st.integers(1, 60),
    work=st.floats(0.5, 900),
    at_once=st.integers(1, 100),
    slots=st.integers(1, 20),
    seed=st.integers(0, 1000),
)
def test_a_job_that_ends_took_the_time_of_its_functions(
    shards: int, work: float, at_once: int, slots: int, seed: int
) -> None:
    run = contend(shards, work, at_once, slots, replace(NOW, attempts=10**9), seed)
    width = min(at_once, slots, shards)
    assert not run.failed
    assert run.seconds >= shards / width * work
    assert 0 <= run.starved <= 1
    if at_once < slots:
        assert (run.refused, run.starved) == (0, 0)
        assert run.seconds <= -(-shards // width) * (work + 1)


def test_few_attempts_fail_where_shards_are_slow_and_functions_few() -> None:
    impatient = Retrier(NOW.interval, NOW.rate, NOW.longest, 60)
    for shards, work in ((200, 96.0), (100, 300.0), (40, 780.0)):
        assert contend(shards, work, 100, 10, impatient).failed


@pytest.mark.parametrize("work", [16.0, 96.0, 300.0, 780.0, 900.0])
@pytest.mark.parametrize("shards", [40, 200, 400])
def test_the_machine_outlasts_the_crowd_of_a_job_of_slow_shards(shards: int, work: float) -> None:
    assert not any(contend(shards, work, 100, 10, NOW, seed).failed for seed in range(2))


def test_the_default_leaves_functions_of_a_new_account_to_the_api() -> None:
    run = contend(200, 96.0, DEFAULT, 10, NOW)
    assert (run.failed, run.refused, run.starved) == (False, 0, 0)
    assert 5 <= DEFAULT <= 8


def test_attempts_fit_into_the_history_of_an_execution() -> None:
    events_of_a_retry, events_of_an_execution = 5, 25_000
    assert NOW.attempts * events_of_a_retry < 0.9 * events_of_an_execution


def test_the_retrier_is_that_of_the_state_machine() -> None:
    assert MACHINE.exists()
    assert NOW.attempts > 1000
    assert NOW.pause(0, 1.0) == NOW.interval
    assert NOW.pause(10**6, 1.0) == NOW.longest


def test_the_committed_table_is_what_the_simulation_says() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    for line in throttled_lines(WORLD):
        assert line.rstrip() in page


def test_the_committed_costs_are_what_the_tool_says() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    assert "\n".join(price_tables()) in page


def test_a_cost_is_the_sum_of_its_services_and_grows_with_the_file() -> None:
    found = [cost_file(size) for size in FILES]
    assert [each.whole for each in found] == sorted(each.whole for each in found)
    assert all(each.steps == 0 for each in found[:7])
    assert all(each.steps > 0 for each in found[7:])
    assert cost_request(0.002).calls > cost_request(0.002).functions > 0


def test_the_simulation_and_the_costs_agree_on_functions_and_steps() -> None:
    world = replace(WORLD, at_once=1000)
    for size in (10**8, 10**9):
        cost = cost_file(size, world)
        assert cost.functions + cost.steps == pytest.approx(simulate(world, size).dollars, rel=0.05)
