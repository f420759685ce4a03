"""From the results of all shards to the results of the job: the bookkeeping that every kind shares."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from assay.errors import InputError, ShardFailed, Unaccounted
from assay.jobs.accounting import Ledger
from assay.jobs.workspace import JobPlan, ShardResult, Workspace

_AHEAD: Final = 8
_NAMED: Final = 5


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
