"""A job cancelled at one of its calls to AWS, its function killed some calls later, and tried again: all must agree."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from assay.errors import Conflict, NotFound
from assay.jobs.ending import cancel
from assay.jobs.job_records import Job
from tests.chaos.faults import Faults, Killed
from tests.chaos.files import File
from tests.chaos.world import World, forget, world
from tests.events import Context
from tests.load.samples import RESIDUES

LINES: Final = [RESIDUES + RESIDUES[: 30 - at] + RESIDUES[:at] for at in range(4)] + ["MKV"]
BODY: Final = "".join(f"{each}\n" for each in LINES).encode()
TRIES: Final = 2


class Script:
    """Cancels the job after its call `at`, kills the function `after` calls later; 0 for never. Counts the calls."""

    def __init__(self, place: World, event: dict[str, Any], at: int, after: int) -> None:
        self.calls = 0
        self._place, self._event, self._at, self._after = place, event, at, after

    def __call__(self, _: str) -> None:
        self.calls += 1
        if self.calls == self._at:
            self._cancel()
        if self._after and self.calls == self._at + self._after:
            raise Killed("exit status 137")

    def _cancel(self) -> None:
        self._place.faults.on = False
        job = self._place.job(self._event)
        try:
            if job:
                cancel(self._place.desk(), job.id)
        except (Conflict, NotFound):
            pass
        self._place.faults.on = True


def cancelled(place: World, number: int, at: int, after: int) -> tuple[int, list[str]]:
    """Cancel one job so; return how many calls its first try made, and in what words the end is wrong."""
    file = File(f"rank/cancelled/{number}.txt", BODY)
    event = place.put(file.key, file.body, dict(file.options))
    place.faults.begin(str(number))
    place.faults.seen = script = Script(place, event, at, after)
    try:
        place.uploads["rank"](event, Context("one"))
    except Exception:
        forget()
    place.faults.seen = lambda _: None
    for _ in range(TRIES):
        place.uploads["rank"](event, Context("one"))
    place.faults.on = False
    return script.calls, [f"cancelled at {at}, killed {after} later: {each}" for each in wrongs(place, event, file.key)]


def wrongs(place: World, event: dict[str, Any], key: str) -> Iterator[str]:
    """Yield where record, summary and pointer of a job disagree, before it is swept and after."""
    for when in ("at once", "once it was swept"):
        job = place.job(event)
        assert job is not None
        yield from (f"{when}: {each}" for each in _disagreements(place, job, key))
        place.sweep()
    if list(place.desk().jobs.live(-1)):
        yield "it is among the live ones for good"


def _disagreements(place: World, job: Job, key: str) -> Iterator[str]:
    summary, pointer = (_read(place, each) for each in (f"results/{job.id}/ranking.json", f"by-upload/{key}.json"))
    states = (job.state, summary.get("state"), pointer.get("state"))
    if len(set(states)) > 1 or not job.finished:
        yield f"record, summary and pointer say {states}"
    if job.state == "FAILED" and (job.reason, summary["error"]["message"]) != ("cancelled", "cancelled"):
        yield f"it failed for {job.reason!r}, and its summary says {summary['error']}"
    if job.state == "FAILED" and dict(job.results) != {"summary": f"results/{job.id}/ranking.json"}:
        yield f"it lists {job.results}"


def _read(place: World, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place.aws.results.get(key, limit=1 << 20) or (b"{}", ""))[0])
    return found


def everywhere(scratch: Path, afters: range, step: int = 1) -> tuple[int, list[str]]:
    """Cancel at every `step`-th call of a job, with every kill; return how many runs there were and what is wrong."""
    faults = Faults(1, 0.0)
    with world(faults, scratch) as place:
        runs, wrong = 0, list[str]()
        calls, _ = cancelled(place, 0, 0, 0)
        for at in range(1, calls + 1, step):
            for after in afters:
                runs += 1
                wrong += cancelled(place, runs, at, after)[1]
    return runs, wrong
