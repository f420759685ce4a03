"""The state machine file says what the code needs: every step's time, retries, and which errors no retry mends."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from assay import errors
from assay.errors import InputError, ObjectMissing
from assay.settings import Settings
from rank.services import RankServices
from tests.unit.templates import ROOT, functions, of_type, written

FILE = json.loads((ROOT / "statemachines" / "rank_file.asl.json").read_text("utf-8"))
MACHINE = of_type("AWS::Serverless::StateMachine")["RankFileStateMachine"]["Properties"]


def states(found: dict[str, Any] = FILE["States"]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in found.items():
        yield name, state
        yield from states(state.get("ItemProcessor", {}).get("States", {}))


TASKS = {name: state for name, state in states() if state["Type"] == "Task"}
BLAMED = {ObjectMissing.__name__} | {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, InputError) and kind is not InputError
}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_step_ends_and_is_tried_again(name: str) -> None:
    task = TASKS[name]
    if ":lambda:" in task["Resource"]:
        assert task["TimeoutSeconds"] > written()["Parameters"]["UploadSeconds"]["MaxValue"]
    last = task["Retry"][-1]
    assert last["ErrorEquals"] == ["States.ALL"]
    assert {"BackoffRate", "MaxDelaySeconds", "JitterStrategy", "MaxAttempts"} <= set(last)


@pytest.mark.parametrize("name", sorted(name for name, task in TASKS.items() if ":lambda:" in task["Resource"]))
def test_every_step_waits_for_a_free_function_as_long_as_a_shard_does(name: str) -> None:
    first = TASKS[name]["Retry"][0]
    assert first == TASKS["RankShard"]["Retry"][0]
    assert first["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert first["JitterStrategy"] == "FULL"


@pytest.mark.parametrize("name", sorted(name for name, task in TASKS.items() if len(task["Retry"]) == 3))
def test_what_a_file_is_to_blame_for_is_not_tried_again(name: str) -> None:
    [never] = [each for each in TASKS[name]["Retry"] if each["MaxAttempts"] == 0]
    assert set(never["ErrorEquals"]) == BLAMED


def test_states_are_named_after_what_they_call_and_know_only_what_is_given() -> None:
    text = json.dumps(FILE)
    given = set(MACHINE["DefinitionSubstitutions"])
    assert {f"${{{name}}}" in text for name in given} == {True}
    assert text.count("${") == sum(text.count(f"${{{name}}}") for name in given)
    for name in ("RankPlan", "RankShard", "ClassifyShard", "RankMerge"):
        assert TASKS[name]["Parameters"]["FunctionName"] == f"${{{name}FunctionArn}}"
        assert f"{name}Function" in functions()


def test_every_failure_is_caught_and_ends_in_failed() -> None:
    for name in ("RankPlan", "RankShards", "ClassifyShards", "RankMerge"):
        assert dict(states())[name]["Catch"][0]["Next"] == "RankFail"
    assert dict(states())["RankFailed"]["Type"] == "Fail"


def test_each_kind_of_file_has_its_map_and_its_join() -> None:
    found = {each["StringEquals"]: each["Next"] for each in FILE["States"]["ShardKind"]["Choices"]}
    assert found == {"rank": "RankShards", "classify": "ClassifyShards"}
    nothing: Any = None
    assert set(RankServices(nothing).kinds) == set(found)


@pytest.mark.parametrize("kind", ["Rank", "Classify"])
def test_the_map_reads_its_shards_from_s3_and_keeps_nothing(kind: str) -> None:
    shards = FILE["States"][f"{kind}Shards"]
    assert shards["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert shards["ItemReader"]["Resource"].endswith("s3:getObject")
    assert shards["ResultPath"] is None
    assert TASKS[f"{kind}Shard"]["ResultSelector"] == {}
    assert "MaxConcurrencyPath" in shards


def test_attempts_are_those_that_lambda_makes() -> None:
    for name in ("RankUploadFunction", "ClassifyUploadFunction"):
        retries = functions()[name]["EventInvokeConfig"]["MaximumRetryAttempts"]
        assert Settings().upload_attempts == retries + 1


def test_defaults_of_the_code_are_those_of_the_template() -> None:
    for field, name in (
        ("shard_megabytes", "ShardMegabytes"),
        ("shard_concurrency", "ShardConcurrency"),
        ("max_job_shards", "MaxJobShards"),
        ("max_unsplit_megabytes", "MaxUnsplitMegabytes"),
    ):
        assert getattr(Settings(), field) == written()["Parameters"][name]["Default"]


def test_the_machine_may_call_what_it_calls_and_no_more() -> None:
    [policy] = of_type("AWS::IAM::Role")["RankFileRole"]["Properties"]["Policies"]
    allowed = {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"] if "Sid" in each}
    called = {each["Fn::GetAtt"][0] for each in allowed["CallSteps"]["Resource"]}
    given = {value["Fn::GetAtt"][0] for value in MACHINE["DefinitionSubstitutions"].values() if "Fn::GetAtt" in value}
    assert called == given
    name = MACHINE["Name"]["Fn::Sub"]
    assert allowed["StartShards"]["Resource"]["Fn::Sub"].endswith(f":stateMachine:{name}")
    assert f":execution:{name}" in allowed["FollowShards"]["Resource"]["Fn::Sub"]
    machine = functions()["RankUploadFunction"]["Environment"]["Variables"]["ASSAY_FILE_MACHINE"]
    assert machine["Fn::Sub"].endswith(f":stateMachine:{name}")
