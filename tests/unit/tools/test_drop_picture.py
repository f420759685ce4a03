"""The picture of a dropped file: it shows each number of its run, and everything lies within it."""

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tools.demo.drop_picture import PICTURES, DropRun, ShardRun, draw

SVG = "{http://www.w3.org/2000/svg}"


def run_of(shards: int) -> DropRun:
    each = [ShardRun(number * 1_000_007, 1_000_007, 15_001 + number, 2_003 + number) for number in range(shards)]
    received = sum(shard.received for shard in each)
    counts = {"received": received, "scored": received - 3, "rejected": 3, "returned": 100}
    counts["passed"] = sum(shard.passed for shard in each)
    return DropRun(shards * 1_000_007, 1_000_000, counts, {"gate": "a <b> 1", "score": "c 2"}, each, [("x&y", 2.5)])


@pytest.mark.parametrize("shards", [1, 2, 3, 9])
@pytest.mark.parametrize("moving", [True, False])
def test_each_number_is_shown_and_every_box_lies_within_the_picture(shards: int, moving: bool) -> None:
    run = run_of(shards)
    picture = ET.fromstring(draw(run, moving))
    words = "\n".join(text.text or "" for text in picture.iter(f"{SVG}text"))
    found = [number for each in run.shards for number in (each.received, each.passed)]
    numbers = [run.size, *run.counts.values(), *found]
    assert [number for number in numbers if f"{number:,}" not in words] == []
    _, _, wide, high = map(float, picture.attrib["viewBox"].split())
    for box in picture.iter(f"{SVG}rect"):
        x, y = float(box.get("x", 0)), float(box.get("y", 0))
        assert min(x, y) >= 0
        assert x + float(box.attrib["width"]) <= wide
        assert y + float(box.attrib["height"]) <= high
    lowest = max(float(text.attrib["y"]) for text in picture.iter(f"{SVG}text"))
    assert lowest <= high


def test_only_the_moving_picture_moves_and_only_for_those_who_like_it() -> None:
    assert "animation" not in draw(run_of(3), moving=False)
    style = draw(run_of(3))
    assert style.index("prefers-reduced-motion: no-preference") < style.index("animation")


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_the_counts_of_the_pictures_in_the_documents_add_up(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(",", "")
    whole = {name: int(count) for count, name in re.findall(r"(\d+) (received|scored|rejected|passed)", text)}
    shards = [int(count) for count in re.findall(r">(\d+) records<", text)]
    assert whole["received"] == sum(shards) == whole["scored"] + whole["rejected"]
    assert whole["passed"] == sum(int(count) for count in re.findall(r">(\d+) pass<", text))
    spans = [(int(first), int(last)) for first, last in re.findall(r"bytes (\d+) to (\d+)", text)]
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(spans))
