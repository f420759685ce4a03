"""Jobs through a service that fails, and what became of each: `python -m tests.chaos.running --seed 1 --jobs 1000`."""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from assay.errors import ObjectMissing
from assay.jobs.job_records import Job
from assay.jobs.steps import redrive
from tests.chaos.faults import Faults
from tests.chaos.files import File, again, file, rank_plainly, ranking
from tests.chaos.world import World, forget, world
from tests.conftest import TABLE

RATES: Final = (0.01, 0.05, 0.2)
CLASSIFIED: Final = "classification.jsonl"


@dataclass
class Outcomes:
    """What became of the jobs: counts by outcome, and what must not have happened, in words."""

    rate: float
    jobs: int = 0
    dropped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    wrong: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


def run(seed: int, jobs: int, rate: float, scratch: Path, first: int = 0) -> Outcomes:
    """Run so many jobs from the `first`, one after the other, and say what became of them."""
    faults, outcomes = Faults(seed, rate), Outcomes(rate)
    with world(faults, scratch) as place:
        for number in range(first, first + jobs):
            chance = random.Random(f"{seed} way {number}")
            files = _files(file(seed, number), chance)
            wanted = [_wanted(place, one) for one in files]
            faults.begin(str(number))
            events = _drop(place, files, chance)
            faults.on = False
            dead, place.dead = place.dead, []
            for event, one, right in zip(events, files, wanted, strict=True):
                _judge(place, one, event, [each for each in dead if each == event], right, outcomes)
            outcomes.dropped += len(events)
            outcomes.wrong += _misled(place, files[-1], events[-1])
        outcomes.wrong += [*place.broken, *_doubled(place, outcomes.dropped)]
    outcomes.jobs, outcomes.faults, outcomes.calls = jobs, faults.done, faults.calls
    return outcomes


def _files(one: File, chance: random.Random) -> list[File]:
    """Return what is dropped at one key: mostly a file, sometimes another one after it, sometimes a third."""
    files = [one]
    while chance.random() < 0.25 and len(files) < 3:
        files.append(again(files[-1]))
    return files


def _wanted(place: World, one: File) -> bytes:
    """Return the right results of a file: a ranking by the pure path, a classification by a service without faults."""
    if one.key.startswith("rank/"):
        return ranking(one)
    quiet = File(one.key.replace("chaos", "quiet"), one.body, one.options)
    event = place.put(quiet.key, quiet.body, dict(quiet.options))
    place.deliver(event, "quiet")
    place.settle()
    found = place.job(event)
    assert found is not None
    return _result(place, found)


def _drop(place: World, files: list[File], chance: random.Random) -> list[dict[str, Any]]:
    """Drop files at one key, their events delivered in any order; return the events in the order of the drops."""
    one = files[0]
    if chance.random() < 0.2:
        with suppress(Exception):  # a wish that failed is a 500 to its caller, who drops the file anyway
            place.desk().jobs.enqueue(one.key, one.key.partition("/")[0])
    place.faults.on = False
    events = [place.put(each.key, each.body, dict(each.options)) for each in files]
    place.faults.on = True
    for event in chance.sample(events, len(events)):
        _deliver(place, event, chance)
    place.settle()
    return events


def _deliver(place: World, event: dict[str, Any], chance: random.Random) -> None:
    """Deliver an event once, twice one after the other, or twice at once; sweep meanwhile."""
    way = chance.choice(["once", "once", "again", "at once"])
    if way == "at once":
        place.deliver_twice(event)
    else:
        place.deliver(event, "one")
    with suppress(Exception):  # its next run does it
        place.sweep(ahead=400)
    if way == "again":
        place.deliver(event, "two")


def _judge(
    place: World, one: File, event: dict[str, Any], dead: list[dict[str, Any]], wanted: bytes, outcomes: Outcomes
) -> None:
    """Note how a job ended; help it on as an operator would, and compare its results with those wanted."""
    how = "succeeded at once"
    job = place.job(event)
    if job is None or (job.state == "QUEUED" and dead):
        how = "event in the dead-letter queue, sent again"
        if not dead:
            outcomes.wrong.append(f"{one.key}: lost, neither a job nor a dead letter")
            return
        place.drain(dead[0])
        job = place.job(event)
    if job is not None and not job.finished:
        how = "stopped, swept, redriven"
        place.look(job)
        place.sweep()
        job = place.job(event)
    if job is not None and job.state == "FAILED":
        how = how if how.startswith("stopped") else "failed with a reason, redriven"
        job = _redriven(place, one, event, job, outcomes)
    outcomes.counts[how] += 1
    outcomes.wrong += [f"{one.key}: {each}" for each in (*_wrongs(place, job, wanted), *_miscounted(place, one, job))]


