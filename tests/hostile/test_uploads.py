"""A presigned upload goes to its key, at its size, with its options, within the hour, and nowhere else.

S3 holds POSTs to their policy; moto does not, so the policy is decoded and enforced here as S3 documents it.
"""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from assay.aws.s3 import Bucket
from assay.jobs.job_records import Jobs
from portal.uploads import MAX_UPLOAD_BYTES, safe
from tests.conftest import Aws
from tests.integration.drops import GOOD, Drop

KEY = "rank/0123456789abcdef/designs.txt"
FREE = ("policy", "x-amz-signature", "file")
"""Fields that no condition needs to name."""


def admits(form: Mapping[str, Any], fields: Mapping[str, str], size: int, at: datetime | None = None) -> bool:
    """Say whether S3 would take a POST of these fields and so many bytes under the policy of a form."""
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    given, named = {"bucket": "uploads", **fields}, {"bucket"}
    if (at or datetime.now(UTC)) > datetime.fromisoformat(policy["expiration"].replace("Z", "+00:00")):
        return False
    for condition in policy["conditions"]:
        match condition:
            case ["content-length-range", least, most]:
                if not least <= size <= most:
                    return False
            case ["starts-with", name, start]:
                named.add(name.lstrip("$"))
                if not given.get(name.lstrip("$"), "").startswith(start):
                    return False
            case dict():
                named |= condition.keys()
                if any(given.get(name) != value for name, value in condition.items()):
                    return False
    return all(name in named or name in FREE for name in given)


@pytest.fixture
def form(aws: Aws) -> dict[str, Any]:
    return Bucket(aws.s3, "uploads").post(KEY, limit=MAX_UPLOAD_BYTES, metadata={"top-k": "7"})


def test_the_offered_post_is_taken(form: dict[str, Any]) -> None:
    assert admits(form, form["fields"], 0)
    assert admits(form, form["fields"], MAX_UPLOAD_BYTES)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "rank/0123456789abcdef/other.txt"},
        {"key": "rank/0123456789abcdef/../../classify/x"},
        {"key": KEY + "/x"},
        {"key": "rank/0123456789abcdef/${filename}"},
        {"key": "models/stability-trypsin/current.json"},
        {"bucket": "models"},
        {"bucket": "results"},
        {"x-amz-meta-top-k": "10000"},
        {"x-amz-meta-score-model": "mine"},
        {"acl": "public-read"},
        {"success_action_redirect": "https://example.org/"},
        {"Content-Type": "text/html"},
        {"x-amz-storage-class": "GLACIER"},
        {"x-amz-website-redirect-location": "https://example.org/"},
        {"tagging": "<Tagging/>"},
    ],
    ids=str,
)
def test_another_key_bucket_option_or_field_is_refused(form: dict[str, Any], change: dict[str, str]) -> None:
    assert not admits(form, {**form["fields"], **change}, 10)


def test_a_larger_or_later_file_is_refused(form: dict[str, Any]) -> None:
    assert not admits(form, form["fields"], MAX_UPLOAD_BYTES + 1)
    in_an_hour = datetime.fromtimestamp(datetime.now(UTC).timestamp() + 3700, UTC)
    assert not admits(form, form["fields"], 10, in_an_hour)


def test_no_option_may_be_left_out(form: dict[str, Any]) -> None:
    for name in ("key", "x-amz-meta-top-k", "x-amz-credential", "x-amz-date"):
        fields = {key: value for key, value in form["fields"].items() if key != name}
        assert not admits(form, fields, 10), name


def test_no_condition_leaves_anything_open(form: dict[str, Any]) -> None:
    conditions = json.loads(base64.b64decode(form["fields"]["policy"]))["conditions"]
    assert [each for each in conditions if isinstance(each, list)] == [["content-length-range", 0, MAX_UPLOAD_BYTES]]
    assert {name for each in conditions if isinstance(each, dict) for name in each} == {
        "bucket", "key", "x-amz-meta-top-k", "x-amz-algorithm", "x-amz-credential", "x-amz-date",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "../../models/current.json", "..\\..\\x", "/etc/passwd", "a/../../b", "${filename}", "a\0b", "a\r\nb", "..",
        ".", "...", " . ", "%2e%2e%2f", "\uff0e\uff0e\uff0fx", "\u202egpj.exe", "a?versionId=1", "a#b", "<img src=x>",
        "'\"", "x" * 5000, "\u2044..\u2044x", "\ud800", "~", "|rm", "a;b", "a\x7fb", "\x1b[2J",
    ],
    ids=ascii,
)  # fmt: skip
def test_no_name_leaves_its_folder(name: str) -> None:
    kept = safe(name)
    assert kept not in ("", ".", "..")
    assert not set(kept) & set("/\\$<>\"'?#%&;|\0\r\n\x1b")
    assert kept.isprintable()
    assert 1 <= len(kept.encode()) <= 255


@pytest.mark.parametrize(
    "key", ["classify/x.txt", "other/x.txt", "x.txt", "rank", "rank/", "rank/a/", "Rank/x", "/rank/x"]
)
def test_an_event_of_another_place_is_nobodys_work(drop: Drop, key: str) -> None:
    assert drop(drop.put(key, GOOD.encode())) == []


def test_an_event_of_another_bucket_starts_nothing(drop: Drop, aws: Aws) -> None:
    aws.s3.put_object(Bucket="models", Key="rank/secret.txt", Body=GOOD.encode())
    event = drop.put("rank/x.txt", b"")
    event["Records"][0]["s3"]["bucket"]["name"] = "models"
    event["Records"][0]["s3"]["object"] |= {"key": "rank/secret.txt", "size": 50}
    assert drop(event) == []
    assert Jobs(aws.dynamodb, aws.table).by_upload("rank/secret.txt") is None
    assert list(aws.results.keys("")) == []


@pytest.mark.parametrize(
    "metadata",
    [
        {"top-k": "10000000000"}, {"top-k": "-1"}, {"top-k": "1e3"}, {"threshold": "nan"}, {"threshold": "1e999"},
        {"score-model": "../../etc"}, {"score-model": "a@../b"}, {"gate-model": "x" * 900}, {"window": "0"},
        {"output": "../x"}, {"strict": "perhaps"},
    ],
    ids=str,
)  # fmt: skip
def test_options_that_no_form_would_carry_are_refused(drop: Drop, metadata: dict[str, str]) -> None:
    job_id = drop.done("rank/x.txt", GOOD.encode(), **metadata)
    assert drop.job(job_id).state == "FAILED"
    assert drop.names(job_id) == ["ranking.json"]


def test_a_key_that_looks_like_a_path_stays_a_key(
    drop: Drop, aws: Aws, environment: Callable[[str, str], None]
) -> None:
    before = set(aws.results.keys(""))
    job_id = drop.done("rank/../../models/current.json", GOOD.encode())
    assert drop.job(job_id).state == "SUCCEEDED"
    added = set(aws.results.keys("")) - before
    assert all(key.startswith((f"results/{job_id}/", f"partials/{job_id}/", "by-upload/rank/")) for key in added)
