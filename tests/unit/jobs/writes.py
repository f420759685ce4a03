"""What happens just before a record is written: its writer dies, or another claims."""

from collections.abc import Callable
from typing import Any

import pytest

from assay.aws.dynamodb import Table

PARTS = ("key#", "job#")
"""The keys of what a new job writes: the pointer of its object, then its record."""


def act_before(patch: pytest.MonkeyPatch, part: str, act: Callable[[], Any]) -> None:
    """Have `act` done before each write of an item whose key begins with `part`."""
    put = Table.put

    def act_and_put(table: Table, item: Any, *given: Any, **named: Any) -> Any:
        if item["pk"].startswith(part):
            act()
        return put(table, item, *given, **named)

    patch.setattr(Table, "put", act_and_put)


def die() -> None:
    """Die as a stopped environment does."""
    raise InterruptedError
