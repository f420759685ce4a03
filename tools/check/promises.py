"""What a check is, how it ends, and how to run a list of them. Pure: it does no input or output."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Generic, Literal, TypeVar

Mark = Literal["kept", "broken", "skipped"]
Ground = TypeVar("Ground")
LONGEST_NOTE: Final = 400


class Broken(Exception):
    """The deployment does not keep a promise; says how."""


class Untried(Exception):
    """A promise cannot be tried from here; says why."""


@dataclass(frozen=True, slots=True)
class Check(Generic[Ground]):
    """One promise: `run` tries it and returns what it saw in a few words. It raises Broken, or Untried."""

    name: str
    promise: str
    run: Callable[[Ground], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """How one check ended, after how many seconds, and what it saw, what was wrong, or why it was skipped."""

    name: str
    promise: str
    mark: Mark
    seconds: float
    note: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


def hold(condition: object, wrong: str) -> None:
    """Raise Broken, which says what is wrong, unless the condition holds."""
    if not condition:
        raise Broken(wrong)


def try_all(checks: Sequence[Check[Ground]], ground: Ground, without: Collection[str] = ()) -> Iterator[Finding]:
    """Yield how each check ends, in order; those named in `without` are skipped."""
    for check in checks:
        yield skip(check, "left out by --without") if check.name in without else try_one(check, ground)


def try_one(check: Check[Ground], ground: Ground) -> Finding:
    """Run a check; whatever it raises but Untried says that the promise is broken."""
    started = time.perf_counter()
    try:
        mark, note = _end(check, ground)
    except Exception as error:  # an answer of another shape breaks the promise too
        mark, note = "broken", f"{type(error).__name__}: {error}"
    return Finding(check.name, check.promise, mark, time.perf_counter() - started, _shorten(note))


def skip(check: Check[Ground], why: str) -> Finding:
    """Return the finding of a check that was not run."""
    return Finding(check.name, check.promise, "skipped", 0.0, why)


def _end(check: Check[Ground], ground: Ground) -> tuple[Mark, str]:
    try:
        return "kept", check.run(ground)
    except Broken as error:
        return "broken", str(error)
    except Untried as error:
        return "skipped", str(error)


def _shorten(note: str) -> str:
    line = " ".join(note.split())
    return line if len(line) <= LONGEST_NOTE else f"{line[:LONGEST_NOTE]}..."
