"""What the sweeper ends and what it leaves alone, by how a job stands and for how long; without AWS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.aws.step_functions import ExecutionOutcome
from assay.errors import JobLost
from assay.jobs.job_records import Job, State
from portal import sweep as sweeping
from portal.sweep import sweep

HOUR, DAY = 3600.0, 86_400.0
ALIVE = 960.0


def job(at: int, state: State = "RUNNING", **more: Any) -> Job:
    return Job(str(at), "rank", state, f"rank/{at}.txt", "c", "u", **more)


Place = Mapping[str, str]


def _worked_on(one: Job | None) -> bool:
    return one is None or bool(one.bucket or one.execution)


@dataclass
class Store:
    """Jobs, for how long they have been quiet, and how their executions stand."""

    held: dict[str, Job | None]
    quiet_for: dict[str, float] = field(default_factory=dict)
    outcomes: dict[str, ExecutionOutcome] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)
    sizes: set[int] = field(default_factory=set)
    cursors: dict[str, Place | None] = field(default_factory=dict)

    def get(self, job_id: str) -> Job | None:
        return self.held[job_id]

    def quiet(self, job: Job) -> float:
        return self.quiet_for.get(job.id, 0.0)

    def cursor(self, kind: str) -> Place | None:
        return self.cursors.get(kind)

    def keep_cursor(self, kind: str, place: Place | None) -> None:
        self.cursors[kind] = place

    def page(self, kind: str, seconds: float, after: Place | None, size: int) -> list[tuple[str, dict[str, str]]]:
        self.asked.append((kind, seconds))
        self.sizes.add(size)
        found = [name for name, one in self.held.items() if kind == ("job" if _worked_on(one) else "promise")]
        places = [(name, {"pk": f"job#{name}", "updated": name.rjust(9)}) for name in found]
        behind = [each for each in places if not after or each[1]["updated"] > after["updated"]]
        return sorted(behind, key=lambda each: each[1]["updated"])[:size]

    def outcome(self, execution: str) -> ExecutionOutcome:
        return self.outcomes[execution]


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Return what the sweep does to jobs, noted instead of done."""
    done: list[tuple[Any, ...]] = []

    def end(desk: Any, job_id: str, kind: str, upload: str, error: JobLost) -> bool:
        done.append(("end", job_id, kind, upload, error.message))
        return job_id != "lost race"

    monkeypatch.setattr(sweeping, "end", end)
    monkeypatch.setattr(sweeping, "settle", lambda desk, job_id, sure: done.append(("settle", job_id, sure)))
    return done


def run(store: Store, **more: Any) -> list[str]:
    desk: Any = SimpleNamespace(jobs=store, machine=store)
    return sweep(desk, **more)


@pytest.mark.parametrize(
    ("one", "quiet", "reason"),
    [
        (job(1, bucket="uploads"), 0.0, ""),
        (job(1, bucket="uploads"), HOUR, ""),
        (job(1, bucket="uploads"), HOUR + 1, "the function that worked on it stopped without a result"),
        (job(1, "QUEUED"), 0.0, ""),
        (job(1, "QUEUED"), DAY, ""),
        (job(1, "QUEUED"), DAY + 1, "no file was uploaded within a day"),
        (job(1, "QUEUED", bucket="uploads"), DAY + 1, "the function that worked on it stopped"),
        (job(1, execution="runs"), DAY * 9, ""),
        (job(1, execution="over"), 1.0, "its execution ended without a result: FAILED of it"),
        (job(1, execution="over", bucket="uploads"), 1.0, "its execution ended without a result: FAILED of it"),
    ],
)
def test_a_job_is_ended_once_nothing_can_work_on_it(
    did: list[tuple[Any, ...]], one: Job, quiet: float, reason: str
) -> None:
    outcomes = {"runs": ExecutionOutcome(True, "RUNNING"), "over": ExecutionOutcome(False, "FAILED of it")}
    ended = run(Store({"1": one}, {"1": quiet}, outcomes))
    assert ended == (["1"] if reason else [])
    assert [each[:4] for each in did] == ([("end", "1", "rank", "rank/1.txt")] if reason else [])
    assert all(each[4].startswith(reason) for each in did)


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED"])
@pytest.mark.parametrize(("quiet", "sure"), [(0.0, False), (ALIVE, False), (ALIVE + 1, True)])
def test_a_job_that_has_ended_is_settled_and_not_ended(
    did: list[tuple[Any, ...]], state: State, quiet: float, sure: bool
) -> None:
    assert run(Store({"1": job(1, state, bucket="uploads")}, {"1": quiet})) == []
    assert did == [("settle", "1", sure)]


def test_a_job_whose_record_is_gone_or_that_another_ended_is_not_told(did: list[tuple[Any, ...]]) -> None:
    raced = Job("lost race", "rank", "RUNNING", "rank/a.txt", "c", "u", bucket="uploads")
    assert run(Store({"gone": None, "lost race": raced}, {"lost race": DAY})) == []
    assert [each[0] for each in did] == ["end"]


