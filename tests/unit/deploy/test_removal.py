"""A stack goes, its buckets stay unless they are to go too, and what stays is said."""

import pytest

from tests.unit.deploy.accounts import Account
from tools.deploy.image_repository import keep_repository
from tools.deploy.parameters import DeploymentRefused, DeploymentRequest
from tools.deploy.removal import remove

WISH = DeploymentRequest("assay", "eu-central-1")
NAMES = [f"assay-{store}-123456789012-eu-central-1" for store in ("uploads", "results", "models")]


@pytest.fixture
def account() -> Account:
    found = Account()
    found.statuses = ["UPDATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS", ""]
    found.buckets = {name: [f"{name} {each}" for each in range(5)] for name in NAMES}
    logical = ("UploadsBucket", "ResultsBucket", "ModelsBucket")
    found.resources = [
        {"LogicalResourceId": each, "PhysicalResourceId": name, "ResourceStatus": "CREATE_COMPLETE"}
        for each, name in zip(logical, NAMES, strict=True)
    ]
    keep_repository(found, "assay")
    return found


def told(account: Account, *, with_buckets: bool) -> str:
    return "\n".join(remove(WISH, account.clients, with_buckets=with_buckets, sleep=lambda _: None))


def test_buckets_stay_and_that_is_said(account: Account) -> None:
    said = told(account, with_buckets=False)
    assert all(f"kept: bucket {name}" in said for name in NAMES)
    assert "another BucketPrefix" in said
    assert account.done == [("delete_stack", "assay")]
    assert sorted(account.buckets) == sorted(NAMES)
    assert account.repositories == {}


def test_buckets_go_with_every_version_where_that_is_asked_for(account: Account) -> None:
    said = told(account, with_buckets=True)
    assert account.buckets == {}
    assert said.count("5 versions of files") == 3


def test_buckets_that_an_earlier_removal_kept_can_go_later(account: Account) -> None:
    account.statuses = [""]
    account.resources = []
    assert told(account, with_buckets=True).count("is gone, with 5 versions") == 3
    assert account.buckets == {}
    with pytest.raises(DeploymentRefused, match="there is no stack"):
        told(account, with_buckets=True)


def test_a_stack_that_cannot_be_deleted_says_what_stood_in_the_way(account: Account) -> None:
    account.statuses = ["UPDATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED"]
    account.events = [
        {"LogicalResourceId": "StateTable", "ResourceStatus": "DELETE_FAILED", "ResourceStatusReason": "in use"}
    ]
    with pytest.raises(DeploymentRefused, match=r"(?s)DELETE_FAILED.*StateTable: in use"):
        told(account, with_buckets=False)
    assert sorted(account.buckets) == sorted(NAMES)


def test_no_stack_is_said() -> None:
    with pytest.raises(DeploymentRefused, match="there is no stack assay in eu-central-1"):
        told(Account(), with_buckets=False)
