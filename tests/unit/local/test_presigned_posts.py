"""Presigned forms as botocore makes them, held to their policy and signature: taken as they are, refused changed."""

import base64
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from werkzeug.test import Client

from tools.local.presigned_posts import Form, FormRefused, Posts, hold_form

SECRETS = {"local": "local"}
NOW = datetime.now(UTC)
LIMIT = 100


def offer(key: str = "rank/a/x.txt", version: str = "s3v4", **metadata: str) -> dict[str, str]:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    s3: Any = boto3.client("s3", config=Config(signature_version=version), **keys)  # type: ignore[call-overload]
    fields = {f"x-amz-meta-{name}": value for name, value in metadata.items()}
    conditions = [["content-length-range", 1, LIMIT], *({name: value} for name, value in fields.items())]
    form = s3.generate_presigned_post("uploads", key, Fields=dict(fields), Conditions=conditions, ExpiresIn=3600)
    return {name.lower(): value for name, value in form["fields"].items()}


def hold(fields: dict[str, str], *, size: int = 50, bucket: str = "uploads", now: datetime = NOW) -> None:
    hold_form(Form(bucket, {**fields, "file": ""}, "mine.txt", size), SECRETS, now)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize("size", [1, LIMIT])
def test_a_form_as_it_was_offered_is_taken(version: str, size: int) -> None:
    hold(offer("rank/a/x.txt", version, **{"top-k": "3"}), size=size)


def test_the_files_own_name_may_stand_in_the_key() -> None:
    fields = offer("rank/${filename}")
    hold(fields)
    assert Form("uploads", fields, "mine.txt", 1).key == "rank/mine.txt"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
@pytest.mark.parametrize(
    "change",
    [
        {"key": "rank/elsewhere/x.txt"},
        {"key": "rank/a/x.txt2"},
        {"x-amz-meta-top-k": "4"},
        {"x-amz-meta-strict": "true"},
        {"acl": "public-read"},
        {"content-type": "text/html"},
        {"success_action_redirect": "https://elsewhere.example.org"},
        {"x-amz-signature": "0" * 64, "signature": "AAAA"},
        {"x-amz-credential": "other/20260101/us-east-1/s3/aws4_request", "awsaccesskeyid": "other"},
        {"x-amz-credential": "local", "awsaccesskeyid": ""},
    ],
    ids=str,
)
def test_a_form_that_was_changed_is_forbidden(version: str, change: dict[str, str]) -> None:
    fields = offer("rank/a/x.txt", version, **{"top-k": "3"})
    kept = {name: value for name, value in change.items() if name in fields or name not in _SIGNING}
    with pytest.raises(FormRefused) as refused:
        hold({**fields, **kept})
    assert refused.value.status == 403


_SIGNING = {"x-amz-signature", "signature", "x-amz-credential", "awsaccesskeyid"}


@pytest.mark.parametrize("left_out", ["policy", "x-amz-signature", "x-amz-credential", "x-amz-date", "x-amz-algorithm"])
def test_a_form_without_a_part_of_its_signature_is_forbidden(left_out: str) -> None:
    fields = offer()
    del fields[left_out]
    with pytest.raises(FormRefused) as refused:
        hold(fields)
    assert refused.value.status == 403


def test_a_field_that_a_condition_wants_may_not_be_left_out() -> None:
    fields = offer("rank/a/x.txt", "s3v4", **{"top-k": "3"})
    del fields["x-amz-meta-top-k"]
    with pytest.raises(FormRefused, match="Policy Condition failed"):
        hold(fields)


def test_a_policy_that_was_written_anew_is_not_the_signed_one() -> None:
    fields = offer()
    policy = json.loads(base64.b64decode(fields["policy"]))
    policy["conditions"] = [each for each in policy["conditions"] if each != {"key": "rank/a/x.txt"}]
    with pytest.raises(FormRefused, match="signature"):
        hold({**fields, "policy": base64.b64encode(json.dumps(policy).encode()).decode()})


@pytest.mark.parametrize(("size", "code"), [(LIMIT + 1, "EntityTooLarge"), (0, "EntityTooSmall")])
def test_a_file_of_another_size_is_refused(size: int, code: str) -> None:
    with pytest.raises(FormRefused) as refused:
        hold(offer(), size=size)
    assert (refused.value.status, refused.value.code) == (400, code)


def test_a_form_ends_with_its_hour() -> None:
    fields, now = offer(), datetime.now(UTC)
    hold(fields, now=now + timedelta(minutes=59))
    with pytest.raises(FormRefused, match="expired"):
        hold(fields, now=now + timedelta(minutes=61))


def test_a_form_is_of_one_bucket() -> None:
    with pytest.raises(FormRefused, match="Policy Condition failed"):
        hold(offer(), bucket="results")


@pytest.fixture
def taken() -> list[bytes]:
    return []


@pytest.fixture
def front(taken: list[bytes]) -> Client:
    def moto(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        taken.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        start_response("204 No Content", [])
        return [b""]

    return Client(Posts(moto, SECRETS))


def test_what_is_taken_is_passed_on_byte_by_byte(front: Client, taken: list[bytes]) -> None:
    body = bytes(range(256))[:LIMIT]
    fields: dict[str, Any] = offer()
    assert front.post("/uploads", data={**fields, "file": (_file(body), "x")}).status_code == 204
    assert body in taken[0]


def test_what_is_refused_is_not_passed_on(front: Client, taken: list[bytes]) -> None:
    reply = front.post("/uploads/", data={**offer(), "key": "rank/other", "file": (_file(b"x"), "x")})
    assert (reply.status_code, taken) == (403, [])
    assert "<Code>AccessDenied</Code>" in reply.text
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("body", [b"", b"nothing", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--"])
def test_a_body_that_is_no_form_with_a_file_is_refused(front: Client, taken: list[bytes], body: bytes) -> None:
    reply = front.post("/uploads", data=body, content_type="multipart/form-data; boundary=x")
    assert (reply.status_code, taken) == (400, [])


@pytest.mark.parametrize(("method", "path"), [("PUT", "/uploads/key"), ("POST", "/uploads/key"), ("GET", "/uploads")])
def test_nothing_but_forms_is_looked_at(front: Client, method: str, path: str) -> None:
    assert front.open(path, method=method, data=b"x").status_code == 204


def _file(body: bytes) -> Any:
    return io.BytesIO(body)
