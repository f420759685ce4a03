"""Each role against a recorded run of its function: all that it asks of AWS is allowed, all that is allowed it asks."""

import re
from dataclasses import replace

import pytest

from tests.permissions.needs import Need
from tests.permissions.roles import Grant, grants, names, role_of, stack
from tests.unit.templates import ROOT, functions

FUNCTIONS = sorted(functions())
_ABSENT = "so that what is not there is a 404 and not a 403"
_BROKEN = "ends an upload in parts that broke off"
_VERSIONED = "events name a version, unless someone suspends the bucket's versioning"
# Allowed and not asked for in the run, by statement and action, each with its reason.
UNASKED = {
    ("WriteOwnLogs", "logs:CreateLogStream"): "Lambda writes the log by the function's role",
    ("WriteOwnLogs", "logs:PutLogEvents"): "Lambda writes the log by the function's role",
    ("SendTraces", "xray:PutTraceSegments"): "the daemon beside a function sends them",
    ("SendTraces", "xray:PutTelemetryRecords"): "the daemon beside a function sends them",
    ("BuryFailures", "sqs:SendMessage"): "Lambda sends what failed three times by the function's role",
    ("SeeModels", "s3:ListBucket"): _ABSENT,
    ("SeeUploads", "s3:ListBucket"): _ABSENT,
    ("SeeUploads", "s3:ListBucketVersions"): _ABSENT,
    ("SeeResults", "s3:ListBucket"): _ABSENT,
    ("KeepPartials", "s3:AbortMultipartUpload"): _BROKEN,
    ("KeepPartials", "s3:GetObject"): "an upload function that is called again reads the plan of its first try",
    ("WriteResults", "s3:AbortMultipartUpload"): _BROKEN,
    ("WriteScores", "s3:AbortMultipartUpload"): _BROKEN,
    ("ReadUploads", "s3:GetObject"): _VERSIONED,
    ("ReadAbstracts", "s3:GetObject"): _VERSIONED,
}
Asked = dict[str, set[Need]]


def _refused(asked: set[Need], allowed: list[Grant]) -> list[Need]:
    return sorted(need for need in asked if not any(grant.covers(need) for grant in allowed))


def _idle(asked: Asked, name: str) -> set[tuple[str, str]]:
    idle = (each for each in grants(role_of(name)) if not any(each.covers(need) for need in asked[name]))
    return {(each.sid, each.action) for each in idle}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_do_all_that_it_does(asked: Asked, name: str) -> None:
    assert asked[name]
    assert _refused(asked[name], list(grants(role_of(name)))) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_does_all_that_it_may(asked: Asked, name: str) -> None:
    assert _idle(asked, name) <= UNASKED.keys()


def test_every_exception_is_needed(asked: Asked) -> None:
    assert set().union(*(_idle(asked, name) for name in FUNCTIONS)) == UNASKED.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_that_lacks_what_its_function_asks_is_found(asked: Asked, name: str) -> None:
    allowed = list(grants(role_of(name)))
    for taken in {each.action for each in allowed} & {need.action for need in asked[name]}:
        assert _refused(asked[name], [each for each in allowed if each.action != taken])
    elsewhere = [replace(each, pattern=each.pattern.replace("-123456789012-us-east-1/", "-other/")) for each in allowed]
    assert bool(_refused(asked[name], elsewhere)) == any("s3:::" in need.arn and "/" in need.arn
                                                         for need in asked[name])  # fmt: skip


def test_the_cache_may_touch_no_job() -> None:
    allowed = list(grants("ClassifyApiRole"))
    for key, refused in (("cache#0a", False), ("job#0a", True), ("key#classify/a.txt", True)):
        assert bool(_refused({Need("dynamodb:BatchWriteItem", names().table, (key,))}, allowed)) == refused


def test_no_function_may_delete_or_reach_the_models_of_others() -> None:
    allowed = [each for name in FUNCTIONS for each in grants(role_of(name))]
    assert not {each.action for each in allowed if "Delete" in each.action}
    models = names().buckets["models"]
    assert {each.action for each in allowed if each.pattern.startswith(models)} == {"s3:GetObject", "s3:ListBucket"}


def test_the_state_machine_may_call_what_its_file_calls() -> None:
    text = (ROOT / "statemachines" / "rank_file.asl.json").read_text("utf-8")
    called = {name for name in FUNCTIONS if f"{name}Arn" in text}
    allowed = list(grants("RankFileRole"))
    invoked = {each.pattern for each in allowed if each.action == "lambda:InvokeFunction"}
    assert invoked == {stack().arn(name) for name in called}
    others = {each.action for each in allowed if not each.action.startswith(("lambda:", "xray:"))}
    assert {"sqs:sendMessage", "s3:getObject", "DISTRIBUTED"} <= set(re.findall(r"\w+:\w+|DISTRIBUTED", text))
    runs = {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"}  # what a distributed map needs
    assert others == {"sqs:SendMessage", "s3:GetObject"} | runs


def test_only_traces_are_for_everything() -> None:
    roles = [*(role_of(name) for name in FUNCTIONS), "RankFileRole"]
    everything = {each.action for role in roles for each in grants(role) if each.pattern == "*"}
    assert {action.partition(":")[0] for action in everything} == {"xray"}
