"""GetObject without boto3: what it returns and raises is what boto3's client does, and what it can't do is boto3's."""

import base64
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from assay.aws import clients
from assay.aws.dynamodb_batches import QuickDynamoDB
from assay.aws.s3 import Bucket
from assay.aws.s3_reads import QuickS3
from assay.aws.signed_requests import Access
from assay.errors import AnswerInvalid, ObjectChanged, ObjectMissing
from tests.conftest import ENVIRONMENT

BODY = bytes(range(256)) * 20
CRC = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
Answer = tuple[int, dict[str, str], bytes]
Act = Callable[[str, dict[str, str]], Answer]


@contextmanager
def serve(act: Act) -> Iterator[str]:
    """Answer every GET and POST on this machine by a function of path and headers; a body may be cut short."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = act(self.path, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = int(headers.get("Content-Length", len(body))) != len(body)

        do_POST = do_GET  # noqa: N815  the name is http.server's

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Store:
    """One object, answered as S3 does; `spoil` is asked before each answer and may give another."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.spoil: Callable[[int], Answer | None] = lambda count: None

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        self.asked.append((path, headers))
        if spoiled := self.spoil(len(self.asked)):
            return spoiled
        about = {"ETag": '"one"', "x-amz-version-id": "7", "Content-Type": "text/plain", "x-amz-meta-Top": "1"}
        if "/missing" in path:
            return 404, {}, b"<Error><Code>NoSuchKey</Code></Error>"
        if headers.get("if-match", '"one"') != '"one"':
            return 412, {}, b"<Error><Code>PreconditionFailed</Code></Error>"
        if headers.get("if-none-match") == '"one"':
            return 304, {"ETag": '"one"'}, b""
        if "range" not in headers:
            return 200, {**about, "x-amz-checksum-crc32": CRC}, BODY
        first, last = map(int, headers["range"].removeprefix("bytes=").split("-"))
        if first >= len(BODY):
            return 416, {}, b"<Error><Code>InvalidRange</Code></Error>"
        part = BODY[first : last + 1]
        return 206, {**about, "Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(BODY)}"}, part


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def full_calls() -> list[str]:
    return []


@pytest.fixture
def quick(store: Store, full_calls: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[QuickS3]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with serve(store.answer) as host:
        config = Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "total_max_attempts": 1})
        full: Any = boto3.client("s3", region_name="eu-west-1", endpoint_url=f"http://{host}", config=config)

        def make() -> Any:
            full_calls.append("made")
            return full

        yield QuickS3(Access("s3", "eu-west-1", "http", host, custom=True), make)


@pytest.fixture
def bucket(quick: QuickS3) -> Bucket:
    return Bucket(quick, "models")  # type: ignore[arg-type]


def test_a_whole_object_needs_no_boto3(bucket: Bucket, store: Store, full_calls: list[str]) -> None:
    assert bucket.get("models/a/current.json", limit=len(BODY)) == (BODY, '"one"')
    assert bucket.get("models/a/current.json", limit=1, if_none_match='"one"') is None
    assert not full_calls
    [(path, headers), _] = store.asked
    assert path == "/models/models/a/current.json"
    assert headers["x-amz-checksum-mode"] == "ENABLED"
    assert "Signature=" in headers["authorization"]


def test_ranges_are_what_slices_are(bucket: Bucket, full_calls: list[str]) -> None:
    for start, stop in ((0, 1), (17, 900), (len(BODY) - 1, len(BODY) + 9), (5, 5)):
        assert bucket.read_range("a", start, stop, etag='"one"') == BODY[start:stop]
    info, head = bucket.read_start("a", 10)
    assert (info.size, info.etag, info.version_id, dict(info.metadata), head) == (
        len(BODY), '"one"', "7", {"top": "1"}, BODY[:10],
    )  # fmt: skip
    assert not full_calls


def test_what_is_not_there_or_changed_is_said_as_ever(bucket: Bucket, full_calls: list[str]) -> None:
    with pytest.raises(ObjectMissing):
        bucket.get("missing", limit=1)
    with pytest.raises(ObjectChanged):
        bucket.read_range("a", 0, 1, etag='"two"')
    assert bucket.read_range("a", len(BODY), len(BODY) + 1) == b""
    assert full_calls


@pytest.mark.parametrize("key", ["a b", "ü", "a//b", "../a", "a/./b", "a/", "a+b"])
def test_keys_that_quoting_changes_are_left_to_boto3(quick: QuickS3, full_calls: list[str], key: str) -> None:
    assert quick.get_object(Bucket="models", Key=key)["Body"].read() == BODY
    assert full_calls


@pytest.mark.parametrize("name", ["a.b.c", "UPPER", "arn:aws:s3:eu-west-1:1:accesspoint/p", "x--x-s3", "p-s3alias"])
def test_buckets_with_an_address_of_another_kind_are_left_to_boto3(name: str) -> None:
    reply = {"Body": b""}
    full: Any = type("Full", (), {"get_object": lambda self, **wanted: reply})()
    quick = QuickS3(Access("s3", "eu-west-1", "https", "127.0.0.1:9"), lambda: full)
    assert quick.get_object(Bucket=name, Key="a") is reply


