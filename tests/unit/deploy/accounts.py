"""An AWS account of lists and dictionaries, for what `make deploy` asks of one before and after SAM."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str, message: str, operation: str = "Call") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Account:
    """`clients` is what the code under test asks for services; every call that changes something is noted."""

    def __init__(self, functions: int = 10, status: str = "", parameters: Mapping[str, str] | None = None) -> None:
        self.functions, self.parameters = functions, dict(parameters or {})
        self.statuses = [status]
        self.buckets: dict[str, list[str]] = {}
        self.repositories: dict[str, dict[str, Any]] = {}
        self.resources: list[dict[str, str]] = []
        self.change_sets: list[dict[str, str]] = []
        self.events: list[dict[str, str]] = []
        self.done: list[tuple[str, ...]] = []
        self.signed_in = True

    def clients(self, service: str) -> Any:
        assert service in {"sts", "cloudformation", "lambda", "s3", "ecr"}
        return self

    def get_caller_identity(self) -> dict[str, str]:
        if not self.signed_in:
            raise refusal("ExpiredToken", "The security token included in the request is expired")
        return {"Account": "123456789012"}

    def get_account_settings(self) -> dict[str, Any]:
        if not self.functions:
            raise refusal("AccessDeniedException", "not authorized to perform: lambda:GetAccountSettings")
        return {"AccountLimit": {"ConcurrentExecutions": self.functions}}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if not status:
            raise refusal("ValidationError", f"Stack with id {StackName} does not exist")
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        return {"Stacks": [{"StackStatus": status, "Parameters": given}]}

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"StackEvents": self.events}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        self.done.append(("delete_stack", StackName))

    def list_change_sets(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"Summaries": self.change_sets}

    def delete_change_set(self, ChangeSetName: str, StackName: str) -> None:  # noqa: N803
        self.done.append(("delete_change_set", ChangeSetName))

    def head_bucket(self, Bucket: str) -> None:  # noqa: N803
        if Bucket not in self.buckets:
            raise refusal("404", "Not Found", "HeadBucket")

    def delete_bucket(self, Bucket: str) -> None:  # noqa: N803
        assert not self.buckets.pop(Bucket)
        self.done.append(("delete_bucket", Bucket))

    def delete_objects(self, Bucket: str, Delete: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        for each in Delete["Objects"]:
            self.buckets[Bucket].remove(each["VersionId"])
        return {}

    def create_repository(self, repositoryName: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if repositoryName in self.repositories:
            raise refusal("RepositoryAlreadyExistsException", "it is there")
        self.repositories[repositoryName] = {"repositoryUri": f"123456789012.dkr.ecr/{repositoryName}"}
        return {"repository": self.repositories[repositoryName]}

    def describe_repositories(self, repositoryNames: Sequence[str]) -> dict[str, Any]:  # noqa: N803
        return {"repositories": [self.repositories[each] for each in repositoryNames]}

    def set_repository_policy(self, repositoryName: str, policyText: str) -> None:  # noqa: N803
        self.repositories[repositoryName]["policy"] = policyText

    def put_lifecycle_policy(self, repositoryName: str, lifecyclePolicyText: str) -> None:  # noqa: N803
        self.repositories[repositoryName]["lifecycle"] = lifecyclePolicyText

    def delete_repository(self, repositoryName: str, force: bool) -> None:  # noqa: N803
        if self.repositories.pop(repositoryName, None) is None:
            raise refusal("RepositoryNotFoundException", "there is none")

    def get_paginator(self, name: str) -> "Pages":
        return Pages(self, name)


class Pages:
    """What is listed, two a page."""

    def __init__(self, account: Account, name: str) -> None:
        self.account, self.name = account, name

    def paginate(self, StackName: str = "", Bucket: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803
        if self.name == "list_stack_resources":
            yield {"StackResourceSummaries": self.account.resources}
            return
        if Bucket not in self.account.buckets:
            raise refusal("NoSuchBucket", "it is gone")
        versions = list(self.account.buckets[Bucket])
        for at in range(0, len(versions), 2):
            page = [{"Key": f"key {each}", "VersionId": each} for each in versions[at : at + 2]]
            yield {"Versions": page[:1], "DeleteMarkers": page[1:]}