@pytest.mark.parametrize("how", [None, "SUCCEEDED", "FAILED"])
def test_an_execution_that_ended_while_it_was_asked_about_is_left_alone(
    did: list[tuple[Any, ...]], how: State | None
) -> None:
    store = Store({"1": job(1, execution="over")}, {"1": DAY})

    def outcome(execution: str) -> ExecutionOutcome:
        store.held["1"] = job(1, how, execution="over") if how else None
        return ExecutionOutcome(False, "over")

    store.outcome = outcome  # type: ignore[method-assign]
    assert run(store) == []
    assert did == []


def test_jobs_come_before_promises_and_each_is_asked_for_by_its_time(did: list[tuple[Any, ...]]) -> None:
    store = Store(
        {"1": job(1, "QUEUED"), "2": job(2, bucket="uploads"), "3": job(3, "QUEUED")}, dict.fromkeys("123", 2 * DAY)
    )
    assert run(store) == ["2", "1", "3"]
    assert store.asked == [("job", 300.0), ("promise", HOUR)]
    assert store.cursors == {"job": None, "promise": None}


@given(st.integers(0, 9), st.integers(0, 12), st.integers(1, 5))
def test_a_round_begins_behind_the_last_place_and_sees_each_job_once(count: int, start: int, size: int) -> None:
    store = Store({str(at): job(at, bucket="uploads") for at in range(count)})
    store.cursors["job"] = {"pk": f"job#{start}", "updated": str(start).rjust(9)} if start < 10 else None
    seen: list[str] = []

    def quiet(job: Job) -> float:
        seen.append(job.id)
        return 0.0

    store.quiet = quiet  # type: ignore[method-assign]
    assert run(store, size=size) == []
    first = start + 1 if start < 10 else 0
    assert seen == [str(at) for at in [*range(first, count), *range(min(first, count))]]
    assert store.cursors["job"] is None


@pytest.mark.parametrize("kind", ["job", "promise"])
def test_the_place_is_kept_before_a_job_is_looked_at(did: list[tuple[Any, ...]], kind: str) -> None:
    more: dict[str, Any] = {"bucket": "uploads"} if kind == "job" else {}
    store = Store({str(at): job(at, **more) for at in range(3)})

    def deadly(job: Job) -> float:
        raise KeyboardInterrupt

    store.quiet = deadly  # type: ignore[method-assign]
    for at in range(3):
        with pytest.raises(KeyboardInterrupt):
            run(store)
        assert (store.cursors[kind] or {})["pk"] == f"job#{at}"


def test_one_that_cannot_be_ended_is_told_and_the_next_is(
    did: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sweeping, "record_failure", lambda message, error: told.append((message, str(error))))
    monkeypatch.setattr(sweeping, "measure", lambda name, value: told.append((name, value)))
    broken = job(1, execution="unknown")
    assert run(Store({"1": broken, "2": job(2, bucket="uploads")}, {"2": DAY})) == ["2"]
    assert told == [("a job could not be swept", "'unknown'"), ("SweepsFailed", 1)]


@pytest.mark.parametrize(("seconds", "swept"), [(14, 0), (15, 1), (29, 1), (30, 2), (74, 4), (75, 5), (1000, 5)])
def test_a_sweep_begins_with_no_more_jobs_past_two_thirds_of_its_time(
    did: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, seconds: float, swept: int
) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("portal.sweep.time.monotonic", lambda: next(clock))
    store = Store({str(at): job(at, bucket="uploads") for at in range(5)}, {str(at): DAY for at in range(5)})
    assert run(store, seconds=seconds) == [str(at) for at in range(swept)]


@pytest.mark.parametrize(("later", "jobs", "promises"), [(60.0, 1, 1), (60.5, 0, 1), (90.0, 0, 1), (90.5, 0, 0)])
def test_by_itself_it_takes_a_minute_for_jobs_and_half_of_one_for_promises(
    did: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, later: float, jobs: int, promises: int
) -> None:
    clock = iter([1000.0, *[1000.0 + later] * 9])
    monkeypatch.setattr("portal.sweep.time.monotonic", lambda: next(clock))
    store = Store({"0": job(0, bucket="uploads"), "1": job(1, "QUEUED")}, {"0": 2 * DAY, "1": 2 * DAY})
    assert run(store) == ["0"] * jobs + ["1"] * promises
    assert store.sizes == {100}


@pytest.mark.parametrize("ended", [[], ["1", "2"]])
def test_the_function_says_what_it_ended_and_counts_it(monkeypatch: pytest.MonkeyPatch, ended: list[str]) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sweeping, "services", lambda: SimpleNamespace(desk="desk"))
    monkeypatch.setattr(sweeping, "sweep", lambda desk: ended if desk == "desk" else None)
    monkeypatch.setattr(sweeping, "measure", lambda name, value: told.append((name, value)))
    assert vars(sweeping.handler)["__wrapped__"]({}, None) == {"jobs": ended}
    assert told == ([("JobsSwept", 2)] if ended else [])
