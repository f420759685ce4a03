"""Alarms, dashboard, mails and traces: they watch what there is, and the documents say what to do."""

import json
import re
from typing import Any

import pytest

from assay.telemetry import ALARMED
from tests.unit.templates import ROOT, functions, of_type, references, written

ALARMS = of_type("AWS::CloudWatch::Alarm")
OPERATIONS = (ROOT / "docs/operations.md").read_text("utf-8")
OURS = {"Fn::Sub": "Assay/${AWS::StackName}"}
CODE = "\n".join(
    path.read_text("utf-8") for folder in ("functions", "layers/assay/python") for path in (ROOT / folder).rglob("*.py")
)
EMITTED = set(re.findall(r'measure\(\s*"(\w+)"', CODE)) | {
    f"{name.title()}Seconds" for name in re.findall(r'(?:phase|record)\("(\w+)"', CODE)
}
EMITTED |= {"CacheHits", "CacheMisses"}  # counted in a loop


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_has_its_section_in_the_documents(name: str) -> None:
    section = OPERATIONS.partition(f"\n### {name}\n")[2].partition("\n#")[0]
    assert "**Look**" in section
    assert "**Do**" in section


def test_the_documents_have_no_alarm_that_there_is_not() -> None:
    assert set(re.findall(r"^### (\w+Alarm)$", OPERATIONS, re.MULTILINE)) == set(ALARMS)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_is_mailed_where_asked_for_and_quiet_without_data(name: str) -> None:
    properties = ALARMS[name]["Properties"]
    assert properties["AlarmActions"] == {"Fn::If": ["AlarmsMailed", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
    assert properties["TreatMissingData"] == "notBreaching"
    assert len(properties["AlarmDescription"]) > 40


API = [{"Name": "ApiName", "Value": {"Ref": "AWS::StackName"}}, {"Name": "Stage", "Value": {"Ref": "StageName"}}]


@pytest.mark.parametrize("name", sorted(functions()))
def test_what_a_function_fails_at_for_good_sets_off_an_alarm(name: str) -> None:
    function = functions()[name]
    kinds = {event["Type"] for event in function.get("Events", {}).values()}
    machine = json.dumps(of_type("AWS::Serverless::StateMachine"))
    if "Api" in kinds:
        watched = ALARMS["ApiServerErrorsAlarm"]["Properties"]
        assert (watched["MetricName"], watched["Dimensions"], watched["Threshold"]) == ("5XXError", API, 0)
    if "S3" in kinds:
        queue = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
        assert queue in set(references(ALARMS["UploadsDeadLetterAlarm"]))
    if "Schedule" in kinds:
        watched = ALARMS["JobSweepErrorsAlarm"]["Properties"]
        assert watched["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": name}}]
    if f'"{name}"' in machine:
        assert ALARMS["RankFileFailedAlarm"]["Properties"]["MetricName"] == "ExecutionsFailed"
    assert kinds or f'"{name}"' in machine


def test_alarms_are_within_what_an_account_has_for_nothing() -> None:
    free_of_charge = 10
    assert len(ALARMS) < free_of_charge
    assert not of_type("AWS::CloudWatch::CompositeAlarm")


def test_the_pace_of_the_api_sets_off_an_alarm() -> None:
    watched = ALARMS["ApiSlowAlarm"]["Properties"]
    assert (watched["MetricName"], watched["Dimensions"], watched["ExtendedStatistic"]) == ("Latency", API, "p95")
    answering = [each for each in functions().values()
                 if any(event["Type"] == "Api" for event in each.get("Events", {}).values())]  # fmt: skip
    assert watched["Threshold"] < 1000 * min(each["Timeout"] for each in answering)


def test_alarms_watch_those_of_our_metrics_that_have_no_dimensions() -> None:
    watched = {each["Properties"]["MetricName"] for each in ALARMS.values() if each["Properties"]["Namespace"] == OURS}
    assert watched == ALARMED
    assert watched <= EMITTED


def test_every_queue_and_state_machine_is_watched() -> None:
    watched = set(references([each["Properties"] for each in ALARMS.values()]))
    queues = {name for name in of_type("AWS::SQS::Queue") if "DeadLetter" in name}
    assert {*queues, *of_type("AWS::Serverless::StateMachine")} <= watched


