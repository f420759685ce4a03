"""What the benchmarks' numbers are made of: turns, medians, prices."""

import pytest

from benchmarks import curve
from benchmarks.classify_peers import abstracts
from benchmarks.curve import Point, slope
from benchmarks.measuring import Times, in_turn
from tests.unit.templates import written

HALVES = {1: Times((2.0,)), 2: Times((1.0,))}


def test_ways_take_turns_and_every_other_round_goes_backwards() -> None:
    order: list[str] = []

    def way(name: str) -> float:
        order.append(name)
        return float(len(order))

    times = in_turn({name: lambda name=name: way(name) for name in "abc"}, 2)  # type: ignore[misc]
    assert "".join(order) == "abccba"
    assert times["a"].seconds == (1.0, 6.0)
    assert times["a"].median == 3.5
    assert times["a"].least == 1.0


def test_the_price_is_the_same_at_any_memory_where_threads_scale() -> None:
    prices = {
        memory: curve.dollars(memory, curve.seconds_per_item(memory, HALVES), 1.0) for memory in (885, *curve.MEMORIES)
    }
    assert prices == pytest.approx(dict.fromkeys(prices, prices[1769]), rel=1e-3)


def test_memory_that_buys_nothing_costs_more() -> None:
    flat = {1: Times((1.0,)), 2: Times((1.0,))}
    one, two = (curve.dollars(memory, curve.seconds_per_item(memory, flat), 1.0) for memory in (1769, 3538))
    assert two == pytest.approx(2 * one)


def test_the_default_memory_is_the_templates() -> None:
    parameters = written()["Parameters"]
    assert {parameters[name]["Default"] for name in ("RankMemory", "ClassifyMemory")} == {curve.DEFAULT}


def test_linear_time_has_slope_one() -> None:
    assert slope([Point(n, 2.0 * n, 0) for n in (1, 10, 100, 1000)]) == pytest.approx(1)


def test_abstracts_are_as_long_as_abstracts_are() -> None:
    lengths = sorted(map(len, abstracts(256)))
    assert 40 <= lengths[0] < lengths[-1] <= 512
    assert 150 < lengths[128] < 250
