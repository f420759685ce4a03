"""`make undeploy`: remove a stack, and say what stays."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from tools.deploy.image_repository import name_repository, remove_repository
from tools.deploy.parameters import DeploymentRefused, DeploymentRequest
from tools.deploy.preconditions import GONE, Clients, find_account, find_stack, is_there, name_buckets
from tools.deploy.rollout import list_failures

PREFIX: Final = "assay"
"""The template's BucketPrefix where none is given."""
BUCKETS: Final = ("UploadsBucket", "ResultsBucket", "ModelsBucket")
DELETE_SECONDS: Final = 1800.0
_PAUSE: Final = 5.0


def remove(
    wish: DeploymentRequest, clients: Clients, *, with_buckets: bool, sleep: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """Remove a stack and its images; yields what is done and what stays. Raises DeploymentRefused, AWS's errors."""
    status, _ = find_stack(wish.stack, clients)
    buckets = _buckets(wish.stack, clients) if status else _find_left(wish, clients) if with_buckets else []
    if not status and not buckets:
        raise DeploymentRefused(f"there is no stack {wish.stack} in {wish.region}")
    if status:
        clients("cloudformation").delete_stack(StackName=wish.stack)
        yield f"stack {wish.stack} is being deleted"
        _await_end(wish.stack, clients, sleep)
        yield f"stack {wish.stack} is gone, with its table of jobs, its queue, its logs and its API key"
    if remove_repository(clients("ecr"), wish.stack):
        yield f"ECR repository {name_repository(wish.stack)} is gone, with its images"
    for bucket in buckets:
        yield from _empty(clients("s3"), bucket) if with_buckets else [f"kept: bucket {bucket}, with all that is in it"]
    if buckets and not with_buckets:
        yield "BUCKETS=delete would remove the buckets too, with every version of every file"
        yield "as long as they are there, a new stack needs another BucketPrefix"
    yield "kept: SAM's own bucket of templates and code (stack aws-sam-cli-managed-default), which other stacks share"


def _buckets(stack: str, clients: Clients) -> list[str]:
    """Return the buckets of a stack that are there, by name."""
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    listed = [each for page in pages for each in page["StackResourceSummaries"]]
    return [
        str(each["PhysicalResourceId"])
        for each in listed
        if each["LogicalResourceId"] in BUCKETS and each.get("PhysicalResourceId")
        and each["ResourceStatus"] not in ("DELETE_COMPLETE", "CREATE_FAILED")
    ]  # fmt: skip


def _find_left(wish: DeploymentRequest, clients: Clients) -> list[str]:
    """Return the buckets that a stack which is gone left, by the prefix that it had."""
    names = name_buckets(wish.parameters.get("BucketPrefix", PREFIX), find_account(clients), wish.region)
    return [name for name in names if is_there(name, clients)]


def _await_end(stack: str, clients: Clients, sleep: Callable[[float], None]) -> None:
    for _ in range(int(DELETE_SECONDS / _PAUSE)):
        status, _ = find_stack(stack, clients)
        if status in (*GONE, "DELETE_COMPLETE"):
            return
        if status != "DELETE_IN_PROGRESS":
            raise DeploymentRefused("\n".join([f"stack {stack} is {status}", *list_failures(clients, stack)]))
        sleep(_PAUSE)
    raise DeploymentRefused(
        f"stack {stack} is still being deleted after {DELETE_SECONDS / 60:.0f} minutes; see its events"
    )


def _empty(s3: Any, bucket: str) -> Iterator[str]:
    """Delete a bucket with every version of every file."""
    count = 0
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            doomed = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            count += len(doomed)
            if doomed:
                _require_gone(s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True}), bucket)
        s3.delete_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        return
    yield f"bucket {bucket} is gone, with {count:,} versions of files"


def _require_gone(answer: Any, bucket: str) -> None:
    if answer.get("Errors"):
        first = answer["Errors"][0]
        raise DeploymentRefused(f"{bucket}: {first['Key']} is not deleted: {first.get('Message')}")