def _dashboard() -> str:
    [dashboard] = of_type("AWS::CloudWatch::Dashboard").values()
    return str(dashboard["Properties"]["DashboardBody"]["Fn::Sub"])


def _widgets() -> list[Any]:
    text = re.sub(r"\$\{!", "${", re.sub(r"\$\{[A-Z][\w:.]+\}", "x", _dashboard()))
    found: list[Any] = json.loads(text)["widgets"]
    return found


def test_the_dashboard_shows_every_function_and_fits_together() -> None:
    assert set(functions()) <= set(references({"Fn::Sub": _dashboard()}))
    places = [(widget["x"], widget["y"]) for widget in _widgets()]
    assert len(places) == len(set(places))
    assert all(widget["x"] + widget["width"] <= 24 for widget in _widgets())


def test_the_dashboard_shows_metrics_that_the_code_emits() -> None:
    searched = set(re.findall(r'MetricName=\\"(\w+)\\"', _dashboard()))
    named = {metric[1] for widget in _widgets() for metric in widget["properties"]["metrics"]
             if isinstance(metric[0], str) and metric[0].startswith("Assay/")}  # fmt: skip
    assert len(searched) > 8
    assert searched | named <= EMITTED
    assert searched | named >= ALARMED | {
        "SequencesScored",
        "RecordsRejected",
        "CacheHits",
        "ColdStarts",
        "ModelServes",
    }


SEND_TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def _may_trace(role: str) -> list[set[str]]:
    """Return what a role may ask of X-Ray by its own policies, where tracing is asked for."""
    own = of_type("AWS::IAM::Role")[role]["Properties"]["Policies"]
    said = [each["Fn::If"] for policy in own for each in policy["PolicyDocument"]["Statement"] if "Fn::If" in each]
    assert all(otherwise == {"Ref": "AWS::NoValue"} for _, _, otherwise in said)
    return [set(statement["Action"]) for condition, statement, _ in said if condition == "Traced"]


def test_every_function_is_traced_and_its_role_alone_lets_it_say_so() -> None:
    # Lambda refuses a traced function whose role may not send traces, and waits for no policy but the role's own.
    for each in functions().values():
        assert each["Tracing"] == {"Ref": "Tracing"}
        assert _may_trace(each["Role"]["Fn::GetAtt"][0]) == [SEND_TRACES]
    assert not [name for name, each in of_type("AWS::IAM::Policy").items() if "xray:" in json.dumps(each)]


def test_whatever_ends_jobs_may_tell_of_it() -> None:
    told = {role["Ref"] for role in of_type("AWS::IAM::Policy")["NoticePolicy"]["Properties"]["Roles"]}
    assert told >= {"RankUploadRole", "ClassifyUploadRole", "RankMergeRole", "JobSweepRole", "PortalRole"}
    variables = written()["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["ASSAY_JOB_TOPIC"] == {"Fn::If": ["JobsMailed", {"Ref": "JobTopic"}, ""]}


def test_a_state_machine_is_traced_with_its_functions() -> None:
    for machine in of_type("AWS::Serverless::StateMachine").values():
        assert machine["Properties"]["Tracing"] == {"Enabled": {"Fn::If": ["Traced", True, False]}}
        role = machine["Properties"]["Role"]["Fn::GetAtt"][0]
        assert _may_trace(role) == [SEND_TRACES | {"xray:GetSamplingRules", "xray:GetSamplingTargets"}]


def test_by_default_nothing_is_mailed_traced_or_kept_of_requests() -> None:
    parameters = written()["Parameters"]
    defaults = {name: parameters[name]["Default"] for name in ("AlarmEmail", "JobEmail", "ApiLogRoleArn", "Tracing")}
    assert defaults == {"AlarmEmail": "", "JobEmail": "", "ApiLogRoleArn": "", "Tracing": "PassThrough"}
    conditional = ("AlarmTopic", "JobTopic", "ApiAccessLogs", "ApiLogAccount", "NoticePolicy")
    assert all("Condition" in written()["Resources"][name] for name in conditional)


def test_the_access_log_is_json_without_bodies_and_addresses() -> None:
    setting = written()["Resources"]["Api"]["Properties"]["AccessLogSetting"]["Fn::If"][1]
    logged = json.loads(setting["Format"])
    assert {"request_id", "route", "status", "milliseconds"} <= set(logged)
    assert not [value for value in logged.values() if "body" in value or "sourceIp" in value]
