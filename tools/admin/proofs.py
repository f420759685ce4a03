"""Recompute a job's counts from its results, and from its object while that exists: `assay jobs verify`.

Nothing is taken from what the service counted but to be compared: rows, ranks, rejects and scores are read one by one,
and the object's records are counted in one pass without shards.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from assay.abstracts.abstract_records import Layout, read_records
from assay.aws.s3 import Bucket
from assay.errors import NotFound, ObjectChanged, ObjectMissing
from assay.jobs import shard_bytes
from assay.jobs.byte_ranges import Tally
from assay.jobs.merging import OUTCOMES, adds_up
from assay.jobs.rank_files import read_shard_blocks
from assay.jobs.workspace import JobPlan, Workspace
from assay.options import RankOptions
from assay.sequences.blocks import decode
from assay.sequences.contract import DEFAULT
from assay.text.compression import gunzip
from assay.text.records import Notice

SUMMARIES: Final = ("ranking.json", "classification.json")
_SLACK: Final = 1 << 16
_MOST: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was recomputed: whether it is as the job says (None: it was left out), and what was found."""

    name: str
    holds: bool | None
    said: str


@dataclass
class _Job:
    """What is read of a job: its summary, the ranked rows by line, and how many rejects only a model found."""

    results: Bucket
    job_id: str
    summary: Mapping[str, Any]
    ranked: list[dict[str, str]] = field(default_factory=list)
    late: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the counts that the job states."""
        found: Mapping[str, int] = self.summary["counts"]
        return found

    def key(self, name: str) -> str:
        """Return the key of a result, which the summary names by key or by its place beside the summary."""
        return self.beside(str(self.summary["results"][name]))

    def beside(self, key: str) -> str:
        """Return a key that may be a place beside the summary."""
        return key if key.startswith("results/") else f"results/{self.job_id}/{key}"

    def text(self, key: str) -> Iterator[str]:
        """Yield the lines of an object."""
        return _lines(self.results.chunks(key))

    def parts(self, key: str) -> list[dict[str, Any]]:
        """Return the parts that an object lists."""
        found: list[dict[str, Any]] = _read_json(self.results, key)["parts"]
        return found


def verify_job(results: Bucket, uploads: Bucket | None, job_id: str) -> Iterator[Proof]:
    """Yield what was recomputed of a job. Raises NotFound where it has no summary, AWS's errors."""
    job = _Job(results, job_id, _summary(results, job_id))
    if job.summary["state"] != "SUCCEEDED":
        yield Proof("state", None, f"the job is {job.summary['state']}: there are no results to recompute")
        return
    yield _balance(job)
    if "ranking" in job.summary["results"]:
        yield from _prove_ranking(job)
        yield from _rejects(job, {int(row["line"]) for row in job.ranked})
        yield from _scores(job)
    else:
        yield from _classification(job)
        yield from _rejects(job, set())
    yield from _source(job, uploads)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = ""
    for text in codecs.iterdecode(chunks, "utf-8"):
        *lines, rest = (rest + text).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield rest


def _read_json(results: Bucket, key: str) -> Any:
    content, _ = results.get(key, limit=_MOST) or (b"{}", "")
    return json.loads(content)


def _summary(results: Bucket, job_id: str) -> Mapping[str, Any]:
    for name in SUMMARIES:
        with suppress(ObjectMissing):
            said: Mapping[str, Any] = _read_json(results, f"results/{job_id}/{name}")
            return said
    raise NotFound(f"job {job_id} has no summary in {results.name}: is it another's, still running, or expired?")


def _same(name: str, what: str, found: int, stated: int) -> Proof:
    return Proof(name, found == stated, f"{found:,} {what}, and the job says {stated:,}")


def _balance(job: _Job) -> Proof:
    outcomes = ", ".join(f"{name} {job.counts[name]:,}" for name in OUTCOMES if name in job.counts)
    return Proof("outcomes", adds_up(job.counts), f"received {job.counts['received']:,}: {outcomes}")


def _prove_ranking(job: _Job) -> Iterator[Proof]:
    job.ranked = list(csv.DictReader(job.text(job.key("ranking"))))
    keys = [(-float(row["score"]), int(row["line"])) for row in job.ranked]
    ranks = [int(row["rank"]) for row in job.ranked] == list(range(1, len(job.ranked) + 1))
    distinct = len({row["sequence"] for row in job.ranked}) == len(job.ranked)
    yield _same("ranking", "rows", len(job.ranked), job.counts["returned"])
    said = "ranks from 1, scores falling, ties by line, each sequence once"
    yield Proof("order", ranks and distinct and keys == sorted(keys), said)


def _rejects(job: _Job, ranked: set[int]) -> Iterator[Proof]:
    """Count the rejects, in one file or in parts, and hold them to the order of lines and to the ranking."""
    key = job.key("rejected")
    parts = job.parts(key) if key.endswith(".json") else [{"key": key}]
    count = last = 0
    wrong: list[str] = []
    for part in parts:
        before = count
        for row in csv.DictReader(job.text(job.beside(str(part["key"])))):
            count, line = count + 1, int(row["line"])
            job.late += row["reason"] == "not_finite"
            wrong += [f"line {line} comes after {last}"] if line < last else []
            wrong += [f"line {line} is ranked too"] if line in ranked and not _windows(job) else []
            last = line
        if part.get("rejected", count - before) != count - before:
            wrong.append(f"{part['key']} has {count - before:,} rows")
    yield _same("rejects", "rows", count, job.counts["rejected"])
    yield Proof("rejects in order", not wrong, wrong[0] if wrong else "in order of lines; no reject is ranked too")


