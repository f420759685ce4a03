"""Rank a file on this machine as a job of the service: plan, cut, rank the shards in parallel, join."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from assay.jobs.merging import CutInRow, Joined, collect_results
from assay.jobs.planning import Caps, Upload, as_one_shard, new_plan
from assay.jobs.rank_files import RankJobType
from assay.jobs.steps import success_summary
from assay.jobs.workspace import JobPlan, Workspace, result_key, summary_key
from assay.options import RankOptions
from tools.batch.worker import BatchRun, rank_and_keep
from tools.batch.workers import rank_shards
from tools.transfers import Bar

SMALLEST: Final = 4 << 20
"""Bytes of a shard that are worth a process: it takes a second to start."""
LARGEST: Final = 64 << 20
SHARDS_EACH: Final = 4
ENDLESS: Final = 1 << 62


def shard_bytes(size: int, processes: int) -> int:
    """Return how large shards are: a few for each process, so that all end at about the same time."""
    return min(max(-(-size // (SHARDS_EACH * processes)), SMALLEST), LARGEST)


def rank_file(desk: BatchRun, options: RankOptions, processes: int, largest: int | None = None) -> Mapping[str, Any]:
    """Rank a file; its results lie under `desk.results`, and what its summary says is returned.

    `largest` bounds the bytes of a shard. Raises AssayError, StrictReject, Lost, AWS's errors for an input in S3.
    """
    kind = desk.kind()
    uploads = desk.place.bucket()
    size = uploads.head(desk.place.key).size
    caps = Caps(min(largest or LARGEST, shard_bytes(size, processes)), ENDLESS, ENDLESS)
    plan = new_plan(kind, desk.job_id, Upload(desk.place.root, desk.place.key), uploads, caps, asdict(options))
    try:
        return _run(desk, plan, kind, processes)
    except CutInRow:
        return _run(desk, as_one_shard(plan, caps), kind, processes)


def _run(desk: BatchRun, plan: JobPlan, kind: RankJobType, processes: int) -> Mapping[str, Any]:
    working = desk.working
    working.keep(plan)
    with Bar("ranking", plan.source.size) as bar:
        if plan.shards > 1 and processes > 1:
            rank_shards(desk, range(plan.shards), processes, bar.add)
        else:
            for index in range(plan.shards):
                rank_and_keep(desk, kind, index, bar.add)
    return write_batch_summary(working, plan, kind.join(plan, working, collect_results(working, plan)))


def write_batch_summary(working: Workspace, plan: JobPlan, joined: Joined) -> Mapping[str, Any]:
    """Write the summary of a job done here, the last of its results, and return it."""
    prefix = result_key(working.job_id, "")
    said = success_summary(plan, joined, {name: key.removeprefix(prefix) for name, key in joined.results.items()})
    if joined.error is not None:
        said = {**said, "state": "FAILED", "reason": joined.error.message}
    _plain(Path(working.results.name) / prefix)
    body = json.dumps(said, ensure_ascii=False, indent=1).encode()
    working.results.put(summary_key(working.job_id, plan.kind), body, "application/json")
    return said


def _plain(folder: Path) -> None:
    """Have lists of parts name them by their place beside the list, not by the keys of a bucket."""
    for listed in (folder / "scores" / "manifest.json", folder / "rejected.json"):
        if listed.exists():
            text = listed.read_text(encoding="utf-8").replace(f"results/{folder.name}/", "")
            listed.write_text(text, encoding="utf-8")
