"""RankShardFunction: the lines of one shard become a partial ranking, its rejects, and its scores where wanted."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

from assay.aws.s3 import Bucket
from assay.files import cells, reading
from assay.files.cells import CellPart, Label
from assay.files.headers import header_bytes, line_of
from assay.files.manifest import Manifest
from assay.files.partial import ShardResult
from assay.files.rejects import RejectParts
from assay.files.steps import shard_step
from assay.models.pair import Scorers
from assay.options import RankOptions
from assay.ranking.ranker import OnScored, rank_blocks
from assay.ranking.ranking import Partial, PlacedRow, Row
from assay.ranking.top_k import weigh
from assay.sequences.blocks import Block
from assay.sequences.composition import tell_dna
from assay.sequences.contract import Contract
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.shards import Shard, Tally
from assay.telemetry import logger, observed, phase, rejected, scored
from assay.text.csv_rows import OpenRow
from assay.text.json_values import begin
from assay.text.records import NOT_FINITE, Reject
from rank.scores import ScoreParts
from rank.wiring import service


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the shard that the state machine names: `job_id`, `shard`."""
    logger.append_keys(shard=event["shard"])
    return shard_step(service().desk, event, work)


def work(manifest: Manifest, index: int) -> ShardResult:
    """Rank a shard with the models that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
    stack = service()
    pair = stack.pinned(manifest.models)
    with phase("rank"):
        result = ranked(manifest, index, stack.uploads, stack.results, pair, pair.contract)
    scored(result.counts.get("scored", 0))
    return result


def ranked(
    manifest: Manifest, index: int, uploads: Bucket, results: Bucket, pair: Scorers, contract: Contract
) -> ShardResult:
    """Rank a shard in constant memory; its rejects and scores are written as they are found."""
    options = RankOptions(**manifest.options)
    tally = Tally()
    blocks = read(manifest, manifest.shard(index), uploads, contract, tally)
    try:
        with RejectParts(results, manifest.job_id, index) as rejects, _scores(options, results, manifest, index) as add:
            partial = rank_blocks(
                blocks,
                pair.gate,
                pair.score,
                options,
                deduplicate=False,
                on_rejects=lambda found: _keep(rejects, found),
                on_scored=add,
                most=None
                if options.window
                else cells.MOST,  # windows share their line, by which they would be read again
            )
    except OpenRow:
        return ShardResult(index, manifest.pin, 0, {}, cut=True)
    rejected(rejects.reasons)
    part = CellPart(results, manifest.job_id, index)
    body = _set_apart(
        partial, part, lambda: read(manifest, manifest.shard(index), uploads, contract, Tally())
    ).to_body()
    counts, parts = body.pop("counts"), {**rejects.parts, **({cells.NAME: part.size} if part.size else {})}
    return ShardResult(index, manifest.pin, tally.lines, counts, parts, body, first=tally.first, size=tally.size)


def _set_apart(partial: Partial, part: CellPart, again: Callable[[], Iterator[Block]]) -> Partial:
    """Write ids and cells that are too large for a shard's result beside it, and return the ranking without them."""
    keys = [row.line for row in partial.rows] if partial.shed else range(len(partial.rows))
    if partial.shed:
        part.write(_labels(again(), {*keys}))
    elif weigh((row.id, row.extra) for row in partial.rows) > cells.INLINE:
        part.write((key, (row.id, row.extra)) for key, row in enumerate(partial.rows))
    else:
        return partial
    pairs = zip(keys, partial.rows, strict=True)
    rows: list[Row] = [
        PlacedRow(row.sequence, row.score, row.gate, row.line, None, (), part.places[key]) for key, row in pairs
    ]
    return replace(partial, rows=rows)


def _labels(blocks: Iterator[Block], lines: set[int]) -> Iterator[tuple[int, Label]]:
    """Yield the lines that are wanted and their labels."""
    for block in blocks:
        for at, line in enumerate(block.lines.tolist()):
            if line in lines:
                yield line, (block.ids[at] if block.ids else None, block.extra[at] if block.extra else ())


@contextmanager
def _scores(options: RankOptions, results: Bucket, manifest: Manifest, index: int) -> Iterator[OnScored | None]:
    """Yield what takes all scores, None where they are not wanted."""
    if options.output == "all":
        with ScoreParts(results, manifest.job_id, index) as parts:
            yield parts.add
    else:
        yield None


def read(manifest: Manifest, shard: Shard, uploads: Bucket, contract: Contract, tally: Tally) -> Iterator[Block]:
    """Yield a shard's blocks, lines numbered from 1; a CSV's shard reads the pinned header row before its own."""
    chunks = reading.text(uploads, manifest, shard, tally)
    options = RankOptions(**manifest.options)
    fmt = Format(manifest.format)
    headed = fmt is Format.CSV and bool(manifest.header) and shard.start > manifest.header_at
    head, chunks = begin(chunks)
    blocks = parse(
        chain([header_bytes(manifest.header)], chunks) if headed else chunks,
        fmt,
        options.lenient(contract),
        column=options.column,
        windows=options.windows,
        columns=tuple(json.loads(manifest.header)) if fmt is Format.JSONL else None,
        first_line=line_of(manifest.header) if headed else 1,
        begins=shard.index == 0,
        ends=shard.index == manifest.shards - 1,
    )
    return tell_dna(blocks, head, fmt, contract)


def _keep(parts: RejectParts, rejects: list[Reject]) -> None:
    """Sort rejects by who found them: parsing, in order of lines, or a model, some time later."""
    if rejects[0].reason == NOT_FINITE:
        parts.add_late(rejects)
    else:
        parts.add(rejects)
