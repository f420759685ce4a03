"""How long and how dear a file of any size is on AWS, simulated: `python -m benchmarks.scaling [--help]`.

Shards go to functions as a Distributed Map hands them out: no faster than it starts children, no more at once than the
map, the account and Lambda's ramp allow. A shard takes as long as the slower of reading and computing, which overlap.
Rates are measured (benchmarks/results/), limits are AWS's documented defaults, prices list prices; all are parameters.

`--throttled` shows an account that has fewer functions than a job has shards: Lambda refuses calls, and the state
machine tries again after random pauses. There is no queue: the first call after a function ends gets it.
"""

import argparse
import heapq
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from tools.deploy import prices

BYTES: Final = 51
"""Of a sequence of 50 residues and its line end."""
SIZES: Final = (10**6, 10**8, 10**9)
MACHINE: Final = Path(__file__).parent.parent / "statemachines" / "rank_file.asl.json"
NEW_ACCOUNT: Final = 10
"""Functions that a new account may run at once."""
SLOW: Final = ((200, 16.0), (200, 60.0), (200, 96.0), (100, 300.0), (40, 780.0), (2000, 780.0))
"""Jobs by shards and seconds of a shard: the ranking as it ships, then models ever slower."""
AT_ONCE: Final = ((100, 60), (100, 1000), (100, 0), (6, 0))
"""What is compared: shards at once, and how often a refused call is tried again, 0 for what the state machine says."""


@dataclass(frozen=True, slots=True)
class World:
    """What the simulation stands on: measured rates, AWS's limits, prices in dollars."""

    sequences_per_vcpu: float = 110_000  # per second; docs/scaling.md, half of two cores
    memory_mb: int = 3008  # RankMemory
    mb_per_vcpu: int = 1769
    s3_mb_per_second: float = 75  # of one connection
    shard_mb: int = 64  # ShardMegabytes
    at_once: int = 100  # ShardConcurrency of an account with 1,000 functions
    account: int = 1000  # functions at once; new accounts: 10
    ramp: int = 1000  # functions more every 10 seconds
    start_seconds: float = 1.2  # a function's start, models fetched
    step_seconds: float = 0.2  # what the state machine adds to each shard; assumed
    children_per_second: float = 100  # that the map starts; assumed
    plan_seconds: float = 1.5
    merge_seconds: float = 1.5  # beside the partials
    partial_seconds: float = 0.004  # of merging, to fetch a shard's result, eight at a time
    row_seconds: float = 30e-6  # of merging, for each row of a shard's result; measured on a busy machine
    top_k: int = 100
    read_mb: int = 8  # of one ranged GET
    get_limit: int = 5500  # GETs a second for one prefix of S3
    dollars_gb_second: float = prices.LAMBDA_GB_SECOND
    dollars_request: float = prices.LAMBDA_CALL
    dollars_transition: float = prices.TRANSITION
    transitions_shard: int = 2
    transitions_job: int = 8
    dollars_get: float = prices.S3_GET
    dollars_put: float = prices.S3_PUT

    @property
    def vcpus(self) -> float:
        """How many a function has."""
        return self.memory_mb / self.mb_per_vcpu


@dataclass(frozen=True, slots=True)
class Run:
    """What one file takes: shards, functions at once, seconds, dollars, GETs a second, and what it waits for.

    `function_seconds` are those of all functions together.
    """

    sequences: int
    shards: int
    busy: int
    seconds: float
    dollars: float
    gets_per_second: float
    waits: str
    function_seconds: float


def shard_seconds(world: World, megabytes: float) -> float:
    """Return how long a warm function works on a shard."""
    compute = megabytes * 1e6 / BYTES / (world.sequences_per_vcpu * world.vcpus)
    return max(compute, megabytes / world.s3_mb_per_second) + world.step_seconds


