"""What is asked of AWS without boto3: signed and addressed as boto3 would, and left to it where anything is unusual."""

from datetime import UTC, datetime
from functools import cache
from typing import Any
from unittest import mock
from urllib.parse import quote

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from assay.aws.signed_requests import Access, find_access, quote_query, sign

FUNCTION = {
    "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
    "AWS_LAMBDA_FUNCTION_NAME": "f",
    "AWS_EXECUTION_ENV": "AWS_Lambda_Image",
    "AWS_XRAY_DAEMON_ADDRESS": "169.254.79.129:2000",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "PATH": "/usr/bin",
}
MOMENT = datetime(2026, 11, 30, 4, 5, 6, tzinfo=UTC)
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=20)
KEYS = st.text("abcXYZ019-_.~/ +ü=&%", min_size=1, max_size=30).map(lambda text: quote(text, safe="/~"))


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


@given(KEYS, st.dictionaries(st.sampled_from(["versionId", "partNumber"]), WORDS), WORDS, st.sampled_from(["", "t=="]))
def test_a_read_is_signed_as_botocore_signs_it(key: str, query: dict[str, str], value: str, token: str) -> None:
    target = f"/{key}" + (f"?{quote_query(query)}" if query else "")
    headers = {"range": "bytes=0-9", "if-match": value}
    ours = _sign(Access("s3", "eu-west-1", "https", "b.s3.eu-west-1.amazonaws.com"), "GET", target, headers, b"", token)
    theirs = AWSRequest("GET", f"https://b.s3.eu-west-1.amazonaws.com{target}", dict(headers))
    assert ours == _sign_by_botocore(S3SigV4Auth, "s3", theirs, token)


@given(st.binary(max_size=200))
def test_a_batch_is_signed_as_botocore_signs_it(body: bytes) -> None:
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.BatchGetItem"}
    access = Access("dynamodb", "eu-west-1", "https", "dynamodb.eu-west-1.amazonaws.com")
    ours = _sign(access, "POST", "/", headers, body, "token")
    theirs = AWSRequest("POST", "https://dynamodb.eu-west-1.amazonaws.com/", dict(headers), body)
    assert ours == _sign_by_botocore(SigV4Auth, "dynamodb", theirs, "token")


def _sign(access: Access, method: str, target: str, headers: dict[str, str], body: bytes, token: str) -> str:
    with mock.patch.dict("os.environ", {**FUNCTION, "AWS_SESSION_TOKEN": token}):
        return sign(access, method, target, {"host": access.host, **headers}, body, MOMENT.timestamp())["authorization"]


def _sign_by_botocore(kind: type[SigV4Auth], service: str, request: AWSRequest, token: str) -> str:
    credentials = Credentials(FUNCTION["AWS_ACCESS_KEY_ID"], FUNCTION["AWS_SECRET_ACCESS_KEY"], token or None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=MOMENT.replace(tzinfo=None)):
        kind(credentials, service, "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


@cache
def _regions() -> list[str]:
    session = get_session()
    names = [session.get_available_regions("s3", name, True) for name in session.get_available_partitions()]
    return sorted({region for each in names for region in each})


@pytest.mark.parametrize("service", ["s3", "dynamodb"])
def test_a_service_is_asked_where_boto3_would_ask_it_in_every_region(service: str) -> None:
    served = 0
    session = boto3.session.Session("AKID", "secret")
    for region in _regions():
        access = find_access(service, {**FUNCTION, "AWS_DEFAULT_REGION": region})
        if access is not None:
            made: Any = session.client(service, region_name=region)  # type: ignore[call-overload]
            assert f"{access.scheme}://{access.host}" == made.meta.endpoint_url
            served += 1
    assert served > 15


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "us-iso-east-1", "fips-us-east-1", "aws-global", ""])
def test_other_partitions_are_left_to_boto3(region: str) -> None:
    assert find_access("s3", {**FUNCTION, "AWS_DEFAULT_REGION": region}) is None


def test_a_function_as_usual_is_served_here() -> None:
    assert find_access("s3", FUNCTION) == Access("s3", "eu-west-1", "https", "s3.eu-west-1.amazonaws.com")


@pytest.mark.parametrize("missing", ["AWS_LAMBDA_RUNTIME_API", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_what_is_no_function_is_left_to_boto3(missing: str) -> None:
    assert find_access("s3", {name: value for name, value in FUNCTION.items() if name != missing}) is None


UNUSUAL = (
    "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_CA_BUNDLE",
    "AWS_SHARED_CREDENTIALS_FILE", "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "AWS_WEB_IDENTITY_TOKEN_FILE", "HTTPS_PROXY",
    "https_proxy", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "AWS_ENDPOINT_URL_STS", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)  # fmt: skip


@given(st.sampled_from(UNUSUAL) | st.from_regex(r"AWS_[A-Z]{1,12}_[A-Z]{1,12}_SETTING", fullmatch=True))
def test_any_other_setting_is_for_boto3_to_understand(name: str) -> None:
    assert find_access("s3", {**FUNCTION, name: "x"}) is None
    assert find_access("s3", {**FUNCTION, name: ""}) is not None


def test_a_file_of_settings_is_for_boto3_to_understand(tmp_path: Any) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\nuse_fips_endpoint = true\n")
    assert find_access("s3", FUNCTION) is None


def test_an_endpoint_of_the_environment_is_asked_the_service_s_own_first() -> None:
    given = {**FUNCTION, "AWS_ENDPOINT_URL": "http://host:1"}
    assert find_access("s3", given) == Access("s3", "eu-west-1", "http", "host:1", custom=True)
    own = find_access("s3", {**given, "AWS_ENDPOINT_URL_S3": "http://other:2"})
    assert own == Access("s3", "eu-west-1", "http", "other:2", custom=True)
    assert find_access("s3", {**FUNCTION, "AWS_ENDPOINT_URL": "http://user@host/path"}) is None
