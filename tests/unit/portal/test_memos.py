"""What the portal remembers, for how long, and how much of it."""

import pytest

from portal.models import Memo


def test_a_value_is_found_once_in_its_time() -> None:
    now, found = [0.0], iter(range(9))
    memo: Memo[str, int] = Memo(10, 5, lambda: now[0])
    assert [memo.get("a", lambda: next(found)) for _ in range(3)] == [0, 0, 0]
    now[0] = 9.9
    assert memo.get("a", lambda: next(found)) == 0
    now[0] = 10.0
    assert memo.get("a", lambda: next(found)) == 1


def test_nothing_is_remembered_of_a_failure() -> None:
    memo: Memo[str, int] = Memo(10, 5, lambda: 0.0)

    def fail() -> int:
        raise OSError("away")

    with pytest.raises(OSError, match="away"):
        memo.get("a", fail)
    assert memo.get("a", lambda: 7) == 7


def test_the_oldest_is_let_go_first() -> None:
    memo: Memo[int, int] = Memo(10, 2, lambda: 0.0)
    for key in (1, 2, 3):
        memo.get(key, lambda key=key: key)  # type: ignore[misc]
    assert memo.get(3, lambda: -1) == 3
    assert memo.get(1, lambda: -1) == -1
