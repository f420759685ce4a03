"""The order of a deployment, and how it ends: what is run, what is told, and the exit status."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.deploy.accounts import Account
from tools.deploy import __main__ as command
from tools.deploy.parameters import DeploymentRefused

OUTPUTS = {
    "ApiUrl": "https://abc.execute-api.eu-central-1.amazonaws.com/prod",
    "ApiKeyCommand": "aws apigateway get-api-key --api-key k",
    "UploadsBucketName": "up",
    "ResultsBucketName": "re",
    "ModelsBucketName": "mo",
}


class Live(Account):
    """An account whose stack has outputs as soon as it was deployed."""

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        found = super().describe_stacks(StackName)
        given = [{"OutputKey": name, "OutputValue": value} for name, value in OUTPUTS.items()]
        return {"Stacks": [{**found["Stacks"][0], "Outputs": given}]}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Live:
    live = Live()
    ok = SimpleNamespace(status_code=200)
    wire = SimpleNamespace(get=lambda *_, **__: ok, post=lambda *_, **__: ok)
    monkeypatch.setattr(command, "_clients", lambda _: live.clients)
    monkeypatch.setattr(command, "require_docker", lambda: None)
    monkeypatch.setattr(command, "find_ground", lambda _: SimpleNamespace(wire=wire))
    monkeypatch.setattr(command, "publish_shipped", lambda *_: iter(["model a: version 1 published"]))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return live


@pytest.fixture
def ran(account: Live, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run; the stack is there once `sam deploy` was."""
    commands: list[list[str]] = []

    def run(given: Sequence[str]) -> None:
        commands.append([*given])
        if given[1] == "deploy":
            account.statuses = ["REVIEW_IN_PROGRESS" if "--no-execute-changeset" in given else "CREATE_COMPLETE"]
        if account.parameters.get("fails") in given:
            raise DeploymentRefused(f"{given[1]} failed")

    monkeypatch.setattr(command.bring_up, "__defaults__", (run,))
    return commands


UP = ["up", "--region", "eu-central-1"]


def test_a_deployment_builds_deploys_publishes_waits_and_proves(
    ran: list[list[str]], account: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*UP, "--parameters", "LogDays=7", "--without", "route"]) == 0
    build, deploy, check = ran
    assert (build[1], deploy[1], check[2:4]) == ("build", "deploy", ["tools", "check"])
    assert check[4:] == [
        "--stack",
        "assay",
        "--region",
        "eu-central-1",
        "--url",
        OUTPUTS["ApiUrl"],
        "--without",
        "route",
    ]
    assert "LogDays=7" in deploy
    assert deploy[deploy.index("--image-repository") + 1] == account.repositories["assay-images"]["repositoryUri"]
    said = capsys.readouterr().out
    order = [
        "new stack assay",
        "model a: version 1 published",
        "GET /health answers",
        "POST /classify answers",
        "address",
    ]
    assert [said.index(each) for each in order] == sorted(said.index(each) for each in order)
    for told in (
        *(value for name, value in OUTPUTS.items() if name != "ApiUrl"),
        "a month",
        "make undeploy STACK=assay",
    ):
        assert told in said


def test_what_is_built_already_is_not_built_again(ran: list[list[str]]) -> None:
    assert command.main([*UP, "--built"]) == 0
    assert [each[1] for each in ran] == ["deploy", "-m"]


def test_a_plan_deploys_publishes_and_proves_nothing(
    ran: list[list[str]], account: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*UP, "--plan"]) == 0
    assert [each[1] for each in ran] == ["build", "deploy"]
    assert account.done == [("delete_stack", "assay")]
    assert "published" not in capsys.readouterr().out


def test_a_broken_promise_is_the_exit_status_and_the_address_is_told_all_the_same(
    ran: list[list[str]], account: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    account.parameters["fails"] = "check"
    assert command.main(UP) == 1
    assert OUTPUTS["ApiUrl"] in capsys.readouterr().out
    assert len(ran) == 3


def test_a_deployment_that_fails_says_what_stood_in_the_way(
    ran: list[list[str]], account: Live, capsys: pytest.CaptureFixture[str]
) -> None:
    account.parameters["fails"] = "deploy"
    account.events = [
        {"LogicalResourceId": "RankApiFunction", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "memory"}
    ]
    assert command.main(UP) == 1
    assert "RankApiFunction: memory" in capsys.readouterr().err
    assert len(ran) == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["up"], "REGION="),
        ([*UP, "--stack", "a" * 71], "at most 70"),
        ([*UP, "--parameters", "Acces=IAM"], "there is no parameter Acces"),
        ([*UP, "--parameters", "RequestsPerSecond=50"], "RouteRequestsPerSecond"),
    ],
)
def test_what_cannot_end_well_is_refused_before_anything_is_built(
    arguments: list[str],
    named: str,
    ran: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert command.main(arguments) == 1
    assert named in capsys.readouterr().err
    assert ran == []


def test_a_removal_says_what_stays(account: Live, capsys: pytest.CaptureFixture[str]) -> None:
    account.statuses = ["CREATE_COMPLETE", "DELETE_IN_PROGRESS"]
    account.statuses.append("DELETE_COMPLETE")
    account.resources = [
        {"LogicalResourceId": "UploadsBucket", "PhysicalResourceId": "up", "ResourceStatus": "CREATE_COMPLETE"}
    ]
    assert command.main(["down", "--region", "eu-central-1"]) == 0
    assert "kept: bucket up" in capsys.readouterr().out
