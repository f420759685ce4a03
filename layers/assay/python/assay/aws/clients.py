"""The AWS clients of a process, one of each kind, with timeouts and retries that suit a function.

In a function that is set up as usual, reads of S3 and the cache's batches need no boto3, whose import and clients take
0.3 s of a cold start: `assay.aws.signed_requests`.
"""

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

from assay.aws.dynamodb_batches import QuickDynamoDB
from assay.aws.s3_reads import QuickS3
from assay.aws.signed_requests import find_access

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

POOL = 32
_HASTY_CONNECT, _HASTY_READ = 0.25, 0.5
_lock = threading.Lock()


class Batches(Protocol):
    """What the cache of scores asks of DynamoDB."""

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803  the name is boto3's
        """Return items by their keys."""

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        """Write items."""


@overload
def client(name: Literal["s3"]) -> "S3Client": ...
@overload
def client(name: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(name: Literal["stepfunctions"]) -> "SFNClient": ...
@overload
def client(name: Literal["sns"]) -> "SNSClient": ...
def client(name: Literal["s3", "dynamodb", "stepfunctions", "sns"]) -> Any:
    """Return the process's client of a service; clients are safe to share between threads, making them is not."""
    return (_quick_s3() if name == "s3" else None) or _boto3_client(name)


@cache
def hasty_dynamodb() -> Batches:
    """Return a client of batches that gives up within a second and tries once, for what is not worth waiting for."""
    if access := find_access("dynamodb"):
        return QuickDynamoDB(access, connect=_HASTY_CONNECT, read=_HASTY_READ)
    return hasty_table_client()


@cache
def hasty_table_client() -> "DynamoDBClient":
    """Return a client of everything that does as `hasty_dynamodb` does."""
    import boto3
    from botocore.config import Config

    once = Config(
        connect_timeout=_HASTY_CONNECT,
        read_timeout=_HASTY_READ,
        retries={"mode": "standard", "total_max_attempts": 1},
    )
    with _lock:
        return boto3.client("dynamodb", config=_config("dynamodb").merge(once))


def forget() -> None:
    """Drop the clients, so that the next ones read the environment again (tests, changed endpoints)."""
    import boto3

    with _lock:
        _client.cache_clear()
        _quick_s3.cache_clear()
        hasty_dynamodb.cache_clear()
        hasty_table_client.cache_clear()
        boto3.DEFAULT_SESSION = None


@cache
def _quick_s3() -> QuickS3 | None:
    access = find_access("s3")
    return QuickS3(access, lambda: _boto3_client("s3")) if access else None


def _boto3_client(name: str) -> Any:
    with _lock:
        return _client(name)


@cache
def _client(name: str) -> Any:
    import boto3

    return boto3.client(name, config=_config(name))  # type: ignore[call-overload]


def _config(name: str) -> "Config":
    from botocore.config import Config

    custom = bool(os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT_URL_S3"))
    return Config(
        connect_timeout=3,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=POOL,
        signature_version="s3v4" if name == "s3" else None,  # else links in us-east-1 are signed the old way
        s3={"addressing_style": "path" if custom else "virtual"},
        response_checksum_validation="when_required",
    )
