"""The AWS clients of a process, one of each kind, with timeouts and retries that suit a function."""

import os
import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

POOL = 32
_lock = threading.Lock()


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
    with _lock:
        return _client(name)


@cache
def hasty_dynamodb() -> "DynamoDBClient":
    """Return a client that gives up within a second and tries once, for what is not worth waiting for."""
    hurry = Config(connect_timeout=0.25, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 1})
    with _lock:
        return boto3.client("dynamodb", config=_config("dynamodb").merge(hurry))


def forget() -> None:
    """Drop the clients, so that the next ones read the environment again (tests, changed endpoints)."""
    with _lock:
        _client.cache_clear()
        hasty_dynamodb.cache_clear()
        boto3.DEFAULT_SESSION = None


@cache
def _client(name: str) -> Any:
    return boto3.client(name, config=_config(name))  # type: ignore[call-overload]


def _config(name: str) -> Config:
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
