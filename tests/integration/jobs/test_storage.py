import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody

from assay.aws.s3 import Bucket
from assay.errors import ObjectChanged, ObjectMissing, SettingsError, TooLarge
from tests.conftest import Aws, delete_objects

KEY = "rank/a b+ü.txt"
BODY = bytes(range(256)) * 40


@pytest.fixture
def bucket(aws: Aws) -> Bucket:
    aws.s3.put_object(
        Bucket="uploads", Key=KEY, Body=BODY, ContentType="text/plain", Metadata={"Top-K": "10", "column": "seq"}
    )
    return aws.uploads


def test_head_tells_size_type_and_lower_case_metadata(bucket: Bucket) -> None:
    info = bucket.head(KEY)
    assert (info.key, info.size, info.content_type) == (KEY, len(BODY), "text/plain")
    assert info.metadata == {"top-k": "10", "column": "seq"}
    assert info.etag.startswith('"')


def test_head_tells_the_version_of_a_versioned_bucket(aws: Aws, bucket: Bucket) -> None:
    aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    version = aws.s3.put_object(Bucket="uploads", Key="v", Body=b"1")["VersionId"]
    assert bucket.head("v").version_id == version


def test_get_returns_body_and_etag_and_none_when_unchanged(bucket: Bucket) -> None:
    found = bucket.get(KEY, limit=len(BODY))
    assert found is not None
    body, etag = found
    assert body == BODY
    assert bucket.get(KEY, limit=1, if_none_match=etag) is None
    bucket.put(KEY, b"new", "text/plain")
    changed = bucket.get(KEY, limit=3, if_none_match=etag)
    assert changed is not None
    assert changed[0] == b"new"


def test_get_refuses_what_is_over_the_limit(bucket: Bucket) -> None:
    with pytest.raises(TooLarge):
        bucket.get(KEY, limit=len(BODY) - 1)


@pytest.mark.parametrize("read", ["head", "get", "read_range", "chunks"])
def test_what_is_not_there_is_missing(bucket: Bucket, read: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "head": lambda: bucket.head("none"),
        "get": lambda: bucket.get("none", limit=1),
        "read_range": lambda: bucket.read_range("none", 0, 1),
        "chunks": lambda: list(bucket.chunks("none")),
    }
    with pytest.raises(ObjectMissing, match="none"):
        calls[read]()


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 1), (0, 256), (17, 9000), (len(BODY) - 1, len(BODY)), (5, 5), (len(BODY), len(BODY) + 9)]
)
def test_a_range_is_what_a_slice_is(bucket: Bucket, start: int, stop: int) -> None:
    assert bucket.read_range(KEY, start, stop) == BODY[start:stop]


def test_an_object_that_was_replaced_is_not_read_on(bucket: Bucket) -> None:
    etag = bucket.head(KEY).etag
    assert bucket.read_range(KEY, 0, 4, etag=etag) == BODY[:4]
    bucket.put(KEY, BODY[::-1], "text/plain")
    with pytest.raises(ObjectChanged):
        bucket.read_range(KEY, 0, 4, etag=etag)
    with pytest.raises(ObjectChanged):
        list(bucket.chunks(KEY, etag=etag, stop=len(BODY), size=100))


@pytest.mark.parametrize("size", [1000, 1024, len(BODY), 1 << 23])
def test_chunks_join_to_the_object(bucket: Bucket, size: int) -> None:
    chunks = list(bucket.chunks(KEY, size=size))
    assert b"".join(chunks) == BODY
    assert max(map(len, chunks)) <= size
    assert b"".join(bucket.chunks(KEY, start=300, stop=5000, size=size)) == BODY[300:5000]


def test_an_empty_object_has_no_chunks(bucket: Bucket) -> None:
    bucket.put("empty", b"", "")
    assert list(bucket.chunks("empty")) == []


def test_chunks_may_be_left_in_the_middle(bucket: Bucket) -> None:
    chunks = bucket.chunks(KEY, size=100)
    assert next(chunks) == BODY[:100]
    chunks.close()  # type: ignore[attr-defined]


def test_a_connection_that_breaks_off_is_read_again(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, breaks = bucket.pieces, iter([True, True, False])

    def pieces(*args: Any, **options: Any) -> Iterator[bytes]:
        yield from whole(*args, **options)
        if next(breaks):
            raise IncompleteReadError(actual_bytes=1, expected_bytes=2)

    monkeypatch.setattr(bucket, "pieces", pieces)
    assert bucket.read_range(KEY, 0, 100) == BODY[:100]


def test_a_small_object_cut_short_is_read_again_and_never_taken_for_whole(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, left = bucket.client.get_object, [2]

    def cut(**asked: Any) -> Any:
        reply = whole(**asked)
        if left[0]:
            left[0] -= 1
            reply["Body"] = StreamingBody(io.BytesIO(BODY[:100]), len(BODY))
        return reply

    monkeypatch.setattr(bucket.client, "get_object", cut)
    found = bucket.get(KEY, limit=len(BODY))
    assert found is not None
    assert found[0] == BODY
    left[0] = 100
    with pytest.raises(IncompleteReadError):
        bucket.get(KEY, limit=len(BODY))


def test_a_connection_that_always_breaks_off_is_an_error(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces(*args: Any, **options: Any) -> Iterator[bytes]:
        raise IncompleteReadError(actual_bytes=1, expected_bytes=2)

    monkeypatch.setattr(bucket, "pieces", pieces)
    with pytest.raises(IncompleteReadError):
        bucket.read_range(KEY, 0, 100)


def test_a_large_upload_arrives_whole(bucket: Bucket) -> None:
    content = BODY * 1000
    bucket.upload("large", io.BytesIO(content), "text/csv")
    info = bucket.head("large")
    assert (info.size, info.content_type) == (len(content), "text/csv")
    assert b"".join(bucket.chunks("large")) == content


def test_keys_and_folders(bucket: Bucket) -> None:
    for key in ("models/a/1/x", "models/a/current.json", "models/b/current.json", "other"):
        bucket.put(key, b"", "")
    assert list(bucket.folders("models/")) == ["a", "b"]
    assert list(bucket.keys("models/a/")) == ["models/a/1/x", "models/a/current.json"]
    delete_objects(bucket, "models/a/1/x", "models/a/current.json", "never there")
    assert list(bucket.folders("models/")) == ["b"]


def test_a_link_names_the_file_and_can_not_break_its_header(bucket: Bucket) -> None:
    parts = urlsplit(bucket.link(KEY, filename='größe"\r\nX: 1.csv', seconds=60))
    disposition = parse_qs(parts.query)["response-content-disposition"][0]
    assert "\r" not in disposition
    assert disposition.startswith("attachment; filename=\"groeX: 1.csv\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%22")
    assert unquote(parts.path).endswith(KEY)
    assert "X-Amz-Signature" in parts.query


def test_other_errors_of_s3_stay_what_they_are(aws: Aws) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Bucket(aws.s3, "nowhere").get("x", limit=1)


def test_a_bucket_has_a_name(aws: Aws) -> None:
    with pytest.raises(SettingsError):
        Bucket(aws.s3, "")
