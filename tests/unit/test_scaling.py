"""The simulation of what a file takes: its bounds hold, and what it says waits is what changes the time."""

from dataclasses import replace

import pytest

from benchmarks.scaling import World, lines, mapped, simulate

WORLD = World()


def test_one_shard_takes_its_own_time() -> None:
    run = simulate(WORLD, 1_000_000)
    assert (run.shards, run.busy) == (1, 1)
    assert run.seconds == pytest.approx(WORLD.start_seconds + WORLD.step_seconds + 1e6 / 48_000 / WORLD.vcpus)


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
    ended, busy = mapped(replace(WORLD, at_once=2, start_seconds=0), [1.0] * 4)
    assert busy == 2
    assert ended == pytest.approx(2.01)
    ended, busy = mapped(replace(WORLD, ramp=1, at_once=3, start_seconds=0), [100.0] * 3)
    assert busy == 3
    assert ended == pytest.approx(120.0)


def test_tables_have_a_line_for_each_case() -> None:
    assert sum("computing" in line or "merging" in line for line in lines(WORLD, [10**6, 10**9])) >= 8
