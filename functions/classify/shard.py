"""ClassifyShardFunction: the abstracts of one shard become lines of classification.jsonl, and its rejects."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import chain, islice
from typing import Any, Final

from assay.abstracts.classification import Classifier, Prediction, classify, remarks, result
from assay.abstracts.cleaning import SLOW
from assay.abstracts.parsing import Cut, Found, Layout, Record, read
from assay.aws.s3 import Bucket, Writer
from assay.errors import InvalidAbstract
from assay.files import reading
from assay.files.abstracts import NDJSON, PART
from assay.files.headers import header_bytes, line_of
from assay.files.layout import part_key
from assay.files.manifest import Manifest
from assay.files.partial import ShardResult
from assay.files.rejects import RejectParts
from assay.files.steps import shard_step
from assay.models.manifest import TextSpec
from assay.options import ClassifyOptions
from assay.papers.pdf import MAX_BYTES, extract
from assay.shards import Tally
from assay.telemetry import logger, observed, phase, rejected
from assay.text.csv_rows import OpenRow
from assay.text.records import LENGTH, MALFORMED, Notice, Reject, gather
from classify.wiring import desk, pinned

_AT_ONCE: Final = 64
Outcome = tuple[Record, Prediction]


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the shard that the state machine names: `job_id`, `shard`."""
    logger.append_keys(shard=event["shard"])
    return shard_step(desk(), event, work)


def work(manifest: Manifest, index: int) -> ShardResult:
    """Classify a shard with the model that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
    known, stores = pinned(manifest.models), desk()
    with phase("classify", model=known.model.manifest.name):
        return classified(manifest, index, stores.uploads, stores.results, known, known.text)


def classified(
    manifest: Manifest, index: int, uploads: Bucket, results: Bucket, classifier: Classifier, text: TextSpec
) -> ShardResult:
    """Classify a shard in constant memory; its lines and its rejects are written as they are made."""
    shaped = _Shaped(manifest, text)
    tally = Tally()
    records = iter(_records(manifest, index, uploads, tally))
    done = size = 0
    noticed: tuple[Notice, ...] = ()
    key = part_key(manifest.job_id, index, PART)
    try:
        with RejectParts(results, manifest.job_id, index) as bad, Writer(results, key, NDJSON) as writer:
            while some := list(islice(records, _AT_ONCE)):
                good, refused = outcomes((each for each in some if not isinstance(each, Notice)), classifier)
                said = [(record.line, shaped.result(record, prediction)) for record, prediction in good]
                noticed = gather([*noticed, *(each for each in some if isinstance(each, Notice)), *remarks(said)])
                data = "".join(map(_line, said)).encode("utf-8", "replace")
                writer.write(data)
                done, size = done + len(good), size + len(data)
                if refused:
                    bad.add(refused)
    except OpenRow:
        return ShardResult(index, manifest.pin, 0, {}, cut=True)
    rejected(bad.reasons)
    refusals = bad.reasons.total()
    counts = {"received": done + refusals, "classified": done, "rejected": refusals}
    body = {"notices": [each.to_body() for each in noticed]} if noticed else {}
    parts = {**bad.parts, PART: size}
    return ShardResult(index, manifest.pin, tally.lines, counts, parts, body, first=tally.first, size=tally.size)


def outcomes(records: Iterable[Record | Reject], classifier: Classifier) -> tuple[list[Outcome], list[Reject]]:
    """Return the predictions of records, and the rejects, both in order of lines.

    Each abstract is run by itself, so that its scores are the same whatever stands beside it in a shard.
    """
    good: list[Outcome] = []
    refused: list[Reject] = []
    for record in records:
        if isinstance(record, Reject):
            refused.append(record)
            continue
        [found] = classify([record.text], classifier)
        if isinstance(found, InvalidAbstract):
            refused.append(Reject(record.line, _reason(record, found), found.message))
        else:
            good.append((record, found))
    return good, refused


def _reason(record: Record, error: InvalidAbstract) -> str:
    if not isinstance(record.text, str):
        return MALFORMED
    return SLOW if error.details.get("reason") == SLOW else LENGTH


class _Shaped:
    """How a line of the results looks, for one job."""

    def __init__(self, manifest: Manifest, text: TextSpec) -> None:
        self._options = ClassifyOptions(manifest.options["threshold"], manifest.options["top_k"])
        self._text = text

    def result(self, record: Record, prediction: Prediction) -> dict[str, Any]:
        said = result(prediction, self._text.labels, self._text.thresholds, self._options)
        del said["cached"]  # no file's abstract is ever remembered
        return {"id": record.id, **said, **record.about}


def _line(said: tuple[int, Mapping[str, Any]]) -> str:
    number, body = said
    return json.dumps({"line": number, **body}, ensure_ascii=False, allow_nan=False) + "\n"


def _records(manifest: Manifest, index: int, uploads: Bucket, tally: Tally) -> Iterator[Found]:
    """Yield a shard's records, lines numbered from 1; a CSV's shard reads the pinned header row before its own."""
    shard = manifest.shard(index)
    chunks = reading.text(uploads, manifest, shard, tally)
    layout = Layout(manifest.format)
    if layout is Layout.PDF:
        return iter([_pdf(chunks)])
    headed = bool(manifest.header) and shard.start > manifest.header_at
    cut = Cut(line_of(manifest.header) if headed else 1, begins=index == 0, ends=index == manifest.shards - 1)
    chunks = chain([header_bytes(manifest.header)], chunks) if headed else chunks
    return read(chunks, layout, manifest.options["column"], cut)


def _pdf(chunks: Iterable[bytes]) -> Record:
    """Return the abstract of a paper, and how it was found. Raises UnreadableInput, TooLarge, RuntimeMissing."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BYTES:
            break
    found = asdict(extract(bytes(body)))
    about: Mapping[str, object] = {"source": found}
    return Record(1, None, found["text"], about)
