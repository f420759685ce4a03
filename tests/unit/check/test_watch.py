"""What `assay check` sees of a stack: alarms, dashboard, logs, address and key, each right and each wrong."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials

from tools.check import watch
from tools.check.ground import Ground, Holdings, Named, NoGround, find_ground
from tools.check.promises import Broken, Check, Untried, try_one
from tools.check.runs import line
from tools.check.specimens import Specimens
from tools.check.wire import Wire, reach

ALARMS = ["errors", "slow"]
IDS = {
    "AWS::CloudWatch::Alarm": ["errors"],
    "AWS::CloudWatch::CompositeAlarm": ["slow"],
    "AWS::CloudWatch::Dashboard": ["assay"],
    "AWS::Logs::LogGroup": ["/assay/rank", "/assay/classify"],
}


class Watch:
    """CloudWatch and its logs, as one object; what it holds is given."""

    def __init__(self, alarms: dict[str, str], widgets: int, lines: list[str]) -> None:
        self.alarms, self.widgets, self.lines = alarms, widgets, lines

    def describe_alarms(self, AlarmNames: list[str], **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"MetricAlarms": [{"AlarmName": n, "StateValue": s} for n, s in self.alarms.items() if n in AlarmNames]}

    def get_dashboard(self, DashboardName: str) -> dict[str, str]:  # noqa: N803
        return {"DashboardBody": json.dumps({"widgets": [{}] * self.widgets})}

    def filter_log_events(self, logGroupName: str, filterPattern: str = "", **asked: Any) -> dict[str, Any]:  # noqa: N803
        lines = self.lines if logGroupName == "/assay/rank" else []
        if "nextToken" not in asked:  # pages may be empty before the one that is not
            return {"events": [], "nextToken": "more"}
        return {"events": [{"message": each} for each in lines if filterPattern.strip('"') in each]}


SPECIMENS = Specimens(50, "ACDE")


def ground(found: Watch, ids: dict[str, list[str]] = IDS, key: str | None = "the-key") -> Ground:
    holdings = Holdings(lambda _: found, "uploads", "results", {}, ids)
    return Ground(Wire("http://127.0.0.1:9", key), SPECIMENS, 1_000.0, holdings)


def good() -> Watch:
    return Watch(dict.fromkeys(ALARMS, "OK"), 3, ['{"message": "ranked"}'])


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOG_SECONDS", 0.0)
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_a_stack_that_is_watched_keeps_its_promises() -> None:
    assert watch.check_alarms(ground(good())) == "2 alarms, none on"
    assert watch.check_dashboard(ground(good())) == "assay, 3 widgets"
    assert watch.check_log(ground(good())) == "2 groups"


def test_an_alarm_that_is_on_is_named() -> None:
    assert "on now: slow" in watch.check_alarms(ground(Watch({"errors": "OK", "slow": "ALARM"}, 1, [])))


def test_an_alarm_that_is_missing_breaks_the_promise() -> None:
    with pytest.raises(Broken, match="1 of 2 alarms are missing: slow"):
        watch.check_alarms(ground(Watch({"errors": "OK"}, 1, [])))


def test_a_stack_without_alarms_breaks_the_promise() -> None:
    with pytest.raises(Broken, match="no alarm"):
        watch.check_alarms(ground(good(), {"AWS::Logs::LogGroup": ["x"]}))


def test_an_empty_dashboard_breaks_the_promise() -> None:
    with pytest.raises(Broken, match="empty"):
        watch.check_dashboard(ground(Watch({}, 0, [])))


@pytest.mark.parametrize("word", [SPECIMENS.mark, SPECIMENS.sequences[0], "the-key"], ids=["mark", "sequence", "key"])
def test_a_log_that_holds_what_a_user_sent_breaks_the_promise(word: str) -> None:
    with pytest.raises(Broken, match="/assay/rank holds what a user sent"):
        watch.check_log(ground(Watch({}, 0, ["a line", f'{{"message": "got {word}"}}'])))


def test_a_log_without_a_line_breaks_the_promise() -> None:
    with pytest.raises(Broken, match="logged anything"):
        watch.check_log(ground(Watch({}, 0, [])))


@pytest.mark.parametrize("check", watch.CHECKS)
def test_a_local_service_has_nothing_to_watch(check: Check[Ground]) -> None:
    assert try_one(check, ground(good(), {})).mark == "skipped"


def test_no_two_runs_send_the_same() -> None:
    other = Specimens(50, "ACDE")
    assert other.mark != SPECIMENS.mark
    assert not set(other.sequences) & set(SPECIMENS.sequences)
    assert SPECIMENS.mark in SPECIMENS.abstract
    assert SPECIMENS.mark.encode() in SPECIMENS.fasta()


def test_padded_lines_fill_a_size_and_stay_json() -> None:
    body = SPECIMENS.pad_abstracts(7, 50_000)
    assert 50_000 <= len(body) <= 51_000
    assert [json.loads(each)["id"] for each in body.splitlines()] == [str(at) for at in range(7)]


def raising(error: Exception) -> Check[None]:
    def run(_: None) -> str:
        raise error

    return Check("name", "what it says", run)


@pytest.mark.parametrize(
    ("error", "mark"), [(Broken("b"), "broken"), (Untried("u"), "skipped"), (KeyError("ranked"), "broken")]
)
def test_a_check_ends_as_what_it_raised_says(error: Exception, mark: str) -> None:
    assert try_one(raising(error), None).mark == mark


def test_a_row_has_signs_only_where_they_can_be_written() -> None:
    found = try_one(raising(Broken("two\nlines")), None)
    assert line(found).startswith("✗ name")
    assert line(found, "ascii").startswith("BROKEN")
    assert line(found).endswith("what it says: two lines")


RESOURCES = {
    "UploadsBucket": ("AWS::S3::Bucket", "up"),
    "ResultsBucket": ("AWS::S3::Bucket", "res"),
    "ApiKey": ("AWS::ApiGateway::ApiKey", "key-id"),
    "Dashboard": ("AWS::CloudWatch::Dashboard", "board"),
}


class Session:
    """A boto3 session of one stack."""

    region_name = "eu-west-1"

    def __init__(self, access: str, resources: dict[str, tuple[str, str]]) -> None:
        self.access, self.resources = access, resources

    def client(self, _: str) -> Any:
        return self

    def get_credentials(self) -> Credentials:
        return Credentials("id", "secret", "token")

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        outputs = [{"OutputKey": "ApiUrl", "OutputValue": "http://127.0.0.1:9/prod"}]
        values = {"Access": self.access, "ShardMegabytes": "2", "CacheDays": "0"}
        parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
        return {"Stacks": [{"Outputs": outputs, "Parameters": parameters}]}

    def get_api_key(self, apiKey: str, includeValue: bool) -> dict[str, str]:  # noqa: N803
        return {"value": f"value of {apiKey}"}

    def get_paginator(self, _: str) -> "Session":
        return self

    def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
        for name, (kind, physical) in self.resources.items():
            found = {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical}
            yield {"StackResourceSummaries": [found]}


def stood(
    monkeypatch: pytest.MonkeyPatch, access: str, resources: dict[str, tuple[str, str]] = RESOURCES, **named: Any
) -> Ground:
    monkeypatch.setattr("boto3.Session", lambda **_: Session(access, resources))
    return find_ground(Named(stack="assay", **named))


def test_a_stack_says_its_address_key_buckets_and_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stood(monkeypatch, "KEYS")
    assert (found.wire.url, found.wire.key) == ("http://127.0.0.1:9/prod", "value of key-id")
    assert (found.held.uploads, found.held.results) == ("up", "res")
    assert found.shard_bytes == 2_000_000
    assert found.parameter("CacheDays") == "0"
    assert found.held.of("AWS::CloudWatch::Dashboard") == ["board"]


def test_an_open_stack_wants_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not stood(monkeypatch, "OPEN", key="given").wire.closed


def test_a_signed_stack_is_signed_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    wire = stood(monkeypatch, "IAM", url="http://127.0.0.1:9/other").wire
    assert (wire.url, wire.key) == ("http://127.0.0.1:9/other", None)
    request = requests.Request("POST", "http://127.0.0.1:9/other/rank", json={}, auth=wire.signature).prepare()
    assert "/eu-west-1/execute-api/aws4_request" in request.headers["Authorization"]
    assert request.headers["X-Amz-Security-Token"] == "token"


def test_another_stack_is_not_taken_for_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoGround, match="no ResultsBucket"):
        stood(monkeypatch, "KEYS", {"UploadsBucket": ("AWS::S3::Bucket", "up")})


def test_a_name_of_dockers_is_this_machine_with_the_host_that_was_signed() -> None:
    assert reach("http://host.docker.internal:4566/b/k?X=1") == (
        "http://127.0.0.1:4566/b/k?X=1",
        {"Host": "host.docker.internal:4566"},
    )
    assert reach("https://b.s3.amazonaws.com/k") == ("https://b.s3.amazonaws.com/k", {})


def test_nothing_named_is_nothing_to_check() -> None:
    with pytest.raises(NoGround, match="--stack"):
        find_ground(Named())
