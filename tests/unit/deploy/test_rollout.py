"""How SAM is called: without questions, without samconfig.toml, with nothing that the stack already has."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.deploy.accounts import Account
from tests.unit.templates import ROOT, written
from tools.deploy.parameters import DeploymentRefused, DeploymentRequest
from tools.deploy.preconditions import find_footing
from tools.deploy.rollout import build_images, deploy_stack, forget_plan, list_failures, require_docker, run_here

WISH = DeploymentRequest("assay", "eu-central-1", {"Access": "IAM", "AlarmEmail": ""})
SAM = ROOT / ".venv-sam" / "bin" / "python"


class Commands:
    """What would be run; the configuration file of each is read while it is there."""

    def __init__(self) -> None:
        self.run: list[list[str]] = []
        self.configs: list[str] = []

    def __call__(self, command: Sequence[str]) -> None:
        self.run.append([*command])
        self.configs.append(Path(command[command.index("--config-file") + 1]).read_text())


def deployed(wish: DeploymentRequest, account: Account, *, plan: bool = False) -> list[str]:
    commands = Commands()
    deploy_stack("sam", commands, wish, find_footing(wish, written(), account.clients), "repository/address", plan=plan)
    assert commands.configs == ["version = 0.1\n"]
    [command] = commands.run
    return command


def overrides(command: list[str]) -> list[str]:
    return command[command.index("--parameter-overrides") + 1 :] if "--parameter-overrides" in command else []


def test_a_new_stack_gets_what_is_wished_and_what_fits_the_account() -> None:
    command = deployed(WISH, Account(10))
    assert overrides(command) == ["Access=IAM", 'AlarmEmail=""', "ShardConcurrency=6"]
    assert command[command.index("--image-repository") + 1] == "repository/address"
    assert command[command.index("--region") + 1] == "eu-central-1"
    assert "--no-confirm-changeset" in command
    assert "--no-execute-changeset" not in command


def test_a_stack_that_is_there_gets_only_what_is_to_change() -> None:
    account = Account(10, "CREATE_COMPLETE", {"Access": "OPEN", "LogDays": "7"})
    assert overrides(deployed(WISH, account)) == ["Access=IAM", 'AlarmEmail=""']
    assert overrides(deployed(DeploymentRequest("assay", "eu-central-1"), account)) == []


def test_a_plan_executes_nothing() -> None:
    assert "--no-execute-changeset" in deployed(WISH, Account(10), plan=True)


def test_a_build_takes_its_base_from_what_the_stack_has() -> None:
    commands = Commands()
    there = Account(10, "CREATE_COMPLETE", {"WithTensorFlow": "1"})
    build_images(
        "sam", commands, find_footing(DeploymentRequest("assay", "eu-central-1"), written(), there.clients).values
    )
    assert overrides(commands.run[0]) == ["BaseImage=public.ecr.aws/lambda/python:3.13", "WithTensorFlow=1"]


@pytest.mark.skipif(not SAM.exists(), reason="SAM is not installed")
def test_sam_reads_every_value_as_it_was_meant() -> None:
    values = {"AlarmEmail": "", "PageUrl": "https://a.example/?b=c&d", "BaseImage": 'a "b" c\\d', "LogDays": "7"}
    account = Account(10, "CREATE_COMPLETE")
    command = deployed(DeploymentRequest("assay", "eu-central-1", values), account)
    script = "import json, sys; from samcli.cli.types import CfnParameterOverridesType as T; print(json.dumps(T().convert(tuple(sys.argv[1:]), None, None)))"  # noqa: E501
    done = subprocess.run([SAM, "-c", script, *overrides(command)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == values


def test_what_was_only_shown_is_taken_away() -> None:
    first = Account(10, "REVIEW_IN_PROGRESS")
    forget_plan(first.clients, "assay")
    assert first.done == [("delete_stack", "assay")]
    later = Account(10, "UPDATE_COMPLETE")
    later.change_sets = [
        {"ChangeSetId": "shown", "ExecutionStatus": "AVAILABLE"},
        {"ChangeSetId": "done", "ExecutionStatus": "EXECUTE_COMPLETE"},
    ]
    forget_plan(later.clients, "assay")
    assert later.done == [("delete_change_set", "shown")]
    none = Account()
    forget_plan(none.clients, "assay")
    assert none.done == []


def test_what_failed_is_told_in_its_order() -> None:
    account = Account()
    account.events = [
        {"LogicalResourceId": "B", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "cancelled"},
        {"LogicalResourceId": "C", "ResourceStatus": "CREATE_COMPLETE"},
        {"LogicalResourceId": "A", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "too large"},
    ]
    assert list_failures(account.clients, "assay") == ["A: too large", "B: cancelled"]


def test_a_command_that_fails_or_is_not_there_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    run_here([sys.executable, "-c", "print('said')"])
    assert "said" in capfd.readouterr().out
    with pytest.raises(DeploymentRefused, match="status 3"):
        run_here([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(DeploymentRefused, match="cannot be run"):
        run_here(["no-such-command"])


def test_without_an_engine_it_says_so() -> None:
    require_docker([sys.executable, "-c", "pass"])
    with pytest.raises(DeploymentRefused, match="install or start Docker"):
        require_docker(["no-such-command"])
    with pytest.raises(DeploymentRefused, match="is the daemon running"):
        require_docker([sys.executable, "-c", "raise SystemExit('is the daemon running?')"])
