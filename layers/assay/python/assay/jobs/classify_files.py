"""Files of abstracts as a kind of job: their options and layouts, the labels of a shard, the lines of one file."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain, islice
from typing import Any, Final

from assay.abstracts.abstract_records import COLUMNS, LISTS, AbstractRecord, Found, Layout, TableCut, read_records
from assay.abstracts.classification import Classifier, Prediction, classify, remarks, shape_result
from assay.aws.s3 import Bucket, Writer
from assay.errors import InvalidAbstract, InvalidOption, ModelUnavailable
from assay.jobs import rejects, shard_bytes
from assay.jobs.byte_ranges import Tally
from assay.jobs.merging import Joined
from assay.jobs.planning import FileShape, header_bytes, line_of, table_shape
from assay.jobs.rejects import Piece, RejectParts
from assay.jobs.workspace import JobPlan, PinnedModels, ShardResult, Source, Workspace, add_counts, result_key
from assay.models.manifest import TextSpec
from assay.models.text_classifier import TextClassifier
from assay.options import CLASSIFYING, ClassifyOptions, read_metadata
from assay.papers import MAX_BYTES
from assay.papers.pdf import extract
from assay.sequences.formats import JSON_SUFFIXES
from assay.telemetry import count_rejected, phase
from assay.text.csv_rows import OpenRow
from assay.text.json_values import is_lines, looks_like_json
from assay.text.packing import refuse_file
from assay.text.records import Notice, Reject, gather

PART: Final = "classification.jsonl"
"""What a shard writes, and the whole file too."""
NDJSON: Final = "application/x-ndjson"
_SUFFIXES: Final = {
    **dict.fromkeys(("csv", "tsv"), Layout.CSV),
    "pdf": Layout.PDF,
    "txt": Layout.LINES,
}
_NUMBERED: Final = re.compile(rb'^\{"line": (\d+)', re.MULTILINE)


def _refuse_models(models: PinnedModels) -> TextClassifier:
    raise ModelUnavailable("this function plans and joins files of abstracts, and classifies none")


@dataclass(frozen=True, slots=True)
class ClassifyJobType:
    """Classification; `serving` says which classifier serves now, `load` has the one of a plan."""

    serving: Callable[[], PinnedModels]
    load: Callable[[PinnedModels], TextClassifier] = _refuse_models
    name: str = "classify"

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Return all options, and the column of a CSV or field of JSON lines. Raises InvalidOption."""
        chosen = read_metadata(metadata, CLASSIFYING)
        column = chosen.pop("column", None)
        options = ClassifyOptions(**chosen)
        return {"threshold": options.threshold, "top_k": options.top_k, "column": column}

    def shape(self, head: bytes, source: Source, options: Mapping[str, Any]) -> FileShape:
        """Say how a file is read. A CSV's cut is safe where no row goes on behind a line end; shards look again."""
        layout = sniff_layout(head, source.key.rpartition("/")[2], options["column"])
        if layout is Layout.CSV:
            return table_shape(head)
        if layout is Layout.PDF:
            return FileShape(layout.value, False, why="it is a PDF", limit=MAX_BYTES)
        if layout is Layout.JSON:
            return FileShape(layout.value, False, why="it is one JSON document")
        return FileShape(layout.value, True)

    def models(self, options: Mapping[str, Any]) -> PinnedModels:
        """Return who serves as `classifier`."""
        return self.serving()

    def work(self, plan: JobPlan, index: int, uploads: Bucket, working: Workspace) -> ShardResult:
        """Classify a shard with the model that the plan pinned. Raises InputError, ServiceError, AWS's errors."""
        known = self.load(plan.models)
        with phase("classify", model=known.model.manifest.name):
            return classify_shard(plan, index, uploads, working, known)

    def join(self, plan: JobPlan, working: Workspace, shards: Iterable[ShardResult]) -> Joined:
        """Write classification.jsonl and the rejects. Raises Unaccounted."""
        found = list(shards)
        pieces = list(list_pieces(found))
        key = result_key(working.job_id, PART)
        with Writer(working.results, key, NDJSON) as writer:
            for piece in pieces:
                for data in _lines(working, piece):
                    writer.write(data)
        results = {"classification": key, "rejected": rejects.write_rejects(working, pieces)}
        said = {"notices": [each.to_body() for each in gather(_notices(pieces, found))]} | add_labels(found)
        return Joined(add_counts([result.counts for result in found]), results, said)


