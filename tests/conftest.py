"""What tests share: an AWS in memory, the environment of a function, and tiny bundles that load in milliseconds."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import settings

import tools.models  # noqa: F401  what must be imported before TensorFlow
from assay.aws import clients
from assay.aws.s3 import Bucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# A busy machine is slow at any test: no example may fail by the clock. `repeatable` is for mutants (`make mutants`).
settings.register_profile("unhurried", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("unhurried")

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent
TABLE = "state"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ASSAY_UPLOADS_BUCKET": "uploads",
    "ASSAY_RESULTS_BUCKET": "results",
    "ASSAY_MODELS_BUCKET": "models",
    "ASSAY_STATE_TABLE": TABLE,
    "ASSAY_CLASSIFIER": "tiny-text",
    "ASSAY_THREADS": "1",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Aws:
    """The AWS in memory: clients, the three buckets, the state table."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    uploads: Bucket
    results: Bucket
    models: Bucket
    table: str = TABLE

    def publish(self, *names: str) -> None:
        """Publish test bundles by name (`tiny-index`), or shipped ones (`stability-trypsin`)."""
        from tools.models.publish import publish
        from tools.models.shipped import newest

        for name in names:
            folder = DATA / name / "1"
            publish(self.models, folder if folder.is_dir() else newest(ROOT / "models", name), run=False)


@pytest.fixture(autouse=True)
def _environment_undone() -> Iterator[None]:
    """Undo what the code under test sets in the environment for itself, as commands do."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Set what a function's environment holds; the value changes single variables."""
    settle(monkeypatch, tmp_path / "scratch")
    return monkeypatch.setenv


def settle(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    """Set what a function's environment holds."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "ASSAY_"))]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ASSAY_SCRATCH", str(scratch))


@pytest.fixture
def aws(environment: Callable[[str, str], None]) -> Iterator[Aws]:
    """An empty AWS with the three buckets and the state table."""
    with empty_cloud() as found:
        yield found


@contextmanager
def cloud(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> Iterator[Aws]:
    """The same for longer than a test."""
    settle(monkeypatch, scratch)
    with empty_cloud() as found:
        yield found


@contextmanager
def empty_cloud() -> Iterator[Aws]:
    """An empty AWS, in an environment that is set already."""
    from moto import mock_aws

    clients.forget()
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        s3, dynamodb = clients.client("s3"), clients.client("dynamodb")
        make_stores(s3, dynamodb)
        yield Aws(s3, dynamodb, Bucket(s3, "uploads"), Bucket(s3, "results"), Bucket(s3, "models"))
    clients.forget()


def make_stores(s3: "S3Client", dynamodb: "DynamoDBClient") -> None:
    """Create the three buckets and the state table."""
    for bucket in ("uploads", "results", "models"):
        s3.create_bucket(Bucket=bucket)
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "live", "updated")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "live",
                "KeySchema": [
                    {"AttributeName": "live", "KeyType": "HASH"},
                    {"AttributeName": "updated", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def delete_objects(bucket: Bucket, *keys: str) -> None:
    """Delete objects; those that are not there are no error."""
    for key in keys:
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
