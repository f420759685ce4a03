"""DynamoDB in memory, as far as the state table asks it: conditions, sets and removals, the index of what is live.

A hundred times faster than an emulated one; `tests/integration/jobs/test_jobs_words.py` holds both to the same tests.
"""

import re
import threading
from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

_plain = TypeDeserializer().deserialize
_COMPARED = re.compile(r"(#?\w+) (=|<=|<) (:\w+)")
_LISTED = re.compile(r"(#\w+) IN \(([^)]*)\)")
_EXISTS = re.compile(r"attribute_(not_)?exists\((#?\w+)\)")
Item = dict[str, Any]


class DynamoDb:
    """A client with one table; its calls are atomic."""

    def __init__(self) -> None:
        """Begin with no items."""
        self.items: dict[str, Item] = {}
        self._lock = threading.Lock()

    def put_item(self, *, Item: Item, ConditionExpression: str = "", **given: Any) -> None:  # noqa: N803
        """Write an item where the condition holds."""
        with self._lock:
            pk = Item["pk"]["S"]
            self._hold(pk, ConditionExpression, given)
            self.items[pk] = dict(Item)

    def update_item(self, *, Key: Item, UpdateExpression: str, ConditionExpression: str = "", **given: Any) -> None:  # noqa: N803
        """Set and remove attributes where the condition holds."""
        with self._lock:
            pk = Key["pk"]["S"]
            self._hold(pk, ConditionExpression, given)
            names, values = given["ExpressionAttributeNames"], given["ExpressionAttributeValues"]
            item = self.items.setdefault(pk, dict(Key))
            sets, _, removes = UpdateExpression.removeprefix("SET ").partition(" REMOVE ")
            for each in sets.split(", "):
                name, value = each.split(" = ")
                item[names[name]] = values[value]
            for each in filter(None, removes.split(", ")):
                item.pop(names[each], None)

    def get_item(self, *, Key: Item, **_: Any) -> Item:  # noqa: N803
        """Return an item."""
        with self._lock:
            found = self.items.get(Key["pk"]["S"])
            return {"Item": dict(found)} if found is not None else {}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Return items of the one table."""
        [(table, wanted)] = RequestItems.items()
        with self._lock:
            found = [dict(self.items[key["pk"]["S"]]) for key in wanted["Keys"] if key["pk"]["S"] in self.items]
        return {"Responses": {table: found}}

    def get_paginator(self, name: str) -> "DynamoDb":
        """Return what asks for pages."""
        assert name == "query"
        return self

    def paginate(self, **asked: Any) -> Iterator[Item]:
        """Yield a page for each item that `query` finds."""
        after: Item = {}
        while found := self.query(Limit=1, **asked, **after)["Items"]:
            yield {"Items": found}
            after = {"ExclusiveStartKey": found[0]}

    def query(self, *, ExpressionAttributeValues: Item, Limit: int, **asked: Any) -> Item:  # noqa: N803
        """Return the items that are live and were changed before a time, the oldest first, behind a place."""
        live, before = (ExpressionAttributeValues[name]["S"] for name in (":live", ":before"))
        start = asked.get("ExclusiveStartKey")
        with self._lock:
            found = [item for item in self.items.values() if item.get("live", {}).get("S") == live]
        found = [
            item for item in found if item["updated"]["S"] < before and (not start or _place(item) > _place(start))
        ]
        return {"Items": sorted(found, key=_place)[:Limit]}

    def _hold(self, pk: str, condition: str, given: Item) -> None:
        """Raise the refusal of a write unless its condition holds."""
        names, values = given.get("ExpressionAttributeNames", {}), given.get("ExpressionAttributeValues", {})
        item = {name: _plain(value) for name, value in self.items.get(pk, {}).items()}

        def compare(found: re.Match[str]) -> str:
            held, value = item.get(names.get(found[1], found[1])), _plain(values[found[3]])
            if held is None:
                return "False"
            return str({"=": held == value, "<=": held <= value, "<": held < value}[found[2]])

        def among(found: re.Match[str]) -> str:
            return str(item.get(names[found[1]]) in [_plain(values[name]) for name in found[2].split(", ")])

        def exists(found: re.Match[str]) -> str:
            return str((names.get(found[2], found[2]) in item) is not bool(found[1]))

        said = _EXISTS.sub(exists, _LISTED.sub(among, _COMPARED.sub(compare, condition)))
        said = said.replace(" AND ", " and ").replace(" OR ", " or ")
        assert re.fullmatch(r"(True|False|and|or|[() ])*", said), said
        if condition and not eval(said):
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "Write")


def _place(item: Item) -> tuple[str, str]:
    """Return where an item stands in the index."""
    return str(item["updated"]["S"]), str(item["pk"]["S"])
