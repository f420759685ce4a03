"""What a deployment needs: credentials, Docker, the account's limits, and no resources in the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from tools.deploy.parameters import DeploymentRefused, DeploymentRequest, complete, require_name, require_room_for_keys

Clients = Callable[[str], Any]
"""Gives a boto3 client by its service's name."""
NEW_ACCOUNT_FUNCTIONS: Final = 10
NEW_ACCOUNT_MEMORY: Final = 3008
MOST_SHARDS_AT_ONCE: Final = 100
STORES: Final = ("uploads", "results", "models")
GONE: Final = ("", "REVIEW_IN_PROGRESS")
"""States in which there is no stack yet."""
STUCK: Final = {
    "ROLLBACK_COMPLETE": "its first deployment failed, and it can only be deleted: make undeploy",
    "ROLLBACK_FAILED": "its first deployment failed, and it can only be deleted: make undeploy",
    "DELETE_FAILED": "it was not deleted wholly: make undeploy again, its events say what stood in the way",
    "UPDATE_ROLLBACK_FAILED": "continue its rollback first: aws cloudformation continue-update-rollback",
}


@dataclass(frozen=True, slots=True)
class Footing:
    """An account and region in which the wish may come true; `functions` is 0 where that is not known.

    `functions` is how many may run at once, `earlier` the parameters that the stack has, empty where it is new,
    `values` those that it will have.
    """

    account: str
    region: str
    functions: int
    status: str
    earlier: Mapping[str, str]
    values: Mapping[str, str]
    chosen: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()

    @property
    def is_new(self) -> bool:
        """True if there is no such stack yet."""
        return self.status in GONE


def find_footing(wish: DeploymentRequest, template: Mapping[str, Any], clients: Clients) -> Footing:
    """Look at the account. Raises DeploymentRefused where the wish cannot come true there."""
    require_name(wish.stack)
    account = find_account(clients)
    status, earlier = find_stack(wish.stack, clients)
    if status.endswith("_IN_PROGRESS") and status not in GONE:
        raise DeploymentRefused(f"stack {wish.stack} is {status}: wait until that has ended")
    if status in STUCK:
        raise DeploymentRefused(f"stack {wish.stack} is {status}: {STUCK[status]}")
    functions = _functions(clients)
    chosen = {**_fit(functions, status, wish), **wish.parameters}
    values = complete(template, earlier, chosen)
    require_room_for_keys(values)
    if status in GONE:
        _require_free_names(values["BucketPrefix"], account, wish.region, clients)
    return Footing(account, wish.region, functions, status, earlier, values, chosen, tuple(_remarks(functions, values)))


def find_account(clients: Clients) -> str:
    """Return the account that the credentials are of. Raises DeploymentRefused if there are none that are valid."""
    try:
        return str(clients("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise DeploymentRefused(
            f"no valid AWS credentials ({error}): `aws configure`, `aws sso login`, or AWS_ACCESS_KEY_ID and the like"
        ) from error


def find_stack(stack: str, clients: Clients) -> tuple[str, dict[str, str]]:
    """Return a stack's status and parameters; empty if there is none."""
    try:
        [found] = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return "", {}
        raise DeploymentRefused(f"stack {stack} cannot be looked at: {error}") from error
    given = {each["ParameterKey"]: str(each.get("ParameterValue", "")) for each in found.get("Parameters", ())}
    return str(found["StackStatus"]), given


def _functions(clients: Clients) -> int:
    """Return how many functions may run at once, 0 if these credentials may not ask."""
    try:
        return int(clients("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    except ClientError as error:
        if "AccessDenied" in error.response["Error"]["Code"]:
            return 0
        raise DeploymentRefused(f"Lambda does not say how many functions may run at once: {error}") from error


def _fit(functions: int, status: str, wish: DeploymentRequest) -> dict[str, str]:
    """Return what a new stack is to have for the account's size: a job leaves the API four of ten functions."""
    if status not in GONE or not functions or "ShardConcurrency" in wish.parameters:
        return {}
    return {"ShardConcurrency": str(max(1, min(functions * 6 // 10, MOST_SHARDS_AT_ONCE)))}


def _require_free_names(prefix: str, account: str, region: str, clients: Clients) -> None:
    there = [name for name in name_buckets(prefix, account, region) if is_there(name, clients)]
    if there:
        raise DeploymentRefused(
            f"the stack is new, and buckets of its names are there, kept by one that was deleted: {', '.join(there)}. "
            "Choose another BucketPrefix; or delete them with all that is in them: make undeploy BUCKETS=delete; or "
            "import them: aws cloudformation create-change-set --change-set-type IMPORT"
        )


def name_buckets(prefix: str, account: str, region: str) -> list[str]:
    """Return the names that the template gives its buckets."""
    return [f"{prefix}-{store}-{account}-{region}" for store in STORES]


def is_there(bucket: str, clients: Clients) -> bool:
    """Say whether there is such a bucket, in any account."""
    try:
        clients("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("404", "NoSuchBucket")
    return True


def _remarks(functions: int, values: Mapping[str, str]) -> list[str]:
    """Return what may go wrong, and is no reason to stop."""
    found = []
    if not functions:
        found.append("how many functions may run at once is not known: lambda:GetAccountSettings is denied")
    elif functions <= NEW_ACCOUNT_FUNCTIONS:
        found.append(
            f"this account runs {functions} functions at once, which all that is in it shares: ask for more in Service "
            "Quotas (Lambda, Concurrent executions) before many people use it"
        )
    if int(values["ShardConcurrency"]) > functions > 0:
        found.append(f"ShardConcurrency={values['ShardConcurrency']} is more than the {functions} that run at once")
    found += [
        f"{name}={values[name]}: accounts that are new end at {NEW_ACCOUNT_MEMORY} MB, and refuse the function then"
        for name in ("RankMemory", "ClassifyMemory")
        if int(values[name]) > NEW_ACCOUNT_MEMORY
    ]
    return found
