"""A folder in place of S3: whatever Assay asks of a bucket, both answer alike."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from assay.aws.s3 import PART_BYTES, Bucket, Writer
from assay.errors import ObjectChanged, ObjectMissing
from tools.batch.files_as_s3 import open_folder_bucket


@pytest.fixture(params=["folder", "s3"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bucket]:
    if request.param == "folder":
        yield open_folder_bucket(tmp_path)
        return
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        yield Bucket(client, "bucket")


def test_what_is_put_is_read_back(bucket: Bucket) -> None:
    bucket.put("a/b.txt", b"0123456789", "text/plain")
    info = bucket.head("a/b.txt")
    assert info.size == 10
    assert bucket.get("a/b.txt", limit=10) == (b"0123456789", info.etag)
    assert bucket.read_range("a/b.txt", 2, 5, etag=info.etag) == b"234"
    assert bucket.read_range("a/b.txt", 8, 99) == b"89"
    assert bucket.read_range("a/b.txt", 10, 12) == b""
    assert b"".join(bucket.chunks("a/b.txt", start=1, size=4)) == b"123456789"


def test_keys_are_listed_by_prefix(bucket: Bucket) -> None:
    for key in ("x/1.json", "x/2.json", "y/1.json"):
        bucket.put(key, b"{}", "application/json")
    assert list(bucket.keys("x/")) == ["x/1.json", "x/2.json"]
    assert list(bucket.keys("none/")) == []


def test_what_is_not_there_is_missing(bucket: Bucket) -> None:
    with pytest.raises(ObjectMissing):
        bucket.head("nothing")
    with pytest.raises(ObjectMissing):
        bucket.get("nothing", limit=1)


def test_what_was_replaced_has_changed(bucket: Bucket) -> None:
    bucket.put("a", b"one", "text/plain")
    etag = bucket.head("a").etag
    bucket.put("a", b"other", "text/plain")
    with pytest.raises(ObjectChanged):
        bucket.read_range("a", 0, 3, etag=etag)


def test_large_objects_appear_whole_or_not_at_all(bucket: Bucket) -> None:
    body = bytes(range(256)) * (PART_BYTES // 256 + 1)
    with Writer(bucket, "large", "text/plain") as writer:
        writer.write(body)
    assert b"".join(bucket.chunks("large")) == body
    with pytest.raises(RuntimeError):
        _break_off(bucket, body)
    assert list(bucket.keys("")) == ["large"]


def _break_off(bucket: Bucket, body: bytes) -> None:
    with Writer(bucket, "broken", "text/plain") as writer:
        writer.write(body)
        raise RuntimeError
