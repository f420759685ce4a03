"""What sequences and abstracts cost on AWS, service by service: `python -m benchmarks.costs` prints the tables.

Prices are those of `tools.deploy.prices`, times those of `benchmarks.scaling`. Calls of AWS are counted in runs of the
code: `python -m tools.walks --order`. Every function is counted as starting anew.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.scaling import BYTES, World, simulate
from tools.deploy import prices

FILES: Final = tuple(10**power for power in range(10))
REQUESTS: Final = ((1, 0.002), (1_000, 0.008), (10_000, 0.056), (100_000, 0.55))
"""Sequences of a request, and the seconds of a warm function: 1.5 ms and the pair's time."""
ABSTRACT_SECONDS: Final = 0.0078
"""Of 200 tokens on 1.7 vCPUs: 6.6 ms on two (benchmarks/results/classify.md)."""
ABSTRACT_BYTES: Final = 1_200
ABSTRACTS: Final = (1, 64)
LOG_LINE: Final = 890
"""Bytes that a warm call logs, with Lambda's own lines (docs/operations.md)."""
METRICS: Final = (14, 27)
"""Custom metrics that a file of sequences gives values to: in one function, and through the state machine.

A function that starts: one; for each of the two models four seconds and one version; ranking, sequences, a reason.
"""
NOTE_SECONDS: Final = 2.0
RECORD_WRITES: Final = 6
"""Writes that the end of a job takes: its record has some 5 KB with the histograms."""
WORLD: Final = replace(World(), at_once=1000)


@dataclass(frozen=True, slots=True)
class Cost:
    """Dollars by service; `metrics` are of the first file in an hour, `stored` of thirty days of the upload."""

    functions: float
    calls: float
    steps: float
    requests: float
    records: float
    logs: float
    metrics: float
    stored: float = 0.0

    @property
    def whole(self) -> float:
        """The sum, but for what is stored."""
        return self.functions + self.calls + self.steps + self.requests + self.records + self.logs + self.metrics


def cost_file(sequences: int, world: World = WORLD) -> Cost:
    """Return what a dropped file of so many sequences costs."""
    run = simulate(world, sequences)
    calls = run.shards + 3 if run.shards > 1 else 1
    each = run.function_seconds / run.shards
    return Cost(
        functions=run.function_seconds * world.memory_mb / 1024 * prices.LAMBDA_GB_SECOND,
        calls=calls * prices.LAMBDA_CALL,
        steps=_count_transitions(world, run.shards) * prices.TRANSITION,
        requests=_cost_requests(world, sequences, run.shards),
        records=_cost_records(run.shards, each),
        logs=calls * LOG_LINE / 1e9 * prices.LOG_GB,
        metrics=METRICS[run.shards > 1] * prices.METRIC_MONTH / prices.HOURS_MONTH,
        stored=sequences * BYTES / 1e9 * prices.S3_GB_MONTH,
    )


def _count_transitions(world: World, shards: int) -> int:
    return world.transitions_shard * shards + world.transitions_job if shards > 1 else 0


def _cost_requests(world: World, sequences: int, shards: int) -> float:
    """Return the dollars of S3's requests: ranged reads, and for each shard its plan, tail, result and merge."""
    reads = math.ceil(sequences * BYTES / 1e6 / world.read_mb)
    if shards == 1:
        return (1 + reads) * prices.S3_GET + 5 * prices.S3_PUT
    gets, puts = reads + 4 * shards, 2 * shards + 8 + math.ceil(shards / 1000)
    return gets * prices.S3_GET + puts * prices.S3_PUT


def _cost_records(shards: int, seconds: float) -> float:
    """Return the dollars of DynamoDB: claim, plan and end, and a note of each shard every other second."""
    notes = int(seconds // NOTE_SECONDS) + (shards > 1)
    writes, reads = 10 + RECORD_WRITES + shards * notes, 3 + (shards if shards > 1 else 0)
    return writes * prices.DYNAMODB_WRITE + reads * prices.DYNAMODB_READ


def cost_request(seconds: float, reads: int = 0, writes: int = 0, world: World = WORLD) -> Cost:
    """Return what a request costs that a warm function answers in so many seconds; metrics are left out."""
    return Cost(
        functions=seconds * world.memory_mb / 1024 * prices.LAMBDA_GB_SECOND,
        calls=prices.LAMBDA_CALL + prices.GATEWAY_CALL,
        steps=0.0,
        requests=0.0,
        records=reads * prices.DYNAMODB_READ + writes * prices.DYNAMODB_WRITE,
        logs=LOG_LINE / 1e9 * prices.LOG_GB,
        metrics=0.0,
    )


def cost_abstracts(count: int, world: World = WORLD) -> Cost:
    """Return the cost of a dropped file of `count` abstracts; shards run in turn, one function each."""
    size = count * ABSTRACT_BYTES
    shards = math.ceil(size / (world.shard_mb / 16 * 1e6))
    seconds = count * ABSTRACT_SECONDS + (shards + 3) * world.start_seconds
    calls = shards + 3 if shards > 1 else 1
    return Cost(
        functions=seconds * world.memory_mb / 1024 * prices.LAMBDA_GB_SECOND,
        calls=calls * prices.LAMBDA_CALL,
        steps=_count_transitions(world, shards) * prices.TRANSITION,
        requests=_cost_requests(world, size // BYTES, shards),
        records=_cost_records(shards, seconds / shards),
        logs=calls * LOG_LINE / 1e9 * prices.LOG_GB,
        metrics=METRICS[shards > 1] * prices.METRIC_MONTH / prices.HOURS_MONTH,
        stored=size / 1e9 * prices.S3_GB_MONTH,
    )


_HEAD: Final = (
    "| {} | Lambda | calls | Step Functions | S3 | DynamoDB | logs | metrics | sum | {} | 30 days of the file |"
)


def price_tables() -> Iterator[str]:
    """Yield the tables in Markdown: files of sequences, requests, abstracts."""
    yield _HEAD.format("sequences in a file", "a million") + "\n" + "|---" * 11 + "|"
    yield from (_row(size, cost_file(size), size / 1e6) for size in FILES)
    yield "\n" + _HEAD.format("sequences in a request", "a million") + "\n" + "|---" * 11 + "|"
    yield from (_row(count, cost_request(seconds), count / 1e6) for count, seconds in REQUESTS)
    yield "\n" + _HEAD.format("abstracts in a request", "a thousand") + "\n" + "|---" * 11 + "|"
    for count in ABSTRACTS:
        yield _row(count, cost_request(0.002 + count * ABSTRACT_SECONDS, count, count), count / 1e3)
    yield "\n" + _HEAD.format("abstracts in a file", "a thousand") + "\n" + "|---" * 11 + "|"
    yield from (_row(count, cost_abstracts(count), count / 1e3) for count in FILES)


def _row(count: int, cost: Cost, lots: float) -> str:
    parts = (cost.functions, cost.calls, cost.steps, cost.requests, cost.records, cost.logs, cost.metrics)
    cells = [*map(_dollars, (*parts, cost.whole, cost.whole / lots, cost.stored))]
    return f"| {count:,} | {' | '.join(cells)} |"


def _dollars(value: float) -> str:
    """Return dollars with three digits that count."""
    if not value:
        return ""
    places = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:,.{places}f}"


if __name__ == "__main__":
    print("\n".join(price_tables()))
