"""One dropped file, from its bytes to its results: plan, rank as a stream, write. Constant memory at any size."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain

from assay.errors import AssayError, ObjectChanged, StrictReject
from assay.files import ending
from assay.files.layout import result_key
from assay.ranking import Partial, RankOptions, hold_strict, rank_blocks
from assay.results import ranking_csv, rejected_csv_header, rejected_rows
from assay.sequences import Block, Contract, Reject, gunzip, parse, sniff
from assay.sequences.compression import MAGIC
from assay.storage import Bucket, ObjectInfo
from assay.writing import Writer
from rank.pair import Pair
from rank.reading import with_options

_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Plan:
    """What is the same for the whole job: the object as it was, and what the caller chose."""

    job_id: str
    source: ObjectInfo
    options: RankOptions


def plan(uploads: Bucket, key: str, etag: str, job_id: str) -> Plan:
    """Pin the object and its options; `etag` is the event's, or empty.

    Raises ObjectMissing, ObjectChanged, InvalidOption.
    """
    source = uploads.head(key)
    if etag and source.etag.strip('"') != etag.strip('"'):
        raise ObjectChanged(f"{key} was replaced before its job began; its new content has a job of its own", key=key)
    given = {name.replace("-", "_"): value for name, value in source.metadata.items()}
    return Plan(job_id, source, with_options(RankOptions(), given))


def rank(planned: Plan, uploads: Bucket, pair: Pair, rejected: Writer) -> Partial:
    """Return the ranking of the whole object, writing its rejects to `rejected` as they are found."""

    def keep(rejects: list[Reject]) -> None:
        for text in rejected_rows(rejects):
            rejected.write(text.encode())

    rejected.write(rejected_csv_header().encode())
    blocks = read(planned, uploads, pair.contract)
    return rank_blocks(blocks, pair.gate, pair.score, planned.options, deduplicate=False, on_rejects=keep)


def read(planned: Plan, uploads: Bucket, contract: Contract) -> Iterator[Block]:
    """Yield the object's blocks. Raises UnreadableInput, ObjectChanged."""
    source = planned.source
    chunks = uploads.chunks(source.key, stop=source.size, etag=source.etag)
    head, chunks = _peeked(chunks)
    if head.startswith(MAGIC):
        head, chunks = _peeked(gunzip(chunks))
    fmt = sniff(head[:_HEAD], source.content_type, source.key.rpartition("/")[2])
    options = planned.options
    return parse(chunks, fmt, contract, column=options.column, windows=options.windows)


def _peeked(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first chunk, and all of them."""
    first = next(chunks, b"")
    return first, chain([first], chunks)


def run(planned: Plan, uploads: Bucket, results: Bucket, pair: Pair) -> Partial:
    """Rank and write all results, the summary last. Raises StrictReject once rejected.csv says what was rejected."""
    where = keys(planned.job_id)
    with Writer(results, where["rejected"], "text/csv; charset=utf-8") as rejected:
        partial = rank(planned, uploads, pair, rejected)
    hold_strict(planned.options, partial.counts)
    ranking = "".join(ranking_csv(partial)).encode()
    results.put(where["ranking"], ranking, "text/csv; charset=utf-8")
    summary = _summary(planned, partial, pair)
    finish(results, planned.job_id, summary)
    return partial


def _summary(planned: Plan, partial: Partial, pair: Pair) -> dict[str, object]:
    return {
        "job_id": planned.job_id,
        "state": "SUCCEEDED",
        "upload": planned.source.key,
        "bytes": planned.source.size,
        "options": asdict(planned.options),
        "counts": counts(partial),
        "models": pair.models,
        "results": keys(planned.job_id),
    }


def keys(job_id: str) -> dict[str, str]:
    """Return where a job's results lie in the results bucket."""
    names = {"ranking": "ranking.csv", "rejected": "rejected.csv", "summary": "ranking.json"}
    return {name: result_key(job_id, file) for name, file in names.items()}


def counts(partial: Partial) -> dict[str, int]:
    """Return the counts of a ranking by name."""
    return asdict(partial.counts)


def failure(job_id: str, key: str, error: AssayError) -> dict[str, object]:
    """Return the summary of a job that cannot be done."""
    return ending.failure(job_id, key, error)


def left(job_id: str, error: AssayError) -> dict[str, str]:
    """Return where the results of a failed job lie: its summary, and its rejects where they are why."""
    names = {"summary", "rejected"} if isinstance(error, StrictReject) else {"summary"}
    return {name: key for name, key in keys(job_id).items() if name in names}


def finish(results: Bucket, job_id: str, summary: dict[str, object]) -> None:
    """Write the summary, then the pointer by which whoever dropped the file finds its job."""
    ending.finish(results, keys(job_id)["summary"], summary)
