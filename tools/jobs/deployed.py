"""The resources of a deployed stack, or of the local service, for those who run it: found by their logical ids."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from assay.jobs.environment import Desk

IDS = (
    "UploadsBucket",
    "ResultsBucket",
    "StateTable",
    "RankFileStateMachine",
    "UploadsDeadLetterQueue",
    "RankUploadFunction",
    "ClassifyUploadFunction",
)


class NotOurs(RuntimeError):
    """There is no such stack, or it is not Assay's."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """Physical ids of a stack: names of buckets, table and function, ARN of the machine, URL of the queue."""

    ids: Mapping[str, str]

    @property
    def desk(self) -> "Desk":
        """Return what file jobs stand on there."""
        from assay.aws.clients import client
        from assay.aws.s3 import Bucket
        from assay.jobs.environment import Desk, caps
        from assay.jobs.job_records import Jobs
        from assay.settings import Settings

        return Desk(
            uploads=Bucket(client("s3"), self.ids["UploadsBucket"]),
            results=Bucket(client("s3"), self.ids["ResultsBucket"]),
            jobs=Jobs(client("dynamodb"), self.ids["StateTable"]),
            caps=caps(Settings()),
            machine_arn=self.ids["RankFileStateMachine"],
        )


def deployed(stack: str | None, endpoint: str | None) -> Deployed:
    """Return the resources of a stack, or of the local service at an endpoint. Raises NotOurs, AWS's errors."""
    if endpoint:
        return _local(endpoint)
    if not stack:
        raise NotOurs("say which service: --stack NAME with AWS credentials, or --endpoint of a local service")
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found = {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for page in pages for each in
             page["StackResourceSummaries"]}  # fmt: skip
    return Deployed(_complete(found, stack))


def _complete(found: Mapping[str, str], stack: str) -> dict[str, str]:
    missing = [name for name in IDS if not found.get(name)]
    if missing:
        raise NotOurs(f"stack {stack} has no {' and no '.join(missing)}: is it Assay's?")
    return {name: found[name] for name in IDS}


def _local(endpoint: str) -> Deployed:
    """Return the names that the template's resources have on this machine."""
    from assay.aws.clients import forget
    from tools.local.service import ROOT
    from tools.local.template import ACCOUNT, REGION, Resolver, load

    os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION}
    if boto3.Session().get_credentials() is None:
        os.environ |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    forget()
    resolver = Resolver(load(ROOT / "template.yaml"), {})
    found: dict[str, Any] = {name: resolver.name(name) for name in IDS}
    found["RankFileStateMachine"] = resolver.arn("RankFileStateMachine")
    found["UploadsDeadLetterQueue"] = f"{endpoint}/{ACCOUNT}/{found['UploadsDeadLetterQueue']}"
    return Deployed(found)
