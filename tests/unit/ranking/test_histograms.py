"""Histograms of any split of the values, merged, are those of one pass, and hold every value once."""

import json
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ranking.distributions import Histograms

near = st.floats(-8, 8, width=32)
far = st.floats(allow_nan=False, allow_infinity=False, width=32)
edges = st.integers(-300, 300).map(lambda at: at / 32)
rows = st.lists(st.tuples(near | far | edges, near | far | edges, st.booleans()), max_size=60)
narrow = st.lists(st.tuples(near | edges, near | edges, st.booleans()), max_size=60)
Rows = list[tuple[float, float, bool]]


def counted(found: Rows) -> Histograms:
    spread = Histograms()
    for passed, count in ((False, lambda gate, _: spread.count_filtered(gate)), (True, spread.count_passed)):
        gates, scores = (np.asarray([row[at] for row in found if row[2] is passed], np.float32) for at in (0, 1))
        count(gates, scores)
    return spread


@given(rows, st.lists(st.integers(0, 60), max_size=5), st.randoms())
def test_the_histograms_of_shards_are_those_of_one_pass(found: Rows, cuts: list[int], chance: Any) -> None:
    ends = sorted({0, len(found), *(cut for cut in cuts if cut < len(found))})
    parts = [found[start:stop] for start, stop in pairwise(ends)]
    chance.shuffle(parts)
    whole = Histograms()
    for part in parts:
        whole.add_body(json.loads(json.dumps(counted(part).to_body())))
    assert whole.to_body() == counted(found).to_body()


@given(rows)
def test_every_row_is_counted_once_and_bins_are_few(found: Rows) -> None:
    body = counted(found).to_body()
    passed = sum(row[2] for row in found)
    assert sum(body.get("gate", {"counts": []})["counts"]) == len(found)
    assert sum(body.get("score", {"counts": []})["counts"]) == passed
    assert sum(count for *_, count in body.get("joint", {"cells": []})["cells"]) == passed
    assert all(len(each["counts"]) <= 256 for name, each in body.items() if name != "joint")
    assert all(each["counts"][0] and each["counts"][-1] for name, each in body.items() if name != "joint")
    assert len(body.get("joint", {"cells": []})["cells"]) <= 1024


@given(narrow, st.integers(-256, 256))
def test_what_passes_at_another_threshold_is_read_from_the_gates(found: Rows, at: int) -> None:
    gate = counted(found).to_body().get("gate")
    if gate and gate["width"] == 1 / 32:
        above = sum(gate["counts"][max(at - gate["low"], 0) :])
        assert above == sum(np.float32(row[0]) > at / 32 for row in found)


@given(narrow)
def test_bins_hold_what_the_definition_says(found: Rows) -> None:
    body = counted(found).to_body()
    for name, known in (("gate", [row[0] for row in found]), ("score", [row[1] for row in found if row[2]])):
        values = [Fraction(float(np.float32(value))) for value in known]
        if values:
            width = Fraction(body[name]["width"])
            wanted = [ceil(value / width) - 1 for value in values]
            counts = {body[name]["low"] + at: count for at, count in enumerate(body[name]["counts"]) if count}
            assert counts == {number: wanted.count(number) for number in set(wanted)}


@pytest.mark.parametrize("value", [1e30, -1e30, 1024.0, -1024.0])
def test_values_far_away_count_at_the_ends(value: float) -> None:
    gates = np.asarray([value, 0.5], np.float32)
    spread = Histograms()
    spread.count_filtered(gates)
    body = spread.to_body()["gate"]
    assert sum(body["counts"]) == 2
    assert abs(body["low"] * body["width"]) <= 1024 + body["width"]


def test_bins_of_the_usual_scores_are_fine() -> None:
    values = np.random.default_rng(1).normal(0.3, 0.9, 5000).clip(-3, 4).astype(np.float32)
    spread = Histograms()
    spread.count_passed(values, values)
    assert spread.to_body()["gate"]["width"] == spread.to_body()["score"]["width"] == 1 / 32
    assert spread.to_body()["joint"]["widths"] == [0.25, 0.25]
    assert len(json.dumps(spread.to_body())) < 4000


def test_nothing_has_no_histogram() -> None:
    assert counted([]).to_body() == {}