def _redriven(place: World, one: File, event: dict[str, Any], job: Job, outcomes: Outcomes) -> Job | None:
    place.look(job)
    outcomes.reasons[job.reason.rpartition(": ")[2][:60]] += 1
    if not job.reason:
        outcomes.wrong.append(f"{one.key}: failed without a reason")
    forget()
    redrive(place.desk(), job.id)
    place.settle()
    return place.job(event)


def _wrongs(place: World, job: Job | None, wanted: bytes) -> Iterator[str]:
    if job is None or job.state != "SUCCEEDED":
        yield f"ended as {job.state if job else 'nothing'}: {job.reason if job else ''}"
        return
    place.look(job)
    if _result(place, job) != wanted:
        yield "other results than those of one pass"
    told = place.desk().results.get(job.results["summary"], limit=1 << 20)
    if told is None or json.loads(told[0])["state"] != "SUCCEEDED":
        yield "its summary says otherwise"


def _miscounted(place: World, one: File, job: Job | None) -> Iterator[str]:
    """Yield what is wrong with what a job that succeeded tells of all its records: their spread, and its progress."""
    if job is None or job.state != "SUCCEEDED":
        return
    if job.kind == "rank" and job.histograms != rank_plainly(one).histograms:
        yield "other histograms than those of one pass"
    notes = place.desk().notes
    for shard, note in (notes.read(job) if notes else {}).items():
        if note.size > job.bytes or note.records > job.counts["received"]:
            yield f"shard {shard} noted more than there is"


def _misled(place: World, one: File, event: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong where the upload's pointer does not lead to the job of the last file of its key."""
    job = place.job(event)
    pointed = None
    with suppress(ObjectMissing):
        pointed = place.desk().results.get(f"by-upload/{one.key}.json", limit=1 << 20)
    if job is None or pointed is None or job.id.encode() not in pointed[0] or b"SUCCEEDED" not in pointed[0]:
        yield f"{one.key}: its upload points elsewhere"


def _result(place: World, job: Job) -> bytes:
    name = "ranking" if job.kind == "rank" else "classification"
    found = place.aws.results.get(job.results[name], limit=1 << 24)
    return found[0] if found else b""


def _doubled(place: World, dropped: int) -> Iterator[str]:
    """Yield the events that more than one job is about."""
    pages = place.aws.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
    items = (item for page in pages for item in page["Items"] if item["pk"]["S"].startswith("job#"))
    ours = (item for item in items if "/chaos/" in item.get("upload", {}).get("S", ""))
    found = Counter((item["upload"]["S"], item.get("identity", {}).get("S", "")) for item in ours)
    yield from (f"{key}: {count} jobs" for key, count in found.items() if count > 1)
    if len(found) != dropped:
        yield f"{dropped} files have {len(found)} jobs"


def told(outcomes: Outcomes) -> str:
    """Return outcomes as a row of a table and what lies behind it."""
    injected = sum(outcomes.faults.values())
    dropped = f"{outcomes.jobs} keys, {outcomes.dropped} files"
    lines = [f"{outcomes.rate:.0%} of calls: {dropped}, {outcomes.calls} calls, {injected} faults"]
    lines += [f"  {count:6} {how}" for how, count in outcomes.counts.most_common()]
    lines.append("  faults: " + ", ".join(f"{kind} {count}" for kind, count in sorted(outcomes.faults.items())))
    lines += [f"  reason {count:4} {reason}" for reason, count in outcomes.reasons.most_common(8)]
    return "\n".join([*lines, f"  wrong: {len(outcomes.wrong)}", *(f"    {each}" for each in outcomes.wrong[:20])])


def main() -> int:
    """Run at each rate and print what became of the jobs; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first job: the jobs of a seed are the same")
    parser.add_argument("--rates", type=float, nargs="*", default=RATES)
    options = parser.parse_args()
    wrong = 0
    for rate in options.rates:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            outcomes = run(options.seed, options.jobs, rate, Path(scratch), options.first)
        print(told(outcomes), f"  {time.monotonic() - began:.0f} s", sep="\n", flush=True)
        wrong += len(outcomes.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
