"""The state table: items under one key `pk` that expire; conditional writes say whether their condition held."""

import math
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from assay.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item or a key."""
    return {name: _serialize(_decimal(value)) for name, value in values.items()}


def to_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ExpressionAttributeValues: `{"n": 1}` is what `:n` stands for."""
    return {f":{name}": value for name, value in to_item(values).items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's plain values."""
    return {name: _plain(_deserialize(value)) for name, value in item.items()}


@dataclass
class Held:
    """Whether the condition of a write held."""

    value: bool = True


@contextmanager
def conditional() -> Iterator[Held]:
    """Turn the refusal of a write whose condition does not hold into `Held.value`, which is read afterwards."""
    held = Held()
    try:
        yield held
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
            raise
        held.value = False


def _decimal(value: Any) -> Any:
    match value:
        case float():
            # DynamoDB has no infinities and no NaN; 17 digits are what a float is.
            return Decimal(repr(value)) if math.isfinite(value) else None
        case Mapping():
            return {str(key): _decimal(each) for key, each in value.items()}
        case list() | tuple():
            return [_decimal(each) for each in value]
    return value


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
    return value


LIVE_INDEX: Final = "live"
"""The index of jobs that have not finished: an item is in it while it has the attribute of this name."""
_LONGEST_KEY: Final = 2048
"""Bytes; DynamoDB refuses to look for a longer one."""
_AT_ONCE: Final = 100
"""Items that DynamoDB gives in one reply."""
_DAY: Final = 86_400
_SAME: Final = "write"
"""The attribute that names the write an item is of: one whose reply was lost, and that boto sends again, holds too."""


class Table:
    """One table; its items go `days` after their last change."""

    def __init__(self, client: "DynamoDBClient", name: str, days: int, clock: Callable[[], float] = time.time) -> None:
        if not name:
            raise SettingsError("no state table: ASSAY_STATE_TABLE is missing")
        self._client, self._name, self._days, self.clock = client, name, days, clock

    def put(self, item: Mapping[str, Any], condition: str = "", **given: Any) -> bool:
        """Write an item; False where the condition does not hold. `#name` is an attribute, `:name` is of `given`."""
        extra: dict[str, Any] = {}
        if condition:
            item = {**item, _SAME: uuid.uuid4().hex}
            extra |= {"ConditionExpression": _again(condition)}
            extra |= {"ExpressionAttributeNames": {name: name[1:] for name in _names(_again(condition))}}
            extra |= {"ExpressionAttributeValues": to_values({**given, _SAME: item[_SAME]})}
        with conditional() as held:
            self._client.put_item(TableName=self._name, Item=to_item({**item, "expires": self._expires()}), **extra)
        return held.value

    def set(
        self, pk: str, values: Mapping[str, Any], condition: str = "", *, remove: tuple[str, ...] = (), **given: Any
    ) -> bool:
        """Set attributes of an item, and remove some; False where the condition does not hold."""
        values = {**values, "expires": self._expires(), _SAME: uuid.uuid4().hex}
        removal = f" REMOVE {', '.join(f'#{name}' for name in remove)}" if remove else ""
        extra: dict[str, Any] = {"ConditionExpression": _again(condition)} if condition else {}
        names = {*_names(condition), *(f"#{name}" for name in (*values, *remove))}
        with conditional() as held:
            self._client.update_item(
                TableName=self._name,
                Key=to_item({"pk": pk}),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values) + removal,
                ExpressionAttributeNames={name: name[1:] for name in names},
                ExpressionAttributeValues=to_values({**values, **given}),
                **extra,
            )
        return held.value

    def item(self, pk: str) -> dict[str, Any] | None:
        """Return an item as it is now; one past its time to live is gone, though DynamoDB may still hold it."""
        if len(pk.encode("utf-8", "replace")) > _LONGEST_KEY:
            return None
        reply = self._client.get_item(TableName=self._name, Key=to_item({"pk": pk}), ConsistentRead=True)
        item = from_item(reply["Item"]) if "Item" in reply else None
        return item if item and item.get("expires", 0) > self.clock() else None

    def items(self, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield those items that there are and that DynamoDB has the time to give, in no order."""
        for at in range(0, len(keys), _AT_ONCE):
            wanted = [to_item({"pk": pk}) for pk in keys[at : at + _AT_ONCE]]
            reply = self._client.batch_get_item(RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}})
            yield from map(from_item, reply["Responses"].get(self._name, ()))

    def value(self, pk: str, name: str) -> Any:
        """Return one attribute of an item, None if there is none."""
        return (self.item(pk) or {}).get(name)

    def live(self, kind: str, before: str) -> Iterator[str]:
        """Yield the keys of the items that are live as `kind` and were last `updated` before a time."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            IndexName=LIVE_INDEX,
            KeyConditionExpression="#live = :live AND #updated < :before",
            ExpressionAttributeNames={"#live": LIVE_INDEX, "#updated": "updated"},
            ExpressionAttributeValues=to_values({"live": kind, "before": before}),
        )
        for page in pages:
            yield from (str(from_item(item)["pk"]) for item in page["Items"])

    def page(self, kind: str, before: str, after: Mapping[str, str] | None, size: int) -> list[dict[str, str]]:
        """Return the places in the index of up to `size` live items, the first of them behind the place `after`.

        A place is an item's keys (`pk`, `live`, `updated`); what has one need not be there any more.
        """
        extra: dict[str, Any] = {"ExclusiveStartKey": to_item(after)} if after else {}
        reply = self._client.query(
            TableName=self._name,
            IndexName=LIVE_INDEX,
            KeyConditionExpression="#live = :live AND #updated < :before",
            ExpressionAttributeNames={"#live": LIVE_INDEX, "#updated": "updated"},
            ExpressionAttributeValues=to_values({"live": kind, "before": before}),
            Limit=size,
            **extra,
        )
        items = (from_item(item) for item in reply["Items"])
        return [{name: str(item[name]) for name in ("pk", LIVE_INDEX, "updated")} for item in items]

    def time(self, ago: float = 0) -> str:
        """Return the time `ago` seconds before now, ISO 8601 in UTC."""
        return datetime.fromtimestamp(self.clock() - ago, UTC).isoformat(timespec="milliseconds")

    def _expires(self) -> int:
        return int(self.clock()) + self._days * _DAY


def _again(condition: str) -> str:
    """Return a condition that the same write, sent once more, meets too."""
    return f"({condition}) OR #{_SAME} = :{_SAME}"


def _names(expression: str) -> list[str]:
    return re.findall(r"#\w+", expression)
