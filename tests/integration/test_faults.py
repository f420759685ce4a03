"""What goes wrong while a file is ranked: nothing is lost, counted twice, or shown as complete when it is not."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError

from assay.files.desk import Desk
from assay.files.taking import redrive
from assay.storage import Bucket
from tests.integration.drops import GOOD, OTHER, Drop
from tests.integration.machines import Died

Cut = Callable[..., None]
OPEN = {"threshold": "-1000000"}
LINES = [GOOD, OTHER, "MKV", GOOD, "", OTHER, GOOD[1:] + "A"] * 3
BODY = "".join(f"{each}\n" for each in LINES).encode()
SHARD = 256
SHARDS = -(-len(BODY) // SHARD)


@pytest.fixture(autouse=True)
def _small_shards(cut: Cut) -> None:
    cut(SHARD)


def desk() -> Desk:
    """Return the desk of this environment."""
    from rank.wiring import service

    return service().desk


def whole(drop: Drop, job_id: str) -> None:
    """Hold a job to the results of the file in one piece."""
    summary = drop.summary(job_id)
    counts = summary["counts"]
    assert summary["state"] == drop.job(job_id).state == "SUCCEEDED"
    assert counts == drop.job(job_id).counts
    assert counts["received"] == counts["scored"] + counts["rejected"] == len(LINES)
    ranked = [(row["sequence"], int(row["line"])) for row in drop.rows(job_id, "ranking.csv")]
    assert sorted(line for _, line in ranked) == [1, 2, 7]
    assert all(LINES[line - 1] == text for text, line in ranked)
    rejected = [int(row["line"]) for row in drop.rows(job_id, "rejected.csv")]
    assert rejected == [at for at, text in enumerate(LINES, 1) if len(text) != 50]


def failing(count: int, error: Exception, when: Callable[[str, dict[str, Any]], bool]) -> Callable[..., None]:
    """Return a fault that happens so many times."""
    left = [count]

    def fault(name: str, event: dict[str, Any]) -> None:
        if left[0] and when(name, event):
            left[0] -= 1
            raise error

    return fault


def code(name: str, status: int = 500) -> ClientError:
    """Return AWS's error of that code."""
    said: Any = {"Error": {"Code": name, "Message": "told to"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "Operation")


def shard(number: int) -> Callable[[str, dict[str, Any]], bool]:
    """Say whether a call is that of one shard."""
    return lambda name, event: name == "RankShard" and event["shard"] == number


@pytest.mark.parametrize("error", [Died("exit status 137"), TimeoutError("Task timed out after 900.00 seconds")])
def test_a_shard_that_dies_is_done_again(drop: Drop, error: Exception) -> None:
    drop.machine.fault = failing(2, error, shard(1))
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    whole(drop, job_id)
    assert [event["shard"] for event in drop.machine.called("RankShard")].count(1) == 3
    assert drop.machine.buried() == []


def test_a_shard_that_dies_midway_leaves_no_result(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.files.working import Working

    save, deaths = Working.save, [1]

    def dying(self: Working, result: Any) -> None:
        if deaths and result.shard == 2:
            deaths.pop()
            assert self.done() == sorted(set(self.done()) - {2})
            raise Died("just before its last write")
        save(self, result)

    monkeypatch.setattr(Working, "save", dying)
    whole(drop, drop.done("rank/a.txt", BODY, **OPEN))
    assert not deaths


@pytest.mark.parametrize("error", [code("InternalError"), code("SlowDown", 503), code("ServiceUnavailable", 503)])
def test_s3_that_fails_is_asked_again(drop: Drop, monkeypatch: pytest.MonkeyPatch, error: ClientError) -> None:
    pieces, left = Bucket.pieces, [3]

    def failing_pieces(self: Bucket, key: str, *place: int, **pins: Any) -> Any:
        if left[0] and key.startswith("rank/") and drop.machine.called("RankShard"):
            left[0] -= 1
            raise error
        return pieces(self, key, *place, **pins)

    monkeypatch.setattr(Bucket, "pieces", failing_pieces)
    whole(drop, drop.done("rank/a.txt", BODY, **OPEN))
    assert left == [0]


def _context() -> Any:
    from tests.events import Context

    return Context("another")


def test_a_body_cut_midway_is_read_again(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces, left = Bucket.pieces, [3]

    def cutting(self: Bucket, key: str, *place: int, **pins: Any) -> Any:
        for piece in pieces(self, key, *place, **pins):
            if left[0] and key.startswith("rank/"):
                left[0] -= 1
                yield piece[: len(piece) // 2]
                raise ResponseStreamingError(error="connection reset")
            yield piece

    monkeypatch.setattr(Bucket, "pieces", cutting)
    whole(drop, drop.done("rank/a.txt", BODY, **OPEN))
    assert left == [0]


def test_an_object_replaced_between_plan_and_shard_fails_with_its_reason(drop: Drop) -> None:
    def replace(name: str, event: dict[str, Any]) -> None:
        if name == "RankShard":
            drop.aws.s3.put_object(Bucket="uploads", Key="rank/a.txt", Body=BODY[::-1])

    drop.machine.fault = replace
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    job, summary = drop.job(job_id), drop.summary(job_id)
    assert (job.state, summary["state"], summary["error"]["code"]) == ("FAILED", "FAILED", "object_changed")
    assert "replaced" in job.reason
    assert "ranking.csv" not in drop.names(job_id)
    assert len(drop.machine.called("RankShard")) <= SHARDS
    assert drop.machine.buried() == []


def test_a_version_that_was_dropped_is_ranked_though_another_came(drop: Drop) -> None:
    drop.aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})

    def replace(name: str, event: dict[str, Any]) -> None:
        if name == "RankShard":
            drop.aws.s3.put_object(Bucket="uploads", Key="rank/a.txt", Body=BODY[::-1])

    drop.machine.fault = replace
    whole(drop, drop.done("rank/a.txt", BODY, **OPEN))


def test_a_model_activated_midway_is_for_the_next_job(drop: Drop) -> None:
    def activate(name: str, event: dict[str, Any]) -> None:
        if name == "RankShard" and event["shard"] == 1:
            drop.aws.publish("tiny-one-hot")
            drop.aws.results.client.copy_object(
                Bucket="models",
                Key="models/tiny-index/current.json",
                CopySource="models/models/tiny-one-hot/current.json",
            )

    drop.machine.fault = activate
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    whole(drop, job_id)
    assert drop.summary(job_id)["models"]["score"] == {"name": "tiny-index", "version": "1"}


def test_dynamodb_that_throttles_delays_and_loses_nothing(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.table import Table

    item, left = Table.item, [3]

    def throttled(self: Table, pk: str) -> Any:
        if left[0] and pk.startswith("job#") and drop.machine.calls:
            left[0] -= 1
            raise code("ProvisionedThroughputExceededException", 400)
        return item(self, pk)

    monkeypatch.setattr(Table, "item", throttled)
    whole(drop, drop.done("rank/a.txt", BODY, **OPEN))
    assert left == [0]


def test_merging_twice_gives_the_same_bytes(drop: Drop) -> None:
    from rank.merge import handler

    job_id = drop.done("rank/a.txt", BODY, **OPEN, output="all")
    before = {name: drop.result(job_id, name) for name in drop.names(job_id)}
    record = drop.job(job_id)
    assert handler({"job_id": job_id, "kind": "rank"}, _context())["state"] == "SUCCEEDED"
    assert {name: drop.result(job_id, name) for name in drop.names(job_id)} == before
    assert drop.job(job_id) == record
    whole(drop, job_id)


def test_a_poison_shard_fails_the_job_by_name_and_a_redrive_finishes_it(drop: Drop) -> None:
    drop.machine.fault = failing(1000, Died("exit status 137"), shard(2))
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    job = drop.job(job_id)
    assert job.state == drop.summary(job_id)["state"] == "FAILED"
    assert f"shard 3 of {SHARDS} (bytes 512 to 767) of rank/a.txt failed: Died: exit status 137" in job.reason
    assert {"ranking.csv", "rejected.csv"}.isdisjoint(drop.names(job_id))
    assert [each["job_id"] for each in drop.machine.buried()] == [job_id]
    done = desk().working(job_id).done()
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
    from rank import shard as module

    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    monkeypatch.setattr(module, "ranked", lambda *_: pytest.fail("it was done"))
    assert module.handler({"job_id": job_id, "shard": 1}, _context()) == {}


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
            drop.aws.uploads.delete("rank/a.txt")

    drop.machine.fault = delete
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    assert drop.summary(job_id)["error"]["code"] == "object_missing"
    assert len({event["shard"] for event in drop.machine.called("RankShard")}) == len(drop.machine.called("RankShard"))


def test_a_job_that_fails_in_every_attempt_of_its_function_ends_as_failed(
    drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(1 << 20)
    event = drop.put("rank/a.txt", BODY, **OPEN)
    monkeypatch.setattr("rank.shard.rank_blocks", lambda *_, **__: (_ for _ in ()).throw(MemoryError("too much")))
    for _ in range(3):
        with pytest.raises(MemoryError):
            drop(event)
    (key,) = (key for key in drop.aws.results.keys("partials/") if key.endswith("manifest.json"))
    job = drop.job(key.split("/")[1])
    assert (job.state, job.reason) == ("FAILED", "given up after 3 attempts: too much")
    assert drop.summary(job.id)["error"]["message"] == job.reason
    assert drop(event) == []


def test_a_csv_with_line_ends_in_cells_is_planned_again_as_one_shard(drop: Drop, cut: Cut) -> None:
    cut(50_000)
    rows = [f"{GOOD},{at}\n" for at in range(1500)] + [f'{OTHER},"two\nlines"\n'] * 700
    body = ("sequence,note\n" + "".join(rows)).encode()
    job_id = drop.done("rank/a.csv", body, **OPEN)
    summary = drop.summary(job_id)
    assert (summary["state"], summary["counts"]["scored"]) == ("SUCCEEDED", 2200)
    assert desk().working(job_id).manifest().shards == drop.job(job_id).shards == 1
    assert json.loads(drop.result(job_id, "ranking.json"))["counts"]["rejected"] == 0
