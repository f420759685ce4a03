"""From the results of all shards to the results of the job: the bookkeeping that every kind shares.

The books balance if each byte of the object is one shard's, and each record that was received has one outcome.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from assay.errors import InputError, ShardFailed, Unaccounted
from assay.jobs.workspace import JobPlan, ShardResult, Workspace

_AHEAD: Final = 8
_NAMED: Final = 5


OUTCOMES: Final = ("scored", "classified", "rejected", "duplicates")
"""What becomes of records; a ranking's `scored` are those that the gate let pass and those that it filtered."""


def adds_up(counts: Mapping[str, int]) -> bool:
    """Say whether each record received has one outcome, and no more passed than were scored."""
    outcomes = sum(counts.get(name, 0) for name in OUTCOMES)
    return counts.get("received", 0) == outcomes and counts.get("passed", 0) <= counts.get("scored", 0)


class Ledger:
    """Takes the results of a job's shards in order; `suspects` are the shards whose bytes or records do not add up."""

    def __init__(self, manifest: JobPlan) -> None:
        """Begin at the object's first byte."""
        self.suspects: set[int] = set()
        self._manifest = manifest
        self._at = self._bytes = self._last = 0
        self._stated = True
        self._wrong: list[str] = []

    def enter(self, result: ShardResult) -> None:
        """Take the next shard's result; one that states no bytes is of an earlier version and ends their check."""
        if not adds_up(result.counts):
            self._suspect(f"{self._name(result.shard)} counts {_spell(result.counts)}", result.shard)
        if result.size is None:
            self._stated = False
        elif result.size:
            if self._stated and result.first != self._at:
                wrong = f"{self._name(result.shard)} begins at byte {result.first:,} but {self._at:,} comes next"
                self._suspect(wrong, self._last, result.shard)
            self._at, self._last = result.first + result.size, result.shard
            self._bytes += result.size

    def close(self) -> None:
        """Raise Unaccounted unless all that was taken adds up to the object."""
        size = self._manifest.source.size
        if self._stated and self._at != size:
            self._suspect(f"{self._name(self._last)} ends at byte {self._at:,}", self._last)
        if self._wrong:
            raise Unaccounted(
                f"the counts of {self._manifest.source.key} do not add up, so no result is shown: its shards have "
                f"{self._bytes:,} of {size:,} bytes; {'; '.join(self._wrong[:3])}; redrive the job, which "
                "repeats the shards that are wrong",
                shards=sorted(self.suspects)[:5],
            )

    def _suspect(self, wrong: str, *shards: int) -> None:
        self._wrong.append(wrong)
        self.suspects |= {*shards}

    def _name(self, shard: int) -> str:
        return f"shard {shard + 1} of {self._manifest.shards}"


def _spell(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "nothing"


class CutInRow(Exception):
    """A shard ended within a row, for a cell holds a line end: this file cannot be cut."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What joining gave: counts, keys in the results bucket by name, what else the summary says.

    An `error` is why the job FAILED though all of it was read (`strict`).
    """

    counts: Mapping[str, int]
    results: Mapping[str, str]
    said: Mapping[str, Any] = field(default_factory=dict)
    error: InputError | None = None


def collect_results(working: Workspace, manifest: JobPlan) -> Iterator[ShardResult]:
    """Yield the results of all shards in order, and hold them to what they must add up to.

    Raises ShardFailed; CutInRow; Unaccounted once all were yielded, those that are wrong taken back.
    """
    ledger = Ledger(manifest)
    try:
        yield from check_results(ledger, _fetch_results(working, manifest))
    except Unaccounted as error:
        for shard in sorted(ledger.suspects):
            working.void(shard, error)
        raise


def check_results(ledger: Ledger, results: Iterable[ShardResult]) -> Iterator[ShardResult]:
    """Yield results in order, entered in the books. Raises CutInRow; Unaccounted once all were yielded."""
    for result in results:
        if result.cut:
            raise CutInRow
        ledger.enter(result)
        yield result
    ledger.close()


def _fetch_results(working: Workspace, manifest: JobPlan) -> Iterator[ShardResult]:
    """Yield the results of all shards in order, the next ones fetched meanwhile. Raises ShardFailed."""
    _require_complete(working, manifest)
    pin = manifest.pin
    with ThreadPoolExecutor(_AHEAD, "partials") as pool:
        pending: deque[Future[ShardResult | None]] = deque()
        for shard in range(manifest.shards):
            pending.append(pool.submit(working.find_result, shard, pin))
            if len(pending) >= _AHEAD:
                yield _require_result(pending.popleft().result(), manifest, shard + 1 - _AHEAD)
        first = manifest.shards - len(pending)
        yield from (_require_result(each.result(), manifest, shard) for shard, each in enumerate(pending, first))


def _require_complete(working: Workspace, manifest: JobPlan) -> None:
    """Raise ShardFailed where a shard has no result."""
    missing = sorted(set(range(manifest.shards)) - set(working.list_done()))
    if missing:
        raise ShardFailed(f"{locate(manifest, missing)} left no result", shards=missing[:_NAMED])


def _require_result(result: ShardResult | None, manifest: JobPlan, shard: int) -> ShardResult:
    if result is None:
        raise ShardFailed(f"{locate(manifest, [shard])} left no result of this plan", shards=[shard])
    return result


def locate(manifest: JobPlan, shards: Sequence[int]) -> str:
    """Return which shards and bytes of what file: `shard 3 of 8 (bytes 192 to 255 of rank/a.txt)`."""
    named = []
    for index in shards[:_NAMED]:
        shard = manifest.shard(index)
        named.append(f"shard {index + 1} of {manifest.shards} (bytes {shard.start:,} to {max(shard.stop - 1, 0):,})")
    more = f" and {len(shards) - _NAMED} more" if len(shards) > _NAMED else ""
    return f"{', '.join(named)}{more} of {manifest.source.key}"
