"""DynamoDB's two batch calls as boto3's client answers them, without it: the cache of scores needs no others."""

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, Final

from botocore.exceptions import ClientError, EndpointConnectionError, IncompleteReadError

from assay.aws.signed_requests import Access, Connections, SignedAnswer, sign

_VERSION: Final = "DynamoDB_20120810"
_OK: Final = 200


class QuickDynamoDB:
    """Sends a batch once, and gives up soon. Raises ClientError for a refusal, else one of botocore's errors."""

    def __init__(self, access: Access, *, connect: float, read: float) -> None:
        self._access = access
        self._connections = Connections(access.scheme, access.host, connect=connect, read=read)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803  the name is boto3's
        """Return items by their keys: `{"Responses": {table: [item, ...]}}`."""
        return self._call("BatchGetItem", RequestItems)

    def batch_write_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Write items."""
        return self._call("BatchWriteItem", RequestItems)

    def _call(self, operation: str, items: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps({"RequestItems": _convert(items, _encode)}, separators=(",", ":")).encode()
        headers = {
            "host": self._access.host,
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"{_VERSION}.{operation}",
        }
        try:
            answer = self._connections.ask("POST", "/", sign(self._access, "POST", "/", headers, body), body)
            said = answer.read()
            answer.close()
        except (OSError, HTTPException) as error:
            raise EndpointConnectionError(endpoint_url=self._access.host, error=error) from error
        if answer.status != _OK:
            raise ClientError(_explain(answer, said), operation)  # type: ignore[arg-type]
        _require_whole(answer, said)
        found: dict[str, Any] = _convert(json.loads(said), _decode)
        return found


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decode(value: str) -> bytes:
    return base64.b64decode(value)


def _convert(value: Any, binary: Callable[[Any], object]) -> Any:
    """Return a document whose binary values, each the value of a sole key `B`, went through `binary`."""
    match value:
        case {"B": bytes() | str() as inner} if len(value) == 1:
            return {"B": binary(inner)}
        case dict():
            return {name: _convert(each, binary) for name, each in value.items()}
        case list():
            return [_convert(each, binary) for each in value]
    return value


def _explain(answer: SignedAnswer, said: bytes) -> dict[str, Any]:
    """Return an error as boto3 has it."""
    try:
        found = json.loads(said)
        code, message = str(found["__type"]).rpartition("#")[2], str(found.get("message", found.get("Message", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        code, message = str(answer.status), ""
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": answer.status}}


def _require_whole(answer: SignedAnswer, said: bytes) -> None:
    """Raise IncompleteReadError unless the answer has the checksum that DynamoDB sends with it."""
    expected = answer.headers.get("x-amz-crc32")
    if expected is not None and int(expected) != zlib.crc32(said):
        raise IncompleteReadError(actual_bytes=len(said), expected_bytes=answer.size or 0)
