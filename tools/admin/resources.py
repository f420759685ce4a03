"""Find the resources of a deployed stack, or of the local service, by their logical ids."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from assay.aws.clients import client, forget
from assay.aws.s3 import Bucket
from assay.errors import ObjectMissing, SettingsError
from assay.jobs.environment import JobEnvironment, caps
from assay.jobs.job_records import Jobs
from assay.settings import Settings
from tools.paths import ROOT
from tools.template import ACCOUNT, REGION, Resolver, load_template

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
    def desk(self) -> JobEnvironment:
        """Return what file jobs stand on there."""
        return JobEnvironment(
            uploads=Bucket(client("s3"), self.ids["UploadsBucket"]),
            results=Bucket(client("s3"), self.ids["ResultsBucket"]),
            jobs=Jobs(client("dynamodb"), self.ids["StateTable"]),
            caps=caps(Settings()),
            machine_arn=self.ids["RankFileStateMachine"],
        )


def find_deployed(stack: str | None, endpoint: str | None) -> Deployed:
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
    os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION}
    _local_credentials()
    forget()
    resolver = Resolver(load_template(ROOT / "template.yaml"), {})
    found: dict[str, Any] = {name: resolver.name(name) for name in IDS}
    found["RankFileStateMachine"] = resolver.arn("RankFileStateMachine")
    found["UploadsDeadLetterQueue"] = f"{endpoint}/{ACCOUNT}/{found['UploadsDeadLetterQueue']}"
    return Deployed(found)


VARIABLE = "ASSAY_MODELS_BUCKET"
_OUTPUT = "ModelsBucketName"


def add_options(command: argparse.ArgumentParser) -> None:
    """Add --bucket, --stack and --endpoint to a command."""
    where = command.add_argument_group("where the models are")
    where.add_argument("--bucket", help=f"models bucket (else that of --stack, else {VARIABLE})")
    where.add_argument("--stack", help=f"the CloudFormation stack, whose output {_OUTPUT} names the bucket")
    where.add_argument("--endpoint", help="S3's address, where it is not AWS's: what `assay up` prints after `S3:`")


def add_dry_run(command: argparse.ArgumentParser) -> None:
    """Add --dry-run to a command."""
    command.add_argument("--dry-run", action="store_true", help="check everything, say what would be done, do nothing")


def bucket_of(options: argparse.Namespace) -> Bucket:
    """Return the bucket that the options name; SettingsError where they name none."""
    use_endpoint(options)
    name = options.bucket or (_of_stack(options.stack) if options.stack else os.environ.get(VARIABLE))
    name = name or _only_one(options.endpoint)
    if not name:
        raise SettingsError(f"say which models bucket: --bucket NAME, --stack NAME, or the variable {VARIABLE}")
    return Bucket(client("s3"), name)


def use_endpoint(options: argparse.Namespace) -> None:
    """Make S3 that of --endpoint, where the options name one."""
    if options.endpoint:
        os.environ["AWS_ENDPOINT_URL_S3"] = options.endpoint
        _local_credentials()
        forget()


def _local_credentials() -> None:
    """The local service takes any credentials, but the client wants some."""
    if boto3.Session().get_credentials() is None:
        os.environ |= {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)


def _of_stack(stack: str) -> str:
    stacks = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", ())}
    if _OUTPUT not in outputs:
        raise ObjectMissing(f"stack {stack} has no output {_OUTPUT}: is it Assay's?")
    return str(outputs[_OUTPUT])


def _only_one(endpoint: str | None) -> str:
    """Return the one models bucket of a local service, empty if there is none or several."""
    if not endpoint:
        return ""
    names = [each["Name"] for each in client("s3").list_buckets()["Buckets"]]
    found = [name for name in names if "models" in name.split("-")]
    return found[0] if len(found) == 1 else ""
