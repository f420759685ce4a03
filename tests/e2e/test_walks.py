import json
import subprocess
import sys
import threading
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.e2e.running import ROOT
from tools.walks import Follower, Walk, show_counts, show_order


@pytest.fixture(scope="module")
def walks() -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tools.walks", "--json"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    counted: list[dict[str, Any]] = json.loads(found.stdout)
    return counted


def load(path: Path, text: str) -> ModuleType:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    spec = util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_moves_are_counted_where_one_call_follows_another_in_a_different_file(tmp_path: Path) -> None:
    near = load(tmp_path / "functions/app/near.py", "def one(): return [x for x in '12']\ndef two(): yield from 'ab'\n")
    far = load(tmp_path / "layers/lib/python/lib/far.py", "def three(): return sum(1 for _ in 'xyz')\n")
    outside = load(tmp_path / "tools/local.py", "def serve(): pass\n")
    follower = Follower(tmp_path)
    with follower.follow("toy") as walk:
        near.one()
        outside.serve()
        [*near.two()]
        far.three()
        near.one()
    counted = walk.to_json()
    assert (counted["files"], counted["functions"], counted["calls"], counted["moves"]) == (2, 3, 6, 2)
    assert counted["order"] == {"app/near.py": 2, "lib/far.py": 1}
    assert counted["pairs"] == {"app/near.py <-> lib/far.py": 2}
    assert counted["path"] == ["app/near.py: one, two x3", "lib/far.py: three", "app/near.py: one"]
    far.three()
    assert walk.to_json() == counted


def test_a_walk_ends_when_every_thread_has_left_it_and_threads_are_not_mixed(tmp_path: Path) -> None:
    near = load(
        tmp_path / "functions/near.py", "def wait(gate, begun): begun.set(); gate.wait(5); hop()\ndef hop(): pass\n"
    )
    far = load(tmp_path / "functions/far.py", "def hop(): pass\n")
    follower, gate, begun = Follower(tmp_path), threading.Event(), threading.Event()
    threading.setprofile(follower.profile)
    try:
        with follower.follow("toy") as walk:
            thread = threading.Thread(target=near.wait, args=(gate, begun))
            thread.start()
            assert begun.wait(5)
            far.hop()
            threading.Timer(0.2, gate.set).start()
        assert [function for _, _, function in walk.calls] == ["wait", "hop", "hop"]
        assert walk.to_json()["moves"] == 0
    finally:
        threading.setprofile(None)
        gate.set()
        thread.join()


def test_calls_of_aws_are_counted_by_service() -> None:
    follower = Follower(ROOT)
    with follower.follow("toy") as walk:
        follower.note_aws("before-call.s3.GetObject", {"url_path": "/key"})
        follower.note_aws("before-call.dynamodb.GetItem", {"url_path": "/"})
    assert walk.to_json()["aws"] == {"s3": 1, "dynamodb": 1}
    assert walk.aws == ["s3.GetObject /key", "dynamodb.GetItem /"]


def test_a_walk_of_nothing_is_shown() -> None:
    assert show_order(Walk("idle").to_json()).startswith("idle\n")


@pytest.mark.slow
def test_the_four_walks_reach_their_ends(walks: list[dict[str, Any]]) -> None:
    drop, rank, classify, load_model = walks
    assert any(
        call.startswith("s3.PutObject /results/") and call.endswith("/ranking.csv") for call in drop["aws_calls"]
    )
    assert drop["aws"]["dynamodb"] > 0
    assert not rank["aws"], "a warm ranking needs nothing of AWS"
    assert "s3" not in classify["aws"]
    assert "/current.json" in load_model["aws_calls"][0]
    assert any(call.endswith("/model.tflite") for call in load_model["aws_calls"])
    for walk, root in zip(walks, ("rank/", "rank/", "classify/", "assay/"), strict=True):
        assert any(file.startswith(root) for file in walk["order"])
        assert all(file.startswith((root, "assay/")) for file in walk["order"])
        assert 5 < walk["files"] == len(walk["order"]) <= walk["functions"] <= walk["calls"]
        assert walk["files"] - 1 <= walk["moves"] < sum(walk["order"].values())


@pytest.mark.slow
def test_the_walks_are_shown(walks: list[dict[str, Any]]) -> None:
    lines = show_counts(walks).splitlines()
    assert [line.split("  ")[1] for line in lines[2:]] == [walk["walk"] for walk in walks]
    for walk in walks:
        shown = show_order(walk)
        assert all(file in shown for file in walk["order"])
        assert all(call in shown for call in walk["aws_calls"])
