"""`make deploy` and `make undeploy` as typed: a second stack in the account, planned, made, changed and removed."""

import pytest

from tests.cloud.account import NUMBER, REGION, Account
from tests.cloud.deployment import run
from tests.cloud.samples import CLASSIFIER

pytestmark = pytest.mark.cloud
STACK, PREFIX = "second", "second"
WHERE = (f"REGION={REGION}", f"STACK={STACK}")
LAX = "form"
"""A promise that is the emulator's to keep: it holds no presigned form to its policy."""
SLOW = f"{LAX} shards rank-shards upload async cancel"
UP = ("make", "deploy", *WHERE, "BUILT=1")


def _parameters(account: Account) -> dict[str, str]:
    [found] = account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]}


def _buckets(account: Account) -> list[str]:
    found = account.client("s3").list_buckets()["Buckets"]
    return [each["Name"] for each in found if each["Name"].startswith(f"{PREFIX}-")]


def test_one_command_makes_a_stack_that_proves_itself_and_one_takes_it_away(account: Account) -> None:
    planned = run(account, *UP, "PLAN=1", f"PARAMETERS=BucketPrefix={PREFIX} ShardMegabytes=1")
    assert "RankFileStateMachine" in planned
    assert _buckets(account) == []

    made = run(account, *UP, f"WITHOUT={LAX}", f"PARAMETERS=BucketPrefix={PREFIX} ShardMegabytes=1")
    assert " 0 broken" in made
    assert f"{account.endpoint}/_aws/execute-api/" in made
    assert f"s3://{PREFIX}-uploads-{NUMBER}-{REGION}/rank/" in made
    assert _parameters(account)["ShardConcurrency"] == "6"

    changed = run(account, *UP, f"WITHOUT={SLOW}", "PARAMETERS=Tracing=Active LogDays=7")
    assert " 0 broken" in changed
    assert f"version {CLASSIFIER} serves, left as it is" in changed
    found = _parameters(account)
    assert [found[name] for name in ("Tracing", "LogDays", "ShardMegabytes")] == ["Active", "7", "1"]

    kept = run(account, "make", "undeploy", *WHERE)
    assert len(_buckets(account)) == 3
    assert all(f"kept: bucket {name}" in kept for name in _buckets(account))
    run(account, "make", "undeploy", *WHERE, f"PARAMETERS=BucketPrefix={PREFIX}", "BUCKETS=delete")
    assert _buckets(account) == []