def map_shards(world: World, works: Sequence[float]) -> tuple[float, int]:
    """Return how long the map takes for shards of so many seconds each, and how many functions it had at most."""
    free: list[float] = []
    ended = 0.0
    allowed = min(world.at_once, world.account)
    for index, work in enumerate(works):
        handed = index / world.children_per_second
        if free and (free[0] <= handed or len(free) >= allowed):
            began, start = max(heapq.heappop(free), handed), 0.0
        else:
            began, start = max(handed, 10.0 * (len(free) // world.ramp)), world.start_seconds
        heapq.heappush(free, began + start + work)
        ended = max(ended, began + start + work)
    return ended, len(free)


def simulate(world: World, sequences: int) -> Run:
    """Return what a file of so many sequences takes."""
    megabytes = sequences * BYTES / 1e6
    shards = math.ceil(megabytes / world.shard_mb)
    sizes = [float(world.shard_mb)] * (shards - 1) + [megabytes - world.shard_mb * (shards - 1)]
    works = [shard_seconds(world, size) for size in sizes]
    mapping, busy = map_shards(world, works)
    merging = world.merge_seconds + shards * (world.partial_seconds + world.top_k * world.row_seconds)
    whole = works[0] + world.start_seconds if shards == 1 else world.plan_seconds + mapping + merging
    gets = sum(math.ceil(size / world.read_mb) for size in sizes) + shards
    working = whole if shards == 1 else sum(works) + busy * world.start_seconds + merging + world.plan_seconds
    dollars = _dollars(world, working, shards, gets)
    parts = {
        "computing": sum(works) / busy,
        "starts and ramp": world.start_seconds + 10.0 * ((busy - 1) // world.ramp),
        "handing out shards": shards / world.children_per_second,
        "merging": merging,
    }
    rate = gets / mapping
    waits = "S3's requests" if rate > world.get_limit else max(parts, key=lambda name: parts[name])
    return Run(sequences, shards, busy, whole, dollars, rate, waits, working)


def _dollars(world: World, busy_seconds: float, shards: int, gets: int) -> float:
    functions = busy_seconds * world.memory_mb / 1024 * world.dollars_gb_second + (shards + 3) * world.dollars_request
    steps = (world.transitions_shard * shards + world.transitions_job) if shards > 1 else 0
    return functions + steps * world.dollars_transition + gets * world.dollars_get + 2 * shards * world.dollars_put


@dataclass(frozen=True, slots=True)
class Retrier:
    """How a step that Lambda refuses is tried again: first pause in seconds, its growth and bound, and how often."""

    interval: float
    rate: float
    longest: float
    attempts: int

    def pause(self, refusals: int, chance: float) -> float:
        """Return the seconds before the next attempt: a part, given by chance (0 to 1), of what has grown so far."""
        return chance * min(self.longest, self.interval * self.rate ** min(refusals, 100))


@dataclass(frozen=True, slots=True)
class Contest:
    """What became of a job: seconds to its end, calls refused, share of the time in which no function was free."""

    failed: bool
    seconds: float
    refused: int
    starved: float


def read_retrier(path: Path = MACHINE) -> Retrier:
    """Return what the state machine does for a shard that Lambda refuses."""
    states: dict[str, Any] = json.loads(path.read_text("utf-8"))["States"]
    shard = states["RankShards"]["ItemProcessor"]["States"]["RankShard"]
    [said] = [each for each in shard["Retry"] if "Lambda.TooManyRequestsException" in each["ErrorEquals"]]
    return Retrier(said["IntervalSeconds"], said["BackoffRate"], said["MaxDelaySeconds"], said["MaxAttempts"])


def contend(shards: int, work: float, at_once: int, slots: int, retrier: Retrier, seed: int = 1) -> Contest:
    """Return what becomes of so many shards of `work` seconds, `at_once` of them begun, where `slots` functions run."""
    chance = random.Random(seed)
    # What happens next: when, which shard, and how often its call was refused so far, -1 where its function ends.
    coming = [(chance.random(), each, 0) for each in range(min(at_once, shards))]
    heapq.heapify(coming)
    begun, busy, refused, full, now = len(coming), 0, 0, 0.0, 0.0
    while coming:
        before, (now, each, refusals) = now, heapq.heappop(coming)
        full += (now - before) * (busy >= slots)
        if refusals < 0:
            busy -= 1
            if begun < shards:
                heapq.heappush(coming, (now + chance.random(), begun, 0))
                begun += 1
        elif busy < slots:
            busy += 1
            heapq.heappush(coming, (now + work, each, -1))
        elif refusals >= retrier.attempts:
            return Contest(True, now, refused, full / now)
        else:
            refused += 1
            heapq.heappush(coming, (now + retrier.pause(refusals, chance.random()), each, refusals + 1))
    return Contest(False, now, refused, full / now)


def throttled_lines(world: World, slots: int = NEW_ACCOUNT) -> list[str]:
    """Return the table of slow jobs in an account of so many functions, by shards at once and attempts."""
    head = f"{'shards':>8}{'s each':>8}{'at once':>9}{'attempts':>10}{'ends after':>18}{'refused':>9}{'dollars':>9}"
    found, now = [f"{head}  no function free"], read_retrier()
    for shards, work in SLOW:
        for at_once, attempts in AT_ONCE:
            kept = replace(now, attempts=attempts or now.attempts)
            run = contend(shards, work, at_once, slots, kept)
            ends = f"{'FAILED ' * run.failed}{_clock(run.seconds)}"
            dollars = run.refused * world.dollars_transition
            shown = (
                f"{shards:>8,}{work:>8.0f}{at_once:>9}{kept.attempts:>10,}{ends:>18}{run.refused:>9,}{dollars:>9.2f}"
            )
            found.append(f"{shown}  {run.starved:.0%} of the time")
    return found


def _clock(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def write_tables(world: World, sizes: Sequence[int]) -> list[str]:
    """Return the tables: each size at 10, the map's and the account's functions; the largest by shards and top-k."""
    head = f"{'sequences':>14}{'shards':>8}{'at once':>9}{'time':>10}{'dollars':>10}{'GET/s':>7}  waits for"
    found = [head]
    for size in sizes:
        found += [_line(simulate(replace(world, at_once=each), size)) for each in (10, world.at_once, world.account)]
    wide = replace(world, at_once=world.account)
    found += ["", f"up to {world.account} at once, by MB of a shard (16, 64, 256):", head]
    found += [_line(simulate(replace(wide, shard_mb=shard_mb), max(sizes))) for shard_mb in (16, 64, 256)]
    found += ["", f"up to {world.account} at once, by top-k (100, 1,000, 10,000):", head]
    found += [_line(simulate(replace(wide, top_k=top_k), max(sizes))) for top_k in (100, 1000, 10_000)]
    return found


def _line(run: Run) -> str:
    minutes, seconds = divmod(round(run.seconds), 60)
    clock = f"{minutes} min {seconds:02}" if minutes else f"{seconds} s"
    shown = f"{run.sequences:>14,}{run.shards:>8,}{run.busy:>9,}{clock:>10}{run.dollars:>10.4f}"
    return f"{shown}{run.gets_per_second:>7,.0f}  {run.waits}"


def main() -> None:
    """Read the parameters, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--throttled", action="store_true", help="slow jobs in an account of 10 functions instead")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="sequences")
    for each in fields(World):
        kind = type(each.default)
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=kind, default=each.default)
    options = parser.parse_args()
    world = World(**{each.name: getattr(options, each.name) for each in fields(World)})
    if options.throttled:
        print("\n".join(throttled_lines(world)))
        return
    print(f"{world.shard_mb} MB a shard: {shard_seconds(world, world.shard_mb):.1f} s on {world.vcpus:.1f} vCPUs")
    print("\n".join(write_tables(world, options.sizes)))


if __name__ == "__main__":
    main()
