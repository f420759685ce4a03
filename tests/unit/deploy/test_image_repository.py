"""One repository a stack, in which no image that is in use expires."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.deploy.accounts import Account
from tests.unit.templates import functions, of_type
from tools.deploy.image_repository import keep_repository, lifecycle, name_repository, remove_repository

ECR_NAME = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,69}", fullmatch=True))
def test_a_name_is_one_that_the_registry_takes(stack: str) -> None:
    assert ECR_NAME.fullmatch(name_repository(stack))


def test_a_repository_is_made_once_and_its_rules_each_time() -> None:
    account = Account()
    first, second = keep_repository(account, "Assay"), keep_repository(account, "Assay")
    assert first == second == "123456789012.dkr.ecr/assay-images"
    [kept] = account.repositories.values()
    [statement] = json.loads(kept["policy"])["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert json.loads(kept["lifecycle"]) == lifecycle()


def test_every_function_with_an_image_is_under_a_rule_of_its_images_own() -> None:
    # One count for both images would let ten new builds of one push out the only build of the other.
    rules = [each["selection"] for each in lifecycle()["rules"] if each["selection"]["tagStatus"] == "tagged"]
    prefixes = [prefix for rule in rules for prefix in rule["tagPrefixList"]]
    named = of_type("AWS::Serverless::Function")
    for name, function in functions().items():
        if function["PackageType"] == "Image":
            assert [each for each in prefixes if name.lower().startswith(each)] == [
                named[name]["Metadata"]["DockerTag"]
            ]
    assert all(rule["countNumber"] > 1 for rule in rules)


def test_a_repository_goes_with_its_images() -> None:
    account = Account()
    keep_repository(account, "assay")
    assert remove_repository(account, "assay")
    assert not remove_repository(account, "assay")
