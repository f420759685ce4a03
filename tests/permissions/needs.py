"""What a recorded call needs by AWS's service authorization reference: actions, each with the ARN it is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

_OBJECT = {
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "DeleteObject": "s3:DeleteObject",
}
_BUCKET = {"ListObjectsV2": "s3:ListBucket", "ListObjectVersions": "s3:ListBucketVersions"}


class Need(NamedTuple):
    """An action on one resource. `keys` are the partition keys that a call to DynamoDB names."""

    action: str
    arn: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """The ARNs of the stack by the names that the tests' AWS in memory has for them."""

    buckets: Mapping[str, str]
    table: str
    machine: str
    topic: str

    def needs(self, service: str, operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
        """Yield what a call needs. KeyError for an operation that this list does not know."""
        yield from {"s3": self._s3, "dynamodb": self._dynamodb, "stepfunctions": self._states, "sns": self._sns}[
            service
        ](operation, given)

    def _s3(self, operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
        bucket = self.buckets[given["Bucket"]]
        if operation in _BUCKET:
            yield Need(_BUCKET[operation], bucket)
            return
        action = _OBJECT[operation]
        yield Need(action + "Version" if action == "s3:GetObject" and "VersionId" in given else action,
                   f"{bucket}/{given['Key']}")  # fmt: skip

    def _dynamodb(self, operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
        index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
        yield Need(f"dynamodb:{operation}", self.table + index, tuple(sorted(set(_keys(given)))))

    def _states(self, operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
        execution = given.get("executionArn", "").rpartition(":")[2]
        run = f"{self.machine.replace(':stateMachine:', ':execution:')}:{execution}"
        yield Need(f"states:{operation}", run if execution else self.machine)

    def _sns(self, operation: str, given: Mapping[str, Any]) -> Iterator[Need]:
        yield Need(f"sns:{operation}", self.topic)


def _keys(given: Any) -> Iterator[str]:
    """Yield every partition key inside a call's parameters."""
    if isinstance(given, Mapping):
        if isinstance(given.get("pk"), Mapping):
            yield given["pk"]["S"]
        for value in given.values():
            yield from _keys(value)
    elif isinstance(given, list):
        for value in given:
            yield from _keys(value)
