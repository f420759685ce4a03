"""Files of sequences as a kind of job: their options and formats, the partial ranking of a shard, the ranking."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any, Final

from assay.aws.s3 import Bucket, Writer
from assay.errors import StrictReject
from assay.jobs import large_cells, rejects, shard_bytes
from assay.jobs.byte_ranges import Shard, Tally
from assay.jobs.large_cells import CellPart, Label
from assay.jobs.merging import Joined
from assay.jobs.planning import FileShape, header_bytes, line_of, table_shape
from assay.jobs.rejects import Piece, RejectParts
from assay.jobs.score_files import ScoreParts, part_keys
from assay.jobs.workspace import JobPlan, PinnedModels, ShardResult, Source, Workspace, result_key
from assay.models.model_choice import Scorers
from assay.options import RANKING, RankOptions, read_metadata
from assay.ranking.ranker import rank_blocks, reference_of, weigh
from assay.ranking.ranking import (
    PartialRanking,
    PlacedRow,
    RankedRow,
    label_row,
    merge,
    place_row,
    ranking_csv,
    require_no_rejects,
    with_row_notices,
)
from assay.sequences.blocks import Block
from assay.sequences.composition import tell_dna
from assay.sequences.contract import Contract
from assay.sequences.formats import Format, sniff_format
from assay.sequences.json_items import fields_of
from assay.sequences.parsing import parse
from assay.telemetry import count_rejected, count_scored, phase
from assay.text.csv_rows import OpenRow
from assay.text.packing import split_head


def rank_shard(manifest: JobPlan, index: int, uploads: Bucket, working: Workspace, pair: Scorers) -> ShardResult:
    """Rank a shard in constant memory; its rejects and scores are written as they are found."""
    options = RankOptions(**manifest.options)
    contract, shard, pin = pair.contract, manifest.shard(index), manifest.pin
    tally = working.begin_tally(index)
    blocks = tally.pass_blocks(read_shard_blocks(manifest, shard, uploads, contract, tally, options))
    wanted = options.output == "all"
    scores = ScoreParts(working.results, working.job_id, index, reference_of(pair.score)) if wanted else nullcontext()
    try:
        with RejectParts(working, index) as rejects, scores as taker:
            partial = rank_blocks(
                blocks,
                pair.gate,
                pair.score,
                options,
                deduplicate=False,
                on_rejects=rejects.add,
                on_scored=taker.add if taker else None,
                most=None
                if options.window
                else large_cells.MOST,  # windows share their line, by which they would be read again
            )
    except OpenRow:
        return ShardResult(index, pin, 0, {}, cut=True)
    if partial.shed or weigh((row.id, row.extra) for row in partial.rows) > large_cells.INLINE:
        part = CellPart(working, index)
        again = read_shard_blocks(manifest, shard, uploads, contract, Tally(), options) if partial.shed else iter(())
        partial = _set_apart(partial, part, again)
        rejects.parts[large_cells.NAME] = part.size
    body = partial.to_body()
    counts, parts = body.pop("counts"), rejects.parts
    result = ShardResult(index, pin, tally.lines, counts, parts, body, first=tally.first, size=tally.size)
    count_rejected(rejects.reasons)
    return result


def _set_apart(partial: PartialRanking, part: CellPart, again: Iterator[Block]) -> PartialRanking:
    """Write ids and cells that are too large for a shard's result beside it, and return the ranking without them.

    Those of a ranking that shed them are in the blocks that are read `again`.
    """
    keys = [row.line for row in partial.rows] if partial.shed else range(len(partial.rows))
    if partial.shed:
        part.write(_labels(again, {*keys}))
    else:
        part.write((key, (row.id, row.extra)) for key, row in enumerate(partial.rows))
    pairs = zip(keys, partial.rows, strict=True)
    rows: list[RankedRow] = [place_row(label_row(row, None, ()), part.places[key]) for key, row in pairs]
    return replace(partial, rows=rows)


def _labels(blocks: Iterator[Block], lines: set[int]) -> Iterator[tuple[int, Label]]:
    """Yield the lines that are wanted and their labels."""
    for block in blocks:
        for at, line in enumerate(block.lines.tolist()):
            if line in lines:
                yield line, (block.ids[at] if block.ids else None, block.extra[at] if block.extra else ())


def read_shard_blocks(
    manifest: JobPlan, shard: Shard, uploads: Bucket, contract: Contract, tally: Tally, options: RankOptions
) -> Iterator[Block]:
    """Yield a shard's blocks, lines numbered from 1; a CSV's shard reads the pinned header row before its own."""
    windows, lenient = options.windows, options.lenient(contract)
    chunks = shard_bytes.read_shard(uploads, manifest, shard, tally)
    fmt = Format(manifest.format)
    headed = fmt is Format.CSV and bool(manifest.header) and shard.start > manifest.header_at
    head, chunks = split_head(chunks)
    blocks = parse(
        chain([header_bytes(manifest.header)], chunks) if headed else chunks,
        fmt,
        lenient,
        column=options.column,
        windows=windows,
        columns=tuple(json.loads(manifest.header)) if fmt is Format.JSONL else None,
        first_line=line_of(manifest.header) if headed else 1,
        begins=shard.index == 0,
        ends=shard.index == manifest.shards - 1,
    )
    return tell_dna(blocks, head, fmt, contract)


@dataclass(frozen=True, slots=True)
class RankJobType:
    """Ranking; `models` says which gate and score model serve now for a job's options, `load` has those of a plan."""

    models: Callable[[Mapping[str, Any]], PinnedModels]
    load: Callable[[PinnedModels], Scorers]
    name: str = "rank"

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Return all options. Raises InvalidOption."""
        return asdict(RankOptions(**read_metadata(metadata, RANKING)))

    def shape(self, head: bytes, source: Source, options: Mapping[str, Any]) -> FileShape:
        """Say how a file is read. A CSV's cut is safe where no row goes on behind a line end; shards look again."""
        fmt = sniff_format(head, source.content_type, source.key.rpartition("/")[2], options["column"])
        if fmt is Format.CSV:
            return table_shape(head)
        if fmt is Format.JSON:
            return FileShape(fmt.value, False, why="it is one JSON document")
        if fmt is Format.JSONL:
            return FileShape(fmt.value, True, json.dumps(fields_of(head, options["column"])))
        if fmt is Format.WRAPPED:
            return FileShape(fmt.value, False, why="its sequences continue over several lines")
        if fmt not in (Format.LINES, Format.FASTA):
            return FileShape(fmt.value, False)
        return FileShape(fmt.value, True)

    def work(self, plan: JobPlan, index: int, uploads: Bucket, working: Workspace) -> ShardResult:
        """Rank a shard with the models that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
        pair = self.load(plan.models)
        with phase("rank"):
            result = rank_shard(plan, index, uploads, working, pair)
        count_scored(result.counts.get("scored", 0))
        return result

    def join(self, plan: JobPlan, working: Workspace, shards: Iterable[ShardResult]) -> Joined:
        """Write ranking.csv, the rejects, and the list of score files. Raises Unaccounted."""
        options = RankOptions(**plan.options)
        pieces: list[Piece] = []
        whole = with_row_notices(merge(_partials(shards, pieces), options.top_k))
        results = {"rejected": rejects.write_rejects(working, pieces)}
        counts = asdict(whole.counts)
        said = {"notices": [each.to_body() for each in whole.notices], "histograms": whole.histograms}
        try:
            require_no_rejects(options, whole.counts)
        except StrictReject as error:
            return Joined(counts, results, said, error)
        results["ranking"] = _write_ranking(working, whole)
        if options.output == "all":
            results["scores"] = _list_score_files(working, pieces)
        return Joined(counts, results, said)


_CSV: Final = "text/csv; charset=utf-8"


def _partials(found: Iterable[ShardResult], pieces: list[Piece]) -> Iterator[PartialRanking]:
    """Yield partial rankings with lines of the whole file; note in `pieces` what else the shards left."""
    lines = 0
    for result in found:
        counts = result.counts
        pieces.append(Piece(result.shard, lines, counts["rejected"], counts["passed"], dict(result.parts)))
        yield PartialRanking.from_body({**result.body, "counts": counts}).shift(lines)
        lines += result.lines


def _write_ranking(working: Workspace, whole: PartialRanking) -> str:
    key = result_key(working.job_id, "ranking.csv")
    with Writer(working.results, key, _CSV) as writer:
        placed = any(isinstance(row, PlacedRow) for row in whole.rows)
        for text in ranking_csv(whole, large_cells.fill_cells(working, whole.rows) if placed else None):
            writer.write(text.encode())
    return key


def _list_score_files(working: Workspace, pieces: list[Piece]) -> str:
    """Write which score files there are: rows, and the line of the file that is line 1 of each."""
    parts = [
        {**part_keys(working.job_id, piece.shard), "rows": piece.passed, "first_line": piece.lines_before + 1}
        for piece in pieces
    ]
    key = result_key(working.job_id, "scores/manifest.json")
    working.results.put(key, json.dumps({"parts": parts}, indent=1).encode(), "application/json")
    return key
