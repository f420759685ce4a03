"""Objects written while they are made."""

from base64 import b64encode
from typing import Any
from unittest.mock import Mock
from zlib import crc32

import pytest
from botocore.exceptions import ClientError

from assay.aws.s3 import PART_BYTES, Writer
from tests.conftest import Aws


def list_unfinished(aws: Aws) -> list[Any]:
    return list(aws.s3.list_multipart_uploads(Bucket="results").get("Uploads", []))


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES + 5])
def test_what_was_written_is_the_object(aws: Aws, size: int) -> None:
    content = bytes(at % 251 for at in range(1009)) * (size // 1009 + 1)
    with Writer(aws.results, "a", "text/csv") as writer:
        for at in range(0, size, 3_000_000):
            writer.write(content[at : min(at + 3_000_000, size)])
        assert list(aws.results.keys("")) == []
    assert aws.results.get("a", limit=size) is not None
    assert aws.results.read_range("a", 0, size or 1) == content[:size]
    assert aws.results.head("a").content_type == "text/csv"
    assert list_unfinished(aws) == []


def test_a_failure_leaves_nothing(aws: Aws) -> None:
    writer = Writer(aws.results, "a", "text/csv")
    writer.write(b"a" * (PART_BYTES + 1))
    assert len(list_unfinished(aws)) == 1
    with pytest.raises(ZeroDivisionError), writer:
        raise ZeroDivisionError
    assert (list(aws.results.keys("")), list_unfinished(aws)) == ([], [])


def test_a_failure_of_the_last_step_leaves_nothing(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "CompleteMultipartUpload")
    writer = Writer(aws.results, "a", "text/csv")
    writer.write(b"a" * PART_BYTES)
    with monkeypatch.context() as patch:
        patch.setattr(aws.s3, "complete_multipart_upload", lambda **_: (_ for _ in ()).throw(error))
        with pytest.raises(ClientError), writer:
            writer.write(b"b")
    assert (list(aws.results.keys("")), list_unfinished(aws)) == ([], [])


def test_each_part_is_completed_by_its_checksum(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = Mock(wraps=aws.s3.complete_multipart_upload)
    monkeypatch.setattr(aws.s3, "complete_multipart_upload", complete)
    with Writer(aws.results, "a", "text/csv") as writer:
        writer.write(b"a" * PART_BYTES)
        writer.write(b"b")
    parts = complete.call_args.kwargs["MultipartUpload"]["Parts"]
    sums = [crc32(b"a" * PART_BYTES), crc32(b"b")]
    assert [part["ChecksumCRC32"] for part in parts] == [b64encode(each.to_bytes(4, "big")).decode() for each in sums]
