"""S3 that answers something else than what it was asked for: seen, asked again, and never taken for the answer."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from botocore.response import StreamingBody

from assay.aws.s3 import Bucket
from assay.errors import AnswerInvalid, ModelUnavailable
from assay.models.registry import Registry
from tests.conftest import Aws
from tests.integration.drops import Drop
from tests.integration.faults import BODY, OPEN, SHARD, Cut, whole
from tests.integration.registries import NAME, TASK, answers

KEY = "rank/a.txt"
CONTENT = bytes(range(256)) * 40
Reply = dict[str, Any]


def _body(reply: Reply, body: bytes) -> Reply:
    return {**reply, "Body": StreamingBody(io.BytesIO(body), len(body))}


def _whole(reply: Reply, everything: bytes) -> Reply:
    reply = {name: value for name, value in _body(reply, everything).items() if name != "ContentRange"}
    return {**reply, "ResponseMetadata": {"HTTPStatusCode": 200}}


def _shifted(reply: Reply, everything: bytes) -> Reply:
    first, _, rest = reply["ContentRange"].removeprefix("bytes ").partition("-")
    last, total = rest.split("/")
    return {**reply, "ContentRange": f"bytes {int(first) + 1}-{last}/{total}"}


WRONG: dict[str, Callable[[Reply, bytes], Reply]] = {
    "the whole object, as 200": _whole,
    "the whole object, called the range": lambda reply, all_: _body(reply, all_),
    "the whole object, as 206 without a range": lambda reply, all_: {**_body(reply, all_), "ContentRange": ""},
    "another range": _shifted,
    "a range of no known size": lambda reply, _: {**reply, "ContentRange": "bytes 0-9/*"},
    "a shorter range": lambda reply, _: {**_body(reply, reply["Body"].read()[:-1])},
    "nothing": lambda reply, _: _body(reply, b""),
    "another object": lambda reply, _: {**reply, "ETag": '"another"'},
    "another version": lambda reply, _: {**reply, "VersionId": "another"},
}


class Wrong:
    """Makes the first `left` ranged GETs of keys that begin with `prefix` wrong."""

    def __init__(self, client: Any, change: Callable[[Reply, bytes], Reply], left: int, prefix: str = "") -> None:
        self._whole, self._change, self.left, self._prefix = client.get_object, change, left, prefix

    def __call__(self, **asked: Any) -> Reply:
        reply: Reply = self._whole(**asked)
        if not self.left or "Range" not in asked or not asked["Key"].startswith(self._prefix):
            return reply
        self.left -= 1
        everything = self._whole(Bucket=asked["Bucket"], Key=asked["Key"])["Body"].read()
        return self._change(reply, everything)


@pytest.fixture
def bucket(aws: Aws) -> Bucket:
    aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    aws.uploads.put(KEY, CONTENT, "text/plain")
    return aws.uploads


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("read", ["read_range", "chunks"])
def test_a_wrong_answer_is_asked_for_again(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, what: str, read: str
) -> None:
    info = bucket.head(KEY)
    pins: dict[str, Any] = {"etag": info.etag, "version": info.version_id}

    def found() -> bytes:
        if read == "read_range":
            return bucket.read_range(KEY, 100, 900, **pins)
        return b"".join(bucket.chunks(KEY, start=100, stop=900, size=300, **pins))

    wrong = Wrong(bucket.client, WRONG[what], 3)
    monkeypatch.setattr(bucket.client, "get_object", wrong)
    assert found() == CONTENT[100:900]
    assert wrong.left == 0
    wrong.left = 1000
    with pytest.raises(AnswerInvalid, match=KEY):
        found()


def test_no_byte_of_a_wrong_range_is_given_out(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket.client, "get_object", Wrong(bucket.client, _whole, 9))
    with pytest.raises(AnswerInvalid, match="status 200 and no Content-Range"):
        next(bucket.pieces(KEY, 1, 9))


def test_an_object_shorter_than_it_should_be_is_not_taken_for_whole(bucket: Bucket) -> None:
    with pytest.raises(AnswerInvalid, match="ends within"):
        list(bucket.chunks(KEY, stop=len(CONTENT) + 1, size=1000))
    with pytest.raises(AnswerInvalid, match="ends within"):
        list(bucket.chunks(KEY, start=len(CONTENT), stop=len(CONTENT) + 5))


@pytest.mark.parametrize("what", ["the whole object, as 200", "another range", "a shorter range"])
def test_chunks_of_a_model_are_held_to_their_range_and_the_model_is_not_refused(
    aws: Aws, registry: Registry, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    aws.publish(NAME)
    wrong = Wrong(aws.models.client, WRONG[what], 1000)
    with monkeypatch.context() as patch:
        patch.setattr(aws.models.client, "get_object", wrong)
        with pytest.raises(ModelUnavailable, match="S3 can't be read"):
            registry.pin(NAME, "1", TASK)
        wrong.left = 1
        assert answers(registry.pin(NAME, "1", TASK))


@pytest.mark.parametrize("what", ["the whole object, as 200", "a shorter range", "another object"])
def test_a_job_of_wrong_answers_gives_the_right_result(
    drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from assay.aws.clients import client

    cut(SHARD)
    drop.aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    wrong, begun = Wrong(client("s3"), WRONG[what], 0, "rank/"), list[Any]()
    monkeypatch.setattr(client("s3"), "get_object", wrong)

    def begin(name: str, event: dict[str, Any]) -> None:
        if name == "RankShard" and not begun:
            begun.append(event)
            wrong.left = 7

    drop.machine.fault = begin
    whole(drop, drop.done(KEY, BODY, **OPEN))
    assert wrong.left == 0


def test_a_store_that_never_gives_a_range_fails_the_job_and_says_so(
    drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.aws.clients import client

    cut(SHARD)
    wrong = Wrong(client("s3"), _whole, 0, "rank/")
    monkeypatch.setattr(client("s3"), "get_object", wrong)

    def begin(name: str, event: dict[str, Any]) -> None:
        wrong.left = 10_000 if name == "RankShard" else 0

    drop.machine.fault = begin
    job_id = drop.done(KEY, BODY, **OPEN)
    job = drop.job(job_id)
    assert job.state == drop.summary(job_id)["state"] == "FAILED"
    assert "the answer has status 200" in job.reason
    assert "ranking.csv" not in drop.names(job_id)
