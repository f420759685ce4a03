"""What goes wrong while a file is ranked: nothing is lost, counted twice, or shown as complete when it is not."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError

from assay.aws.s3 import Bucket
from tests.events import Context
from tests.integration.drops import Drop
from tests.integration.faults import BODY, OPEN, SHARD, SHARDS, Cut, code, failing, shard, whole
from tests.integration.machines import Died


@pytest.fixture(autouse=True)
def _small_shards(cut: Cut) -> None:
    cut(SHARD)


@pytest.mark.parametrize("error", [Died("exit status 137"), TimeoutError("Task timed out after 900.00 seconds")])
def test_a_shard_that_dies_is_done_again(drop: Drop, error: Exception) -> None:
    drop.machine.fault = failing(2, error, shard(1))
    job_id = drop.done("rank/a.txt", BODY, **OPEN)
    whole(drop, job_id)
    assert [event["shard"] for event in drop.machine.called("RankShard")].count(1) == 3
    assert drop.machine.buried() == []


def test_a_shard_that_dies_midway_leaves_no_result(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.jobs.workspace import Workspace

    save, deaths = Workspace.save, [1]

    def dying(self: Workspace, result: Any) -> None:
        if deaths and result.shard == 2:
            deaths.pop()
            assert self.list_done() == sorted(set(self.list_done()) - {2})
            raise Died("just before its last write")
        save(self, result)

    monkeypatch.setattr(Workspace, "save", dying)
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
    from assay.aws.dynamodb import Table

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
    from rank.jobs import merge_handler

    job_id = drop.done("rank/a.txt", BODY, **OPEN, output="all")
    before = {name: drop.result(job_id, name) for name in drop.names(job_id)}
    record = drop.job(job_id)
    assert merge_handler({"job_id": job_id, "kind": "rank"}, Context())["state"] == "SUCCEEDED"
    assert {name: drop.result(job_id, name) for name in drop.names(job_id)} == before
    assert drop.job(job_id) == record
    whole(drop, job_id)
