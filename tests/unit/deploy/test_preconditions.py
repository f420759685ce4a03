"""Before anything is built the account is looked at: what cannot end well is refused, with what to do."""

import pytest

from tests.unit.deploy.accounts import Account
from tests.unit.templates import written
from tools.deploy.parameters import DeploymentRefused, DeploymentRequest
from tools.deploy.preconditions import find_footing

WISH = DeploymentRequest("assay", "eu-central-1")


def test_a_new_stack_takes_shards_by_the_accounts_size() -> None:
    sizes = {functions: find_footing(WISH, written(), Account(functions).clients).chosen["ShardConcurrency"]
             for functions in (1, 10, 50, 1000, 10_000)}  # fmt: skip
    assert sizes == {1: "1", 10: "6", 50: "30", 1000: "100", 10_000: "100"}


def test_what_was_chosen_or_is_there_already_stays() -> None:
    chosen = DeploymentRequest("assay", "eu-central-1", {"ShardConcurrency": "3"})
    assert find_footing(chosen, written(), Account(1000).clients).chosen == {"ShardConcurrency": "3"}
    there = Account(1000, "UPDATE_COMPLETE", {"ShardConcurrency": "7", "Access": "OPEN"})
    found = find_footing(WISH, written(), there.clients)
    assert not found.is_new
    assert found.chosen == {}
    assert (found.values["ShardConcurrency"], found.values["Access"]) == ("7", "OPEN")


def test_who_may_not_know_the_accounts_size_deploys_with_the_default() -> None:
    found = find_footing(WISH, written(), Account(0).clients)
    assert found.chosen == {}
    assert found.values["ShardConcurrency"] == str(written()["Parameters"]["ShardConcurrency"]["Default"])
    assert "GetAccountSettings is denied" in "".join(found.remarks)


def test_without_credentials_it_says_how_to_have_some() -> None:
    account = Account()
    account.signed_in = False
    with pytest.raises(DeploymentRefused, match=r"expired.*aws configure"):
        find_footing(WISH, written(), account.clients)


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_a_stack_that_is_being_changed_is_left_alone(status: str) -> None:
    with pytest.raises(DeploymentRefused, match="wait"):
        find_footing(WISH, written(), Account(10, status).clients)


@pytest.mark.parametrize(
    ("status", "way_out"),
    [("ROLLBACK_COMPLETE", "make undeploy"), ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback")],
)
def test_a_stack_that_is_stuck_has_a_way_out(status: str, way_out: str) -> None:
    with pytest.raises(DeploymentRefused, match=way_out):
        find_footing(WISH, written(), Account(10, status).clients)


@pytest.mark.parametrize("store", ["uploads", "results", "models"])
def test_buckets_that_a_deleted_stack_left_are_found_before_the_deployment_fails_on_them(store: str) -> None:
    account = Account()
    account.buckets[f"assay-{store}-123456789012-eu-central-1"] = []
    with pytest.raises(DeploymentRefused, match=rf"assay-{store}-123456789012-eu-central-1.*BucketPrefix.*IMPORT"):
        find_footing(WISH, written(), account.clients)
    other = DeploymentRequest("assay", "eu-central-1", {"BucketPrefix": "other"})
    assert find_footing(other, written(), account.clients).is_new
    account.statuses = ["CREATE_COMPLETE"]
    assert not find_footing(WISH, written(), account.clients).is_new


def test_what_may_go_wrong_is_remarked() -> None:
    assert not find_footing(WISH, written(), Account(1000).clients).remarks
    wish = DeploymentRequest("assay", "eu-central-1", {"ClassifyMemory": "5307", "ShardConcurrency": "50"})
    found = "\n".join(find_footing(wish, written(), Account(10).clients).remarks)
    for word in ("10 functions at once", "ShardConcurrency=50", "ClassifyMemory=5307", "3008"):
        assert word in found