def _windows(job: _Job) -> bool:
    return bool((job.summary.get("options") or {}).get("window"))


def _scores(job: _Job) -> Iterator[Proof]:
    """Count all scores, in each of their formats, and rank them again."""
    if "scores" not in job.summary["results"]:
        return
    parts = job.parts(job.key("scores"))
    best, count, wrong = _Best(len(job.ranked)), 0, list[str]()
    for part in parts:
        rows = 0
        for row in csv.DictReader(_lines(gunzip(job.results.chunks(job.beside(part["csv"])), max_ratio=10_000))):
            rows += 1
            best.add(float(row["score"]), int(part["first_line"]) + int(row["part_line"]) - 1, row["sequence"])
        count += rows
        wrong += [f"{part['csv']} has {rows:,} rows, and should have {part['rows']:,}"] if rows != part["rows"] else []
        wrong += _parquet(job, part)
    yield _same("scores", "rows", count, job.counts["passed"])
    yield Proof("scores in both formats", not wrong, wrong[0] if wrong else f"{len(parts)} parts with their rows")
    again = [(float(row["score"]), int(row["line"]), row["sequence"]) for row in job.ranked]
    yield Proof("ranking again", best.rows() == again, "the best of all scores are the ranking, to the line")


def _parquet(job: _Job, part: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the rows of a part's Parquet file, by its footer."""
    try:
        import pyarrow.parquet as pq
    except ImportError:
        return
    rows = pq.ParquetFile(io.BufferedReader(_Ranged(job.results, job.beside(part["parquet"])), 1 << 16)).metadata
    if rows.num_rows != part["rows"]:
        yield f"{part['parquet']} has {rows.num_rows:,} rows, and should have {part['rows']:,}"


class _Ranged(io.RawIOBase):
    """An object as a file that is read where it is looked at."""

    def __init__(self, bucket: Bucket, key: str) -> None:
        self._bucket, self._key, self._at, self._size = bucket, key, 0, bucket.head(key).size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self._size)
        data = self._bucket.read_range(self._key, self._at, stop) if stop > self._at else b""
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Best:
    """The best of all scores, each sequence once by its first line, in memory bounded by how many are wanted."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held: list[tuple[float, int, str]] = []

    def add(self, score: float, line: int, sequence: str) -> None:
        self._held.append((-score, line, sequence))
        if len(self._held) > self._count + _SLACK:
            self._prune()

    def rows(self) -> list[tuple[float, int, str]]:
        self._prune()
        return [(-score, line, sequence) for score, line, sequence in self._held]

    def _prune(self) -> None:
        first = {sequence: (score, line) for score, line, sequence in sorted(self._held, reverse=True)}
        self._held = sorted((*key, sequence) for sequence, key in first.items())[: self._count]


def _classification(job: _Job) -> Iterator[Proof]:
    count = last = 0
    wrong: list[str] = []
    for text in job.text(job.key("classification")):
        line = int(json.loads(text)["line"])
        count += 1
        wrong += [f"line {line} comes after {last}"] if line <= last else []
        last = line
    yield _same("classification", "lines", count, job.counts["classified"])
    yield Proof("order", not wrong, wrong[0] if wrong else "in order of the file's lines")


def _source(job: _Job, uploads: Bucket | None) -> Iterator[Proof]:
    """Count the object's bytes and records again, in one pass, and look the ranked sequences up in it."""
    manifest = Workspace(job.results, job.job_id).find_plan()
    if uploads is None or manifest is None:
        yield Proof("source", None, "left out" if uploads is None else "the job's plan is gone by now")
        return
    whole, tally = replace(manifest, shards=1), Tally()
    try:
        found = (
            _prove_source_records(job, whole, uploads, tally)
            if manifest.kind == "rank"
            else _read(whole, uploads, tally)
        )
        proofs = list(found if manifest.kind == "rank" else _count_records(job, found))
    except (ObjectMissing, ObjectChanged) as error:
        yield Proof("source", None, f"not there any more: {error.message}")
        return
    yield _same("source bytes", "bytes read", tally.size, int(job.summary["bytes"]))
    yield from proofs


def _read(whole: JobPlan, uploads: Bucket, tally: Any) -> Iterable[Any]:
    chunks = shard_bytes.read_shard(uploads, whole, whole.shard(0), tally)
    if whole.format == Layout.PDF.value:
        return [b"".join(chunks)]
    return read_records(chunks, Layout(whole.format), whole.options["column"])


def _count_records(job: _Job, records: Iterable[Any]) -> Iterator[Proof]:
    count = sum(not isinstance(each, Notice) for each in records)
    yield _same("source records", "records", count, job.counts["received"])


def _prove_source_records(job: _Job, whole: JobPlan, uploads: Bucket, tally: Any) -> Iterator[Proof]:
    lengths = {len(row["sequence"]) for row in job.ranked}
    contract = replace(DEFAULT, length=lengths.pop()) if len(lengths) == 1 else DEFAULT
    wanted = {(int(row["line"]), row["sequence"]) for row in job.ranked}
    received = rejected = 0
    for block in read_shard_blocks(whole, whole.shard(0), uploads, contract, tally, RankOptions(**whole.options)):
        received, rejected = received + block.received, rejected + len(block.rejects)
        if wanted:
            wanted -= set(zip(block.lines.tolist(), decode(block.codes, contract), strict=True))
    yield _same("source records", "records", received, job.counts["received"])
    if job.ranked:
        yield _same("source rejects", "records refused by their form", rejected, job.counts["rejected"] - job.late)
    said = (
        f"{len(wanted):,} ranked sequences are not on their line" if wanted else "each ranked sequence is on its line"
    )
    yield Proof("source sequences", not wanted, said)
