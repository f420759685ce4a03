"""Files of abstracts as a kind of job: their options, their layouts, and how the shards' lines become one file."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from assay.abstracts.parsing import COLUMNS, LISTS, Layout
from assay.aws.s3 import Writer
from assay.errors import InvalidOption
from assay.files import rejects
from assay.files.headers import table
from assay.files.layout import result_key
from assay.files.manifest import Manifest, Source
from assay.files.merging import Joined, collected
from assay.files.partial import ShardResult, added, first_lines
from assay.files.planning import Shape
from assay.files.rejects import Piece
from assay.files.working import Working
from assay.options import CLASSIFYING, ClassifyOptions, from_metadata
from assay.papers.pdf import MAX_BYTES
from assay.sequences.formats import JSON_SUFFIXES
from assay.text.json_text import looks_like_json
from assay.text.json_values import is_lines
from assay.text.records import Notice, gather
from assay.text.signatures import refuse

PART: Final = "classification.jsonl"
"""What a shard writes, and the whole file too."""
NDJSON: Final = "application/x-ndjson"
_SUFFIXES: Final = {
    **dict.fromkeys(("csv", "tsv"), Layout.CSV),
    "pdf": Layout.PDF,
    "txt": Layout.LINES,
}
_NUMBERED: Final = re.compile(rb'^\{"line": (\d+)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ClassifyKind:
    """Classification; `serving` says which classifier serves now."""

    serving: Callable[[], Mapping[str, Mapping[str, str]]]
    name: str = "classify"

    def options(self, metadata: Mapping[str, str]) -> Mapping[str, Any]:
        """Return all options, and the column of a CSV or field of JSON lines. Raises InvalidOption."""
        chosen: dict[str, Any] = from_metadata(metadata, CLASSIFYING)
        column = chosen.pop("column", None)
        return {**asdict(ClassifyOptions(**chosen)), "column": column}

    def shape(self, head: bytes, source: Source, options: Mapping[str, Any]) -> Shape:
        """Say how a file is read. A CSV's cut is safe where no row goes on behind a line end; shards look again."""
        layout = sniff(head, source.key.rpartition("/")[2], options["column"])
        if layout is Layout.CSV:
            return table(head)
        if layout is Layout.PDF:
            return Shape(layout.value, False, why="it is a PDF", limit=MAX_BYTES)
        if layout is Layout.JSON:
            return Shape(layout.value, False, why="it is one JSON document")
        return Shape(layout.value, True)

    def models(self, options: Mapping[str, Any]) -> Mapping[str, Mapping[str, str]]:
        """Return who serves as `classifier`."""
        return self.serving()


def sniff(head: bytes, filename: str, column: str | None = None) -> Layout:
    """Return how a file holds abstracts: by how a PDF begins, else the file's name, else its first bytes.

    Where a `column` is asked for, what would be lines is a CSV. Raises UnreadableInput for a foreign kind of file,
    whatever its name says; InvalidOption for a column of a PDF.
    """
    found = _judged(head, filename)
    if column is not None and found is Layout.PDF:
        raise InvalidOption("column is for CSV and JSON, and this is a PDF", option="column", format="pdf")
    return Layout.CSV if column is not None and found is Layout.LINES else found


def _judged(head: bytes, filename: str) -> Layout:
    refuse(head, abstracts=True, but=("pdf",))
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


def join(manifest: Manifest, working: Working) -> Joined:
    """Write classification.jsonl and the rejects. Raises ShardFailed, CutInRow."""
    found = list(collected(working, manifest))
    pieces = list(_pieces(found))
    key = result_key(working.job_id, PART)
    with Writer(working.results, key, NDJSON) as writer:
        for piece in pieces:
            for data in _lines(working, piece):
                writer.write(data)
    results = {"classification": key, "rejected": rejects.write(working, pieces)}
    said = {"notices": [each.to_body() for each in gather(_notices(found))]}
    return Joined(added([result.counts for result in found]), results, said)


def _notices(found: list[ShardResult]) -> Iterator[Notice]:
    """Yield what the shards noticed, lines numbered in the whole file."""
    for result, first in zip(found, first_lines(found), strict=True):
        yield from (Notice.from_body(each).shift(first - 1) for each in result.body.get("notices", ()))


def _pieces(found: list[ShardResult]) -> Iterator[Piece]:
    lines = 0
    for result in found:
        yield Piece(result.shard, lines, result.counts["rejected"], result.counts["classified"], dict(result.parts))
        lines += result.lines


def _lines(working: Working, piece: Piece) -> Iterator[bytes]:
    """Yield a shard's lines, numbered in the whole file. Raises Unaccounted where they are not as many."""
    found = working.lines(piece.shard, PART, piece.parts.get(PART, 0))
    for text in rejects.require_lines(found, piece.passed, f"abstracts of shard {piece.shard + 1}"):
        yield _renumbered(text, piece.lines_before)


def _renumbered(text: bytes, before: int) -> bytes:
    return _NUMBERED.sub(lambda found: b'{"line": %d' % (int(found[1]) + before), text) if before else text
