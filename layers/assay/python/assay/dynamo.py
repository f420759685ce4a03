"""Plain Python values to DynamoDB's and back: floats travel as Decimal, whole numbers come back as int."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

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
