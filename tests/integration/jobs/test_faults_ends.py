"""How jobs end when something is wrong for good, when events come twice, and when files are odd."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from assay.aws.s3 import Bucket
from assay.jobs.steps import redrive
from rank import jobs as rank_jobs
from tests.conftest import delete_objects
from tests.events import Context
from tests.integration.drops import GOOD, OTHER, Drop
from tests.integration.faults import BODY, OPEN, SHARD, SHARDS, Cut, code, desk, failing, shard, whole
from tests.integration.machines import Died


@pytest.fixture(autouse=True)
def _small_shards(cut: Cut) -> None:
    cut(SHARD)


def test_a_poison_shard_fails_the_job_by_name_and_a_redrive_finishes_it(drop: Drop) -> None:
    drop.machine.fault = failing(1000, Died("exit status 137"), shard(2))
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    job = drop.job(job_id)
    assert job.state == drop.summary(job_id)["state"] == "FAILED"
    assert f"shard 3 of {SHARDS} (bytes 512 to 767) of rank/a.txt failed: Died: exit status 137" in job.reason
    assert {"ranking.csv", "rejected.csv"}.isdisjoint(drop.names(job_id))
    assert [each["job_id"] for each in drop.machine.buried()] == [job_id]
    done = desk().open_workspace(job_id).list_done()
    assert 2 not in done
    drop.machine.fault = lambda *_: None
    before = len(drop.machine.called("RankShard"))
    execution = redrive(desk(), job_id)
    assert execution
    assert execution.endswith(f":{job_id}-2")
    assert drop.machine.wait(f"{job_id}-2") == "SUCCEEDED"
    whole(drop, job_id)
    assert len(drop.machine.called("RankShard")) == before + SHARDS
    assert redrive(desk(), job_id) is None


def test_a_shard_that_is_done_is_not_done_again(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.jobs import rank_files as module

    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    monkeypatch.setattr(module, "rank_shard", lambda *_: pytest.fail("it was done"))
    assert rank_jobs.shard_handler({"job_id": job_id, "shard": 1}, Context()) == {}


def test_the_same_event_twice_at_the_same_moment_is_one_job(drop: Drop) -> None:
    event = drop.put("rank/a.txt", BODY, **OPEN)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda request: drop(event, request), ("one", "two")))
    jobs = {job_id for each in found for job_id in each}
    finished = [drop.machine.wait(name) for name in drop.machine.executions()]
    assert finished == ["SUCCEEDED"] * len(finished)
    for job_id in jobs:
        whole(drop, job_id)
    assert drop(event, "three") == []
    assert len(drop.machine.executions()) == len(jobs) == 1


def test_an_event_redelivered_after_success_starts_nothing(drop: Drop) -> None:
    event = drop.put("rank/a.txt", BODY, **OPEN)
    (job_id,) = drop(event)
    drop.machine.wait(job_id)
    calls = len(drop.machine.calls)
    assert drop(event, "again") == []
    assert (drop.machine.executions(), len(drop.machine.calls)) == ([job_id], calls)


@pytest.mark.parametrize("body", [b"M", b"", b"MKV\n" * 300, GOOD.encode(), b"\n" * 600, b"M" * 2000])
def test_odd_files_end_with_counts_that_add_up(drop: Drop, body: bytes) -> None:
    job_id = drop.done("rank/odd.txt", body, **OPEN)
    summary = drop.summary(job_id)
    counts = summary["counts"]
    assert summary["state"] == drop.job(job_id).state == "SUCCEEDED"
    assert counts["received"] == counts["scored"] + counts["rejected"] == len(body.splitlines())
    assert len(drop.rows(job_id, "rejected.csv")) == counts["rejected"]
    assert len(drop.rows(job_id, "ranking.csv")) == counts["returned"] == (body == GOOD.encode())


def test_the_summary_is_written_after_all_else(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    put = Bucket.put

    def noting(self: Bucket, key: str, body: bytes, kind: str) -> None:
        order.append(key)
        put(self, key, body, kind)

    monkeypatch.setattr(Bucket, "put", noting)
    job_id = drop.done("rank/a.txt", BODY, **OPEN, output="all")
    results = [key.removeprefix(f"results/{job_id}/") for key in order if not key.startswith("partials/")]
    assert results[-2:] == ["ranking.json", "by-upload/rank/a.txt.json"]
    assert {"ranking.csv", "rejected.csv", "scores/manifest.json"} <= set(results[:-2])


def test_a_merge_that_fails_every_time_is_a_failed_job_and_in_the_queue(drop: Drop) -> None:
    drop.machine.fault = failing(
        1000, code("AccessDenied", 403), lambda name, event: name == "RankMerge" and "step" not in event
    )
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert drop.machine.wait(job_id) == "FAILED"
    assert drop.job(job_id).state == drop.summary(job_id)["state"] == "FAILED"
    assert "AccessDenied" in drop.job(job_id).reason
    assert len(drop.machine.buried()) == 1


def test_what_the_file_is_to_blame_for_is_not_tried_again(drop: Drop) -> None:
    def delete(name: str, event: dict[str, Any]) -> None:
        if name == "RankShard":
            delete_objects(drop.aws.uploads, "rank/a.txt")

    drop.machine.fault = delete
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert drop.summary(job_id)["error"]["code"] == "object_missing"
    assert len({event["shard"] for event in drop.machine.called("RankShard")}) == len(drop.machine.called("RankShard"))


@pytest.mark.parametrize(("said", "told"), [("too much", "too much"), ("", "MemoryError")])
def test_a_job_that_fails_in_every_attempt_of_its_function_ends_as_failed(
    drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch, said: str, told: str
) -> None:
    cut(1 << 20)
    event = drop.put("rank/a.txt", BODY, **OPEN)
    monkeypatch.setattr("assay.jobs.rank_files.rank_blocks", lambda *_, **__: (_ for _ in ()).throw(MemoryError(said)))
    for _ in range(3):
        with pytest.raises(MemoryError):
            drop(event)
    (key,) = (key for key in drop.aws.results.keys("partials/") if key.endswith("manifest.json"))
    job = drop.job(key.split("/")[1])
    assert (job.state, job.reason) == ("FAILED", f"given up after 3 attempts: {told}")
    assert drop.summary(job.id)["error"]["message"] == job.reason
    assert drop(event) == []


def test_a_csv_with_line_ends_in_cells_is_planned_again_as_one_shard(drop: Drop, cut: Cut) -> None:
    cut(50_000)
    rows = [f"{GOOD},{at}\n" for at in range(1500)] + [f'{OTHER},"two\nlines"\n'] * 700
    body = ("sequence,note\n" + "".join(rows)).encode()
    job_id = drop.done("rank/a.csv", body, **OPEN)
    summary = drop.summary(job_id)
    assert (summary["state"], summary["counts"]["scored"]) == ("SUCCEEDED", 2200)
    assert desk().open_workspace(job_id).manifest().shards == drop.job(job_id).shards == 1
    assert json.loads(drop.result(job_id, "ranking.json"))["counts"]["rejected"] == 0


def test_a_large_gzip_is_one_shard_of_an_execution_of_its_own(drop: Drop, cut: Cut) -> None:
    packed = gzip.compress(BODY, mtime=0)
    cut(len(packed) - 1)
    job_id = drop.done("rank/a.txt.gz", packed, **OPEN)
    assert drop.machine.executions() == [job_id]
    assert [event["shard"] for event in drop.machine.called("RankShard")] == [0]
    whole(drop, job_id)


@pytest.mark.parametrize(("body", "why"), [(gzip.compress(BODY, mtime=0), "gzip"), (BODY * 3, "MaxJobShards")])
def test_a_job_over_its_cap_is_refused_at_once(drop: Drop, cut: Cut, body: bytes, why: str) -> None:
    cut(SHARD, SHARDS, 50)
    job_id = drop.done("rank/a.txt", body, **OPEN)
    assert drop.summary(job_id)["error"]["code"] == "too_large"
    assert why in drop.job(job_id).reason
    assert drop.machine.calls == []
