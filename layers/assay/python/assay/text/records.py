"""Notices: what a reader changed or noticed without refusing a record; and rejects."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

LINES_NAMED: Final = 20
"""How many lines a notice names; `count` has how many there are."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know: a stable code, a sentence, the 1-based lines it is about, and how many there are.

    A notice about the whole input has no lines and a count of 0. The sentence says nothing that differs from line to
    line, so that notices of one kind become one.
    """

    code: str
    message: str
    lines: tuple[int, ...] = ()
    count: int = 0

    def shift(self, lines: int) -> Self:
        """Return the same for input that follows this many lines."""
        return replace(self, lines=tuple(line + lines for line in self.lines))

    def to_body(self) -> dict[str, Any]:
        """Return plain values, JSON's, from which `from_body` makes an equal value."""
        said: dict[str, Any] = {"code": self.code, "message": self.message}
        return said | ({"lines": [*self.lines]} if self.lines else {}) | ({"count": self.count} if self.count else {})

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read what `to_body` made."""
        return cls(body["code"], body["message"], tuple(body.get("lines", ())), body.get("count", 0))


def notice(code: str, message: str, lines: Iterable[int] = ()) -> Notice:
    """Return a notice about some lines, in ascending order, of which the first are named; or about none."""
    found = list(lines)
    return Notice(code, message, tuple(found[:LINES_NAMED]), len(found))


def gather(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """Return one notice for all of the same code and sentence: the first lines of all, the sum of their counts."""
    whole: dict[tuple[str, str], Notice] = {}
    for each in notices:
        key = each.code, each.message
        known = whole.get(key, Notice(*key))
        lines = tuple(sorted((*known.lines, *each.lines))[:LINES_NAMED])
        whole[key] = Notice(*key, lines, known.count + each.count)
    return tuple(whole[key] for key in sorted(whole))


LENGTH: Final = "length"
RESIDUE: Final = "residue"
EMPTY: Final = "empty"
MALFORMED: Final = "malformed"
ENCODING: Final = "encoding"
TOO_LONG: Final = "too_long_line"
NOT_FINITE: Final = "not_finite"
REASONS: Final = (LENGTH, RESIDUE, EMPTY, ENCODING, TOO_LONG, MALFORMED, NOT_FINITE)
"""Why a record of a ranking may be refused."""


class Reject(NamedTuple):
    """A record that was received and not scored: its 1-based line, a stable reason, and what exactly is wrong."""

    line: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on memory: bytes and records worked on at once, and bytes of the longest record that is read."""

    block_bytes: int = 1 << 20
    block_records: int = 1 << 15
    record_bytes: int = 1 << 20


LIMITS: Final = Limits()


def too_long(line: int, limits: Limits) -> Reject:
    """Return the reject for a record over the longest that is read."""
    return Reject(line, TOO_LONG, f"over {limits.record_bytes} bytes")
