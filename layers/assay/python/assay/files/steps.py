"""The steps of a file job, whatever its kind: plan, do a shard, merge."""

from collections.abc import Callable, Mapping
from typing import Any

from assay.files import layout
from assay.files.desk import Desk
from assay.files.failing import BLAMED, fail, settle, show
from assay.files.manifest import Manifest
from assay.files.merging import CutInRow, Join, Joined
from assay.files.partial import ShardResult
from assay.files.planning import Kind, Upload, plan, uncut

Work = Callable[[Manifest, int], ShardResult]
Event = Mapping[str, Any]
Reply = dict[str, Any]


def plan_step(desk: Desk, kind: Kind, event: Event) -> Reply:
    """Pin what a job is about; the reply tells the state machine where its shards are listed. Raises as `plan` does."""
    job_id = str(event["job_id"])
    manifest = plan(kind, job_id, Upload.from_json(event), desk.uploads, desk.results, desk.of_kind(kind.name).caps)
    desk.jobs.start(job_id, manifest.models, shards=manifest.shards)
    return {
        "job_id": job_id,
        "kind": kind.name,
        "bucket": desk.results.name,
        "items": layout.shards_key(job_id),
        "concurrency": desk.concurrency,
    }


def shard_step(desk: Desk, event: Event, work: Work) -> Reply:
    """Do one shard, unless its result is there already or the job has ended meanwhile (cancelled)."""
    job_id, shard = str(event["job_id"]), int(event["shard"])
    working = desk.working(job_id)
    manifest = working.manifest()
    if working.finished(shard, manifest.pin) is None and not _failed(desk, job_id):
        working.save(work(manifest, shard))
    return {}


def merge_step(desk: Desk, event: Event, join: Join) -> Reply:
    """Join the shards and end the job; `state` is SUCCEEDED, FAILED, or REPLANNED where the file could not be cut.

    The summary is written after all other results, so that there is none without them, and the record after it; where
    the record had ended meanwhile (cancelled, swept) it has the last word. Raises ShardFailed, Unaccounted.
    """
    job_id = str(event["job_id"])
    working = desk.working(job_id)
    manifest = working.manifest()
    if _failed(desk, job_id):
        return _settled(desk, job_id)
    try:
        joined = join(manifest, working)
    except CutInRow:
        return _replanned(desk, manifest)
    except BLAMED as error:
        return fail(desk, manifest, error)
    if joined.error is not None:
        return fail(desk, manifest, joined.error, joined.results)
    results = {**joined.results, "summary": layout.summary_key(job_id, manifest.kind)}
    said = summary(manifest, joined, results)
    if not desk.jobs.conclude(job_id) and _failed(desk, job_id):
        return _settled(desk, job_id)
    show(desk, results["summary"], said)
    if not desk.jobs.succeed(job_id, joined.counts, results) and _failed(desk, job_id):
        return _settled(desk, job_id)
    return _reply(job_id, "SUCCEEDED")


def _settled(desk: Desk, job_id: str) -> Reply:
    """Put right what a job that FAILED shows, and say that it did."""
    settle(desk, job_id)
    return _reply(job_id, "FAILED")


def summary(manifest: Manifest, joined: Joined, results: Mapping[str, str]) -> Reply:
    """Return what the summary of a job that SUCCEEDED says."""
    return {
        "job_id": manifest.job_id,
        "state": "SUCCEEDED",
        "upload": manifest.source.key,
        "bytes": manifest.source.size,
        "options": manifest.options,
        "counts": joined.counts,
        "models": manifest.models,
        **joined.said,
        "results": results,
    }


def _replanned(desk: Desk, manifest: Manifest) -> Reply:
    """Make the job one shard, its pins kept, since a row of its file goes on behind a cut."""
    try:
        desk.working(manifest.job_id).keep(uncut(manifest, desk.of_kind(manifest.kind).caps))
    except BLAMED as error:
        return fail(desk, manifest, error)
    desk.jobs.start(manifest.job_id, manifest.models, shards=1)
    return _reply(manifest.job_id, "REPLANNED")


def _failed(desk: Desk, job_id: str) -> bool:
    """Say whether a job has been given up meanwhile: cancelled, or swept."""
    job = desk.jobs.get(job_id)
    return job is not None and job.state == "FAILED"


def _reply(job_id: str, state: str) -> Reply:
    return {"job_id": job_id, "state": state}
