"""RankMergeFunction: partial rankings become the job's results; shards and jobs that gave up are written down."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from assay.aws.s3 import Writer
from assay.errors import StrictReject
from assay.files import abstracts, cells, rejects
from assay.files.failing import fail_step, note_step
from assay.files.layout import result_key
from assay.files.manifest import Manifest
from assay.files.merging import Join, Joined, collected
from assay.files.partial import ShardResult
from assay.files.rejects import Piece
from assay.files.steps import merge_step
from assay.files.working import Working
from assay.options import RankOptions
from assay.ranking.ranking import Partial, hold_strict, merge, with_simple
from assay.ranking.ranking_csv import ranking_csv
from assay.telemetry import observed
from rank.scores import part_keys
from rank.wiring import service

_CSV: Final = "text/csv; charset=utf-8"


def join(manifest: Manifest, working: Working) -> Joined:
    """Write ranking.csv, the rejects, and the list of score files. Raises ShardFailed, CutInRow."""
    options = RankOptions(**manifest.options)
    pieces: list[Piece] = []
    whole = with_simple(merge(_partials(collected(working, manifest), pieces), options.top_k))
    results = {"rejected": rejects.write(working, pieces)}
    counts = asdict(whole.counts)
    said = {"notices": [each.to_body() for each in whole.notices]}
    try:
        hold_strict(options, whole.counts)
    except StrictReject as error:
        return Joined(counts, results, said, error)
    results["ranking"] = _ranking(working, whole)
    if options.output == "all":
        results["scores"] = _scores(working, pieces)
    return Joined(counts, results, said)


def _partials(found: Iterator[ShardResult], pieces: list[Piece]) -> Iterator[Partial]:
    """Yield partial rankings with lines of the whole file; note in `pieces` what else the shards left."""
    lines = 0
    for result in found:
        counts = result.counts
        pieces.append(Piece(result.shard, lines, counts["rejected"], counts["passed"], dict(result.parts)))
        yield Partial.from_body({**result.body, "counts": counts}).shifted(lines)
        lines += result.lines


def _ranking(working: Working, whole: Partial) -> str:
    key = result_key(working.job_id, "ranking.csv")
    with Writer(working.results, key, _CSV) as writer:
        for text in ranking_csv(whole, cells.fill(working, whole.rows)):
            writer.write(text.encode())
    return key


def _scores(working: Working, pieces: list[Piece]) -> str:
    """Write which score files there are: rows, and the line of the file that is line 1 of each."""
    parts = [
        {**part_keys(working.job_id, piece.shard), "rows": piece.passed, "first_line": piece.lines_before + 1}
        for piece in pieces
    ]
    key = result_key(working.job_id, "scores/manifest.json")
    working.results.put(key, json.dumps({"parts": parts}, indent=1).encode(), "application/json")
    return key


JOINS: Final[Mapping[str, Join]] = {"rank": join, "classify": abstracts.join}
"""How each kind of job is joined."""
_STEPS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {"note": note_step, "fail": fail_step}


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Merge a job; with `step` `note` write down a shard's failure, with `fail` the job's."""
    desk = service().desk
    if step := _STEPS.get(event.get("step", "")):
        return step(desk, event)
    return merge_step(desk, event, JOINS[event["kind"]])
