"""The steps of a file job by themselves: who has the last word, what is written and in which order; without AWS."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from assay.errors import AssayError, ObjectMissing, TooLarge, UnreadableInput
from assay.jobs import steps
from assay.jobs.merging import CutInRow, Joined
from assay.jobs.planning import Caps
from assay.jobs.steps import merge_step, plan_step, shard_step, success_summary
from assay.jobs.workspace import JobPlan, ShardResult, Source

MANIFEST = JobPlan("j", "rank", Source("uploads", "rank/a.txt", 40, "e"), "lines", 10, 4, {"gate": {"name": "a"}})
EVENT = {"job_id": "j", "shard": "2", "bucket": "uploads", "key": "rank/a.txt"}
JOINED = Joined({"received": 4}, {"ranking": "results/j/ranking.csv"}, {"top_k": 5})


@dataclass
class World:
    """A desk whose stores note what is asked of them; `lost` names the calls that find the job ended by another."""

    state: str | None = "RUNNING"
    lost: str = ""
    made: dict[int, ShardResult] = field(default_factory=dict)
    log: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.jobs = self
        self.results = SimpleNamespace(name="results")
        self.uploads = SimpleNamespace(name="uploads")
        self.concurrency = 7

    def of_kind(self, kind: str) -> Any:
        assert kind == "rank"
        return SimpleNamespace(caps=Caps(10, 100, 50))

    def open_workspace(self, job_id: str) -> Any:
        assert job_id == "j"
        return self

    def manifest(self) -> JobPlan:
        return MANIFEST

    def find_result(self, shard: int, pin: str) -> ShardResult | None:
        assert pin == MANIFEST.pin
        return self.made.get(shard)

    def save(self, result: ShardResult) -> None:
        self.log.append(("save", result.shard))

    def end_tally(self, result: ShardResult) -> None:
        assert self.log[-1] == ("save", result.shard)

    def keep(self, manifest: JobPlan) -> None:
        self.log.append(("keep", manifest.shards))

    def list_shards(self, manifest: JobPlan) -> None:
        self.log.append(("list", manifest.shards))

    def get(self, job_id: str) -> Any:
        return None if self.state is None else SimpleNamespace(state=self.state)

    def start(self, job_id: str, models: Mapping[str, Any], *, shards: int, execution: str, **plan: Any) -> bool:
        assert plan == {"bytes": 40, "shard_bytes": 10, "options": MANIFEST.options}
        self.log.append(("start", job_id, models, shards))
        return True

    def conclude(self, job_id: str) -> bool:
        return self._call("conclude", job_id)

    def succeed(
        self, job_id: str, counts: Mapping[str, int], results: Mapping[str, str], histograms: Any = None
    ) -> bool:
        assert histograms is None
        return self._call("succeed", job_id, counts, results)

    def _call(self, name: str, *given: Any) -> bool:
        self.log.append((name, *given))
        if self.lost == name:
            self.state = "FAILED"
        return self.lost not in (name, f"{name} again")


@pytest.fixture(autouse=True)
def _noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(desk: World, manifest: JobPlan, error: AssayError, results: Any = None) -> Any:
        desk.log.append(("fail", type(error).__name__, results))
        return {"job_id": manifest.job_id, "state": "FAILED"}

    monkeypatch.setattr(steps, "fail_planned_job", fail)
    monkeypatch.setattr(steps, "settle", lambda desk, job_id: desk.log.append(("settle", job_id)))
    monkeypatch.setattr(steps, "write_summary", lambda desk, key, said: desk.log.append(("show", key, said["state"])))


def merge(world: World, joined: Joined | Exception = JOINED) -> Any:
    def join(manifest: JobPlan, working: Any, shards: Any) -> Joined:
        world.log.append("join")
        if isinstance(joined, Exception):
            raise joined
        return joined

    desk: Any = world
    kind: Any = SimpleNamespace(join=join)
    return merge_step(desk, kind, EVENT)


KEY = "results/j/ranking.json"
RESULTS = {"ranking": "results/j/ranking.csv", "summary": KEY}
WHOLE = [
    "join",
    ("conclude", "j"),
    ("show", KEY, "SUCCEEDED"),
    ("succeed", "j", {"received": 4}, RESULTS),
]


def test_the_summary_is_shown_between_the_two_words_of_the_record() -> None:
    world = World()
    assert merge(world) == {"job_id": "j", "state": "SUCCEEDED"}
    assert world.log == WHOLE


@pytest.mark.parametrize("state", ["SUCCEEDED", None])
@pytest.mark.parametrize("lost", ["conclude again", "succeed again"])
def test_a_merge_that_is_done_again_says_what_was_said(state: str | None, lost: str) -> None:
    world = World(state, lost)
    assert merge(world) == {"job_id": "j", "state": "SUCCEEDED"}
    assert world.log == WHOLE


@pytest.mark.parametrize(("lost", "did"), [("conclude", 2), ("succeed", 4)])
def test_a_job_that_ended_meanwhile_has_its_own_word(lost: str, did: int) -> None:
    world = World(lost=lost)
    assert merge(world) == {"job_id": "j", "state": "FAILED"}
    assert world.log == [*WHOLE[:did], ("settle", "j")]


def test_a_job_that_had_ended_is_not_joined() -> None:
    world = World("FAILED")
    assert merge(world) == {"job_id": "j", "state": "FAILED"}
    assert world.log == [("settle", "j")]


@pytest.mark.parametrize("error", [UnreadableInput("odd"), ObjectMissing("gone")])
def test_what_the_file_is_to_blame_for_ends_the_job(error: AssayError) -> None:
    world = World()
    assert merge(world, error)["state"] == "FAILED"
    assert world.log == ["join", ("fail", type(error).__name__, None)]


def test_what_was_read_in_full_and_is_refused_keeps_its_results() -> None:
    world = World()
    assert merge(world, replace(JOINED, error=TooLarge("strict", limit=1)))["state"] == "FAILED"
    assert world.log == ["join", ("fail", "TooLarge", {"ranking": "results/j/ranking.csv"})]


def test_what_nobody_is_to_blame_for_is_tried_again() -> None:
    world = World()
    with pytest.raises(RuntimeError):
        merge(world, RuntimeError("chance"))
    assert world.log == ["join"]


def test_a_file_that_cannot_be_cut_is_one_shard_from_then_on() -> None:
    world = World()
    assert merge(world, CutInRow()) == {"job_id": "j", "state": "REPLANNED"}
    assert world.log == ["join", ("list", 1), ("keep", 1), ("start", "j", MANIFEST.models, 1)]


def test_and_is_refused_where_it_is_too_large_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(World, "of_kind", lambda self, kind: SimpleNamespace(caps=Caps(10, 100, 39)))
    assert merge(world, CutInRow())["state"] == "FAILED"
    assert world.log == ["join", ("fail", "TooLarge", None)]


def do(world: World) -> Any:
    desk: Any = world
    kind: Any = SimpleNamespace(work=lambda manifest, shard, *_: ShardResult(shard, manifest.pin, 1, {}))
    return shard_step(desk, kind, EVENT)


@pytest.mark.parametrize(
    ("world", "log"),
    [
        (World(), [("save", 2)]),
        (World(None), [("save", 2)]),
        (World("SUCCEEDED"), [("save", 2)]),
        (World("FAILED"), []),
        (World(made={2: ShardResult(2, "", 1, {})}), []),
        (World(made={1: ShardResult(1, "", 1, {})}), [("save", 2)]),
    ],
)
def test_a_shard_is_done_unless_it_is_or_its_job_has_failed(world: World, log: list[Any]) -> None:
    assert do(world) == {}
    assert world.log == log


def test_a_plan_says_where_its_shards_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    world: Any = World()
    planned: list[Any] = []

    def plan(kind: Any, working: Any, upload: Any, uploads: Any, caps: Caps, *, given: Any) -> JobPlan:
        assert given is None
        planned.append((kind.name, working is world, upload.key, uploads.name, caps))
        return MANIFEST

    monkeypatch.setattr(steps, "plan_job", plan)
    kind: Any = SimpleNamespace(name="rank")
    reply = plan_step(world, kind, EVENT)
    assert planned == [("rank", True, "rank/a.txt", "uploads", Caps(10, 100, 50))]
    assert world.log == [("list", 4), ("start", "j", MANIFEST.models, 4)]
    items = reply.pop("items")
    assert items.startswith("partials/j/")
    assert reply == {"job_id": "j", "kind": "rank", "bucket": "results", "concurrency": 7}


def test_a_summary_says_what_the_job_was_about() -> None:
    assert success_summary(MANIFEST, JOINED, RESULTS) == {
        "job_id": "j",
        "state": "SUCCEEDED",
        "upload": "rank/a.txt",
        "bytes": 40,
        "options": {},
        "counts": {"received": 4},
        "models": {"gate": {"name": "a"}},
        "top_k": 5,
        "results": RESULTS,
    }
