"""Models are published if the bucket has none, and nothing is reported ready before it answers."""

from itertools import chain, repeat

import pytest

from tests.conftest import DATA, Aws
from tools.deploy.parameters import DeploymentRefused, DeploymentRequest
from tools.deploy.rollout import WARM_SECONDS, publish_shipped, read_address, wait_until_warm
from tools.models.publish import find_pointer

WISH = DeploymentRequest("assay", "eu-central-1")


class Outputs:
    def __init__(self, **outputs: str) -> None:
        self.outputs = outputs

    def describe_stacks(self, StackName: str) -> object:  # noqa: N803
        given = [{"OutputKey": name, "OutputValue": value} for name, value in self.outputs.items()]
        return {"Stacks": [{"Outputs": given}]}


URL = "https://abc123.execute-api.eu-central-1.amazonaws.com/prod"


def test_an_address_is_the_stacks_own_or_the_emulators() -> None:
    outputs = Outputs(ApiUrl=URL, ApiKeyCommand="aws apigateway get-api-key")
    found = read_address(WISH, lambda _: outputs)
    assert (found.url, found.key_command) == (URL, "aws apigateway get-api-key --region eu-central-1")
    emulated = read_address(WISH, lambda _: outputs, "http://127.0.0.1:4599/")
    assert emulated.url == "http://127.0.0.1:4599/_aws/execute-api/abc123/prod"
    assert read_address(WISH, lambda _: Outputs(ApiUrl=URL)).key_command == ""


def test_models_are_published_where_none_serves_and_left_alone_where_one_does(aws: Aws) -> None:
    shipped = DATA
    names = {path.parent.parent.name for path in shipped.glob("*/[0-9]*/manifest.json")}
    lines = list(publish_shipped(aws.s3, aws.models.name, shipped))
    assert len(lines) >= len(names) > 1
    before = {name: find_pointer(aws.models, name) for name in names}
    assert all(before.values())
    again = list(publish_shipped(aws.s3, aws.models.name, shipped))
    assert all("left as it is" in line for line in again)
    assert {name: find_pointer(aws.models, name) for name in names} == before


def test_each_is_asked_until_it_answers() -> None:
    slept: list[float] = []
    statuses = iter([503, 500, 200])
    told = list(wait_until_warm({"POST /rank": lambda: next(statuses)}, lambda: sum(slept), slept.append))
    assert told == ["POST /rank answers after 4 s"]


def test_what_never_answers_is_refused_with_what_it_says() -> None:
    slept: list[float] = []
    statuses = chain([503], repeat(500))
    with pytest.raises(DeploymentRefused, match="still answers 500"):
        list(wait_until_warm({"POST /rank": lambda: next(statuses)}, lambda: sum(slept), slept.append))
    assert WARM_SECONDS <= sum(slept) <= WARM_SECONDS + 5
