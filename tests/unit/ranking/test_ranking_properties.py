import json
import math
from collections.abc import Iterable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assay.jobs.byte_ranges import cut_ranges, own_lines
from assay.options import RankOptions
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import Counts, PartialRanking, RankedRow, merge
from assay.sequences.contract import Windows
from assay.sequences.formats import Format
from assay.sequences.parsing import parse
from assay.text.records import Limits, Reject
from tests.unit import reference
from tests.unit.reference import SMALL, Fake, count_lines, flat
from tests.unit.strategies import chunked, documents, fasta_documents, line_documents

FINE = Limits(block_bytes=16, block_records=3, record_bytes=60)
options = st.builds(RankOptions, top_k=st.integers(1, 6), threshold=st.sampled_from([-1.0, 0.0, 0.1, 2.0]))


def gate(text: str) -> float:
    return {"AAA": 0.1, "CCC": math.nan, "DDD": -math.inf}.get(text, text.count("A") - 1.0)


def score(text: str) -> float:
    return {"AAC": math.nan, "ADD": -0.0, "DAA": 0.0}.get(text, (text.count("D") - text.count("C")) * 0.1)


def ranked(
    chunks: Iterable[bytes],
    choice: RankOptions,
    *,
    deduplicate: bool = False,
    begins: bool = True,
    fmt: Format = Format.LINES,
    windows: Windows | None = None,
) -> PartialRanking:
    rejects: list[Reject] = []
    blocks = parse(chunks, fmt, SMALL, begins=begins, windows=windows, limits=FINE)
    models = Fake(gate), Fake(score, batch=4)
    partial = rank_blocks(blocks, *models, choice, deduplicate=deduplicate, on_rejects=rejects.extend)
    assert len(rejects) == partial.counts.rejected
    return partial


def values(rows: Iterable[RankedRow]) -> list[tuple[str, float, float, int]]:
    return [(row.sequence, float(np.float32(row.score)), float(np.float32(row.gate)), row.line) for row in rows]


dense = st.lists(
    st.text("ACD", min_size=3, max_size=3).map(str.encode) | st.sampled_from([b"AC", b"", b"AAD", b"ADD"]), max_size=40
).map(b"\n".join)


@given(chunked(dense), options, st.booleans())
def test_ranking_agrees_with_sorting_everything(
    pair: tuple[bytes, list[bytes]], choice: RankOptions, deduplicate: bool
) -> None:
    partial = ranked(pair[1], choice, deduplicate=deduplicate)
    records = reference.parse_lines(pair[0], SMALL, FINE)
    rows, counts = reference.rank(records, gate, score, choice, deduplicate=deduplicate)
    assert values(partial.rows) == rows
    assert partial.counts == counts
    assert counts.received == counts.scored + counts.rejected + counts.duplicates


@given(dense | line_documents, st.integers(1, 40), options)
def test_a_split_merged_is_the_whole(data: bytes, shard_bytes: int, choice: RankOptions) -> None:
    lines, partials = 0, []
    for shard in cut_ranges(len(data), shard_bytes, splittable=True):
        part = list(own_lines([data[shard.read_from :]], shard))
        partials.append(ranked(part, choice, begins=not shard.index).shift(lines))
        lines += count_lines(part)
    assert merge(partials, choice.top_k) == ranked([data], choice)


@given(documents | fasta_documents, st.integers(1, 40), options, st.integers(1, 8))
def test_a_split_fasta_merged_is_the_whole(data: bytes, shard_bytes: int, choice: RankOptions, step: int) -> None:
    lines, taken, partials = 0, [], []
    for shard in cut_ranges(len(data), shard_bytes, splittable=True):
        chunks = (data[at : at + step] for at in range(shard.read_from, len(data), step))
        part = list(own_lines(chunks, shard, b">"))
        partials.append(ranked(part, choice, begins=not shard.index, fmt=Format.FASTA).shift(lines))
        lines += count_lines(part)
        taken += part
    assert b"".join(taken) == data
    assert merge(partials, choice.top_k) == ranked([data], choice, fmt=Format.FASTA)


@given(fasta_documents, st.integers(1, 40))
def test_rejects_of_a_split_fasta_have_the_lines_of_the_whole(data: bytes, shard_bytes: int) -> None:
    line, rejects = 1, []
    for shard in cut_ranges(len(data), shard_bytes, splittable=True):
        part = list(own_lines([data[shard.read_from :]], shard, b">"))
        for block in parse(part, Format.FASTA, SMALL, first_line=line, limits=FINE):
            rejects += block.rejects
        line += count_lines(part)
    assert rejects == [each for block in parse([data], Format.FASTA, SMALL, limits=FINE) for each in block.rejects]


@given(chunked(line_documents), st.integers(1, 40))
def test_shards_hold_each_line_once(pair: tuple[bytes, list[bytes]], shard_bytes: int) -> None:
    data, chunks = pair
    taken = []
    for shard in cut_ranges(len(data), shard_bytes, splittable=True):
        left = shard.read_from
        rest = []
        for chunk in chunks:
            rest.append(chunk[left:])
            left = max(left - len(chunk), 0)
        part = list(own_lines(rest, shard))
        assert count_lines(part) == len(reference.split_lines(b"".join(part)))
        taken.append(b"".join(part))
    assert b"".join(taken) == data
    assert sum(len(flat(parse([part], Format.LINES, SMALL, first_line=2))) for part in taken) == count_lines([data])


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
rows = st.builds(
    RankedRow, st.text("ACD", min_size=1), floats, floats, st.integers(1), st.none() | st.text(), st.just(("é", ""))
)


@given(st.builds(PartialRanking, st.lists(rows), st.builds(Counts, received=st.integers(0)), st.just(("a", "b"))))
def test_partials_survive_json(partial: PartialRanking) -> None:
    assert repr(PartialRanking.from_body(json.loads(json.dumps(partial.to_body())))) == repr(partial)
