"""Files for chaos: of every kind, good and bad lines mixed, and the results that are right for them."""

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from assay.models.loading import SequenceScorer, load_folder
from assay.options import RankOptions
from assay.ranking.ranker import rank_blocks
from assay.ranking.ranking import PartialRanking, ranking_csv
from assay.sequences.formats import sniff_format
from assay.sequences.parsing import parse
from assay.text.compression import gunzip
from tests.conftest import DATA
from tests.load.samples import abstract, sequence

OPEN: Final = {"threshold": "-1000000"}


@dataclass(frozen=True, slots=True)
class File:
    """A file to drop: its key, content and options."""

    key: str
    body: bytes
    options: Mapping[str, str] = field(default_factory=lambda: OPEN)


def _record(chance: random.Random) -> str:
    good = sequence(chance)
    return chance.choice([good, good, good, good.lower(), good[1:], "MKV", f"{good[:-1]}Z", "Ä" * 50])


def _lines(chance: random.Random) -> tuple[str, bytes]:
    found = [chance.choice([_record(chance), ""]) for _ in range(chance.randint(1, 70))]
    return "txt", "".join(f"{each}\n" for each in found).encode()


def _fasta(chance: random.Random) -> tuple[str, bytes]:
    records = (_record(chance) for _ in range(chance.randint(1, 50)))
    return "fasta", "".join(f">id{at}\n{text[:25]}\n{text[25:]}\n" for at, text in enumerate(records)).encode()


def _csv(chance: random.Random) -> tuple[str, bytes]:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["id", "sequence", "note"])
    ends = chance.random() < 0.2  # cells that hold line ends: such a file turns out not to be one that can be cut
    for at in range(chance.randint(1, 50)):
        rows.writerow([f"d{at}", _record(chance), "two\nlines" if ends and at > 30 else "=note"])
    return "csv", out.getvalue().encode()


def _gzip(chance: random.Random) -> tuple[str, bytes]:
    return "txt.gz", gzip.compress(_lines(chance)[1], mtime=0)


def _abstracts(chance: random.Random) -> tuple[str, bytes]:
    found = [chance.choice([abstract(chance), abstract(chance), "too short", ""]) for _ in range(chance.randint(1, 4))]
    return "txt", "".join(f"{each}\n" for each in found).encode()


def _jsonl(chance: random.Random) -> tuple[str, bytes]:
    found = [{"id": at, "abstract": abstract(chance)[: chance.choice([20, 300])]} for at in range(chance.randint(1, 4))]
    return "jsonl", "".join(f"{json.dumps(each)}\n" for each in found).encode()


_RANKED: Final[tuple[Callable[[random.Random], tuple[str, bytes]], ...]] = (_lines, _lines, _fasta, _csv, _gzip)
_CLASSIFIED: Final = (_abstracts, _jsonl)


def again(one: File) -> File:
    """Return another file of the same key: the same records twice."""
    packed = one.key.endswith(".gz")
    body = b"".join(gunzip(iter([one.body]))) if packed else one.body
    rest = body.partition(b"\n")[2] if one.key.endswith(".csv") else body
    longer = body + (b"" if body.endswith(b"\n") else b"\n") + rest
    return replace(one, body=gzip.compress(longer, mtime=0) if packed else longer)


def file(seed: int, number: int) -> File:
    """Return the file of a number: always the same of the same seed; one in five holds abstracts."""
    chance = random.Random(f"{seed} file {number}")
    kind, makes = ("classify", _CLASSIFIED) if chance.random() < 0.2 else ("rank", _RANKED)
    suffix, body = chance.choice(makes)(chance)
    return File(f"{kind}/chaos/{number}.{suffix}", body, OPEN if kind == "rank" else {})


def ranking(one: File) -> bytes:
    """Return the right ranking.csv of a file."""
    return "".join(ranking_csv(rank_plainly(one))).encode()


def rank_plainly(one: File) -> PartialRanking:
    """Rank a file by the pure path: no shards, no job, no AWS."""
    scorer = _scorer()
    body = b"".join(gunzip(iter([one.body]))) if one.key.endswith(".gz") else one.body
    blocks = parse([body], sniff_format(body, "", one.key.rpartition("/")[2]), scorer.contract)
    options = RankOptions(threshold=-1e6)
    return rank_blocks(blocks, scorer, scorer, options, deduplicate=False, on_rejects=lambda _: None)


@cache
def _scorer() -> SequenceScorer:
    return SequenceScorer(load_folder(DATA / "tiny-index" / "1", 1))