def sniff_layout(head: bytes, filename: str, column: str | None = None) -> Layout:
    """Return how a file holds abstracts: by how a PDF begins, else the file's name, else its first bytes.

    Where a `column` is asked for, what would be lines is a CSV. Raises UnreadableInput for a foreign kind of file,
    whatever its name says; InvalidOption for a column of a PDF.
    """
    found = _judge(head, filename)
    if column is not None and found is Layout.PDF:
        raise InvalidOption(
            "column is for CSV and JSON, but this is a PDF: leave column out", option="column", format="pdf"
        )
    return Layout.CSV if column is not None and found is Layout.LINES else found


def _judge(head: bytes, filename: str) -> Layout:
    refuse_file(head, abstracts=True, but=("pdf",))
    if head.startswith(b"%PDF-"):
        return Layout.PDF
    suffix = filename.lower().removesuffix(".gz").rpartition(".")[2]
    if suffix in JSON_SUFFIXES or (suffix == "txt" and looks_like_json(head)):
        return _json(head)
    return _SUFFIXES.get(suffix) or _by_content(head)


def _json(head: bytes) -> Layout:
    return Layout.JSONL if is_lines(head, LISTS) else Layout.JSON


def _by_content(head: bytes) -> Layout:
    first = re.split(rb"[\r\n]", head.removeprefix(b"\xef\xbb\xbf").lstrip(), maxsplit=1)[0]
    cells = {cell.strip(b' "').lower() for cell in re.split(rb"[,\t;]", first)}
    if looks_like_json(head):
        return _json(head)
    return Layout.CSV if any(name.encode() in cells for name in COLUMNS) else Layout.LINES


def _notices(pieces: list[Piece], found: list[ShardResult]) -> Iterator[Notice]:
    """Yield what the shards noticed, lines numbered in the whole file."""
    for piece, result in zip(pieces, found, strict=True):
        yield from (Notice.from_body(each).shift(piece.lines_before) for each in result.body.get("notices", ()))


def add_labels(found: Iterable[ShardResult]) -> dict[str, dict[str, int]]:
    """Return how many abstracts have each label, the commonest first; nothing if an older shard did not count.

    Labels of equal counts are in alphabetical order, so that the order does not depend on the cut.
    """
    parts = [result.body.get("label_counts") for result in found]
    whole = sum((Counter(part) for part in parts if part is not None), Counter[str]())
    ordered = sorted(whole.items(), key=lambda each: (-each[1], each[0]))
    return {} if None in parts else {"label_counts": dict(ordered)}


def list_pieces(found: list[ShardResult]) -> Iterator[Piece]:
    """Yield what each shard left, with how many lines of the file are before it."""
    lines = 0
    for result in found:
        yield Piece(result.shard, lines, result.counts["rejected"], result.counts["classified"], dict(result.parts))
        lines += result.lines


def _lines(working: Workspace, piece: Piece) -> Iterator[bytes]:
    """Yield a shard's lines, numbered in the whole file. Raises Unaccounted where they are not as many."""
    found = working.lines(piece.shard, PART, piece.parts.get(PART, 0))
    for text in rejects.require_lines(found, piece.passed, f"abstracts of shard {piece.shard + 1}"):
        yield _renumber(text, piece.lines_before)


def _renumber(text: bytes, before: int) -> bytes:
    return _NUMBERED.sub(lambda found: b'{"line": %d' % (int(found[1]) + before), text) if before else text


AT_ONCE: Final = 64
"""Abstracts of a shard that are classified together."""
_PIECE: Final = 1 << 14
"""Bytes that are read at once: some seconds of work, so that progress is told in time."""
ClassifiedRecord = tuple[AbstractRecord, Prediction]