def test_an_answer_that_is_no_object_is_asked_for_again_by_boto3(
    bucket: Bucket, store: Store, full_calls: list[str]
) -> None:
    store.spoil = lambda count: (503, {}, b"<Error><Code>SlowDown</Code></Error>") if count == 1 else None
    assert bucket.read_range("a", 0, 9) == BODY[:9]
    assert full_calls
    store.spoil = lambda count: (403, {}, b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.read_range("a", 0, 9)


def test_a_body_that_breaks_off_is_read_again(bucket: Bucket, store: Store, full_calls: list[str]) -> None:
    cut = {"ETag": '"one"', "Content-Length": str(len(BODY)), "Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"}
    store.spoil = lambda count: (206, cut, BODY[:100]) if count == 1 else None
    assert bucket.read_range("a", 0, len(BODY)) == BODY
    store.spoil = lambda count: (200, {**cut, "x-amz-checksum-crc32": CRC}, BODY[:100]) if count == 3 else None
    assert bucket.get("a", limit=len(BODY)) == (BODY, '"one"')
    assert (len(store.asked), full_calls) == (4, [])


def test_a_body_that_is_not_what_s3_holds_is_read_again(bucket: Bucket, store: Store) -> None:
    spoiled = {"ETag": '"one"', "x-amz-checksum-crc32": CRC}
    store.spoil = lambda count: (200, spoiled, b"x" + BODY[1:]) if count == 1 else None
    assert bucket.get("a", limit=len(BODY)) == (BODY, '"one"')
    assert len(store.asked) == 2


def test_another_range_or_status_than_was_asked_for_is_refused(bucket: Bucket, store: Store) -> None:
    store.spoil = lambda count: (200, {"ETag": '"one"'}, BODY)
    with pytest.raises(AnswerInvalid):
        bucket.read_range("a", 0, 9)


def test_a_connection_that_was_closed_meanwhile_is_replaced(
    bucket: Bucket, store: Store, full_calls: list[str]
) -> None:
    assert bucket.read_range("a", 0, 9) == BODY[:9]
    quick: Any = bucket.client
    [pool] = quick._pools.values()
    [idle] = pool._idle
    idle.sock.close()
    assert bucket.read_range("a", 0, 9) == BODY[:9]
    assert not full_calls


def test_calls_that_it_does_not_know_are_boto3_s(quick: QuickS3, full_calls: list[str]) -> None:
    assert "AKID" in quick.generate_presigned_url("get_object", Params={"Bucket": "models", "Key": "a"})
    assert full_calls


def test_only_a_function_gets_it() -> None:
    function = {**ENVIRONMENT, "HOME": "/nowhere", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}
    for found, expected in ((function, True), ({**function, "AWS_LAMBDA_RUNTIME_API": ""}, False)):
        with mock.patch.dict(os.environ, found, clear=True):
            clients.forget()
            assert isinstance(clients.client("s3"), QuickS3) == expected
            assert isinstance(clients.hasty_dynamodb(), QuickDynamoDB) == expected
    clients.forget()


ITEMS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.builds(lambda kind, value: {kind: value}, st.sampled_from(["S", "N"]), st.text("019", min_size=1))
    | st.binary(min_size=1).map(lambda value: {"B": value})
    | st.booleans().map(lambda value: {"BOOL": value}),
    min_size=1,
)


@given(st.lists(ITEMS, min_size=1, max_size=4))
def test_batches_arrive_as_they_were_sent(items: list[dict[str, Any]]) -> None:
    from assay.aws.dynamodb_batches import _convert, _decode, _encode

    wanted = {"cache": [{"PutRequest": {"Item": item}} for item in items]}
    assert _convert(_convert(wanted, _encode), _decode) == wanted


@pytest.mark.parametrize(
    ("status", "headers", "body", "error"),
    [
        (400, {}, b'{"__type": "com.amazonaws#ResourceNotFoundException", "message": "no table"}', "no table"),
        (500, {}, b"<html>", "500"),
        (200, {"x-amz-crc32": "1"}, b"{}", "2 read"),
    ],
)
def test_a_batch_that_fails_is_one_of_botocores_errors(
    status: int, headers: dict[str, str], body: bytes, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    from botocore.exceptions import BotoCoreError

    with serve(lambda path, asked: (status, headers, body)) as host:
        quick = QuickDynamoDB(Access("dynamodb", "eu-west-1", "http", host, custom=True), connect=1, read=1)
        with pytest.raises((BotoCoreError, ClientError), match=error):
            quick.batch_get_item(RequestItems={"cache": {"Keys": [{"pk": {"S": "a"}}]}})
