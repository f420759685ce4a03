"""Typed reading of JSON that others wrote: every mistake is a BundleInvalid that names its place."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from assay.errors import BundleInvalid

T = TypeVar("T")


class JsonFields:
    """One JSON object, read field by field; `where` is its place in the document, as messages give it."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise BundleInvalid(f"{where} is not an object")
        self.values: Mapping[str, Any] = value
        self.where = where

    def fail(self, name: str, complaint: str) -> NoReturn:
        """Raise BundleInvalid about one field."""
        raise BundleInvalid(f"{self.where}.{name} {complaint}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        value = self.values.get(name, default)
        return value if isinstance(value, str) else self.fail(name, "is not a string")

    def choice(self, name: str, *allowed: str) -> str:
        """Return a string that is one of `allowed`."""
        value = self.text(name)
        return value if value in allowed else self.fail(name, f"is {value[:40]!r}, not one of {', '.join(allowed)}")

    def integer(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Return an integer within [least, most]."""
        value = self.values.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fail(name, f"is not an integer within {least}..{most}")
        return value

    def items(self, name: str, most: int, *, least: int = 1) -> list[Any]:
        """Return a list of `least` to `most` items."""
        value = self.values.get(name)
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.fail(name, f"is not a list of {least}..{most} items")
        return value

    def texts(self, name: str, most: int, *, least: int = 1) -> tuple[str, ...]:
        """Return strings."""
        values = self.items(name, most, least=least)
        return tuple(values) if all(isinstance(value, str) for value in values) else self.fail(name, "holds no strings")

    def objects(self, name: str, most: int, read: Callable[["JsonFields"], T]) -> tuple[T, ...]:
        """Return what `read` makes of each object in a list of 1 to `most`."""
        values = enumerate(self.items(name, most))
        return tuple(read(JsonFields(value, f"{self.where}.{name}[{at}]")) for at, value in values)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return an object as it is, empty where there is none."""
        return dict(JsonFields(self.values.get(name, {}), f"{self.where}.{name}").values)

    def numbers(self, name: str) -> dict[str, float]:
        """Return an object of finite numbers, empty where there is none."""
        values = self.mapping(name)
        if not all(type(value) in {int, float} and math.isfinite(value) for value in values.values()):
            self.fail(name, "holds something else than finite numbers")
        return {key: float(value) for key, value in values.items()}


def read_document(content: bytes, where: str, limit: int) -> JsonFields:
    """Return the object that a JSON document of at most `limit` bytes is, if it could be written again."""
    if len(content) > limit:
        raise BundleInvalid(f"the {where} has {len(content)} bytes, more than {limit}")
    try:
        value = json.loads(content, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # 1e999, half a surrogate pair
        return JsonFields(value, where)
    except (ValueError, RecursionError) as error:
        raise BundleInvalid(f"the {where} is not JSON: {error}") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")