def classify_shard(
    manifest: JobPlan, index: int, uploads: Bucket, working: Workspace, classifier: TextClassifier
) -> ShardResult:
    """Classify a shard in constant memory; its lines and its rejects are written as they are made."""
    shaped, alone = _Shaped(manifest, classifier.text), classifier.run_alone()
    tally = working.begin_tally(index, _PIECE)
    records = iter(_records(manifest, index, uploads, tally))
    done = size = 0
    noticed: tuple[Notice, ...] = ()
    labels: Counter[str] = Counter()
    lines = working.open_part(index, PART, NDJSON)
    try:
        with RejectParts(working, index) as bad, lines as writer:
            while some := list(islice(records, AT_ONCE)):
                good, refused = classify_records((each for each in some if not isinstance(each, Notice)), alone)
                said = [(record.line, shaped.result(record, prediction)) for record, prediction in good]
                noticed = gather([*noticed, *(each for each in some if isinstance(each, Notice)), *remarks(said)])
                labels.update(each["label"] for _, result in said for each in result["labels"])
                data = "".join(map(_line, said)).encode("utf-8", "replace")
                writer.write(data)
                done, size = done + len(good), size + len(data)
                if refused:
                    bad.add(refused)
                tally.pass_records(len(good) + len(refused))
    except OpenRow:
        return ShardResult(index, manifest.pin, 0, {}, cut=True)
    count_rejected(bad.reasons)
    refusals = bad.reasons.total()
    counts = {"received": done + refusals, "classified": done, "rejected": refusals}
    body = {"label_counts": dict(labels)} | ({"notices": [each.to_body() for each in noticed]} if noticed else {})
    parts = {**bad.parts, PART: size}
    return ShardResult(index, manifest.pin, tally.lines, counts, parts, body, first=tally.first, size=tally.size)


def classify_records(
    records: Iterable[AbstractRecord | Reject], classifier: Classifier
) -> tuple[list[ClassifiedRecord], list[Reject]]:
    """Return the predictions of records, and the rejects, both in order of lines.

    The classifier is to give each abstract a run to itself: its scores are then the same whatever stands beside it.
    """
    some = list(records)
    outcomes = iter(classify([each.text for each in some if isinstance(each, AbstractRecord)], classifier))
    good: list[ClassifiedRecord] = []
    refused: list[Reject] = []
    for record in some:
        if isinstance(record, Reject):
            refused.append(record)
            continue
        found = next(outcomes)
        if isinstance(found, InvalidAbstract):
            refused.append(Reject(record.line, str(found.details["reason"]), found.message))
        else:
            good.append((record, found))
    return good, refused


class _Shaped:
    """How a line of the results looks, for one job."""

    def __init__(self, manifest: JobPlan, text: TextSpec) -> None:
        self._options = ClassifyOptions(manifest.options["threshold"], manifest.options["top_k"])
        self._text = text

    def result(self, record: AbstractRecord, prediction: Prediction) -> dict[str, Any]:
        said = shape_result(prediction, self._text, self._options)
        del said["cached"]  # no file's abstract is ever remembered
        return {"id": record.id, **said, **record.about}


def _line(said: tuple[int, Mapping[str, Any]]) -> str:
    number, body = said
    return json.dumps({"line": number, **body}, ensure_ascii=False, allow_nan=False) + "\n"


def _records(manifest: JobPlan, index: int, uploads: Bucket, tally: Tally) -> Iterator[Found]:
    """Yield a shard's records, lines numbered from 1; a CSV's shard reads the pinned header row before its own."""
    shard = manifest.shard(index)
    chunks = shard_bytes.read_shard(uploads, manifest, shard, tally)
    layout = Layout(manifest.format)
    if layout is Layout.PDF:
        return iter([_pdf(chunks)])
    headed = bool(manifest.header) and shard.start > manifest.header_at
    cut = TableCut(line_of(manifest.header) if headed else 1, begins=index == 0, ends=index == manifest.shards - 1)
    chunks = chain([header_bytes(manifest.header)], chunks) if headed else chunks
    return read_records(chunks, layout, manifest.options["column"], cut)


def _pdf(chunks: Iterable[bytes]) -> AbstractRecord:
    """Return the abstract of a paper, and how it was found. Raises UnreadableInput, TooLarge, RuntimeMissing."""
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BYTES:
            break
    found = asdict(extract(bytes(body)))
    about: Mapping[str, object] = {"source": found}
    return AbstractRecord(1, None, found["text"], about)
