"""Rejects of a job: each shard writes its own as it finds them, merging numbers their lines in the whole file."""

import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import Final, Self

from assay.aws.s3 import Writer
from assay.errors import Unaccounted
from assay.jobs.workspace import Workspace, result_key
from assay.text.csv_writer import REJECTED_HEADER, csv_text
from assay.text.records import NOT_FINITE, Reject

ONE_FILE: Final = 1 << 30
"""Bytes of rejects up to which they are one file; more are written in parts of about so many."""
EARLY: Final = "rejected.csv"
LATE: Final = "late.csv"
_CSV: Final = "text/csv; charset=utf-8"
_LINE: Final = re.compile(rb"^\d+", re.MULTILINE)


class RejectParts:
    """A shard's rejects, as a context: those found in order of lines are written at once, the late ones at its end.

    Nothing is written if there are none; `parts` then says what there is, in bytes.
    """

    def __init__(self, working: Workspace, shard: int) -> None:
        self._working, self._shard = working, shard
        self._open = ExitStack()
        self._writer: Writer | None = None
        self._late: list[Reject] = []
        self.parts: dict[str, int] = {}
        self.reasons: Counter[str] = Counter()

    def add(self, rejects: list[Reject]) -> None:
        """Take rejects of one finder: parsing, in order of lines, or a model, some time later (`not_finite`)."""
        self.reasons.update(reject.reason for reject in rejects)
        if rejects[0].reason == NOT_FINITE:
            self._late += rejects
            return
        data = csv_text(rejects).encode()
        self._writer = self._writer or self._open.enter_context(self._working.open_part(self._shard, EARLY, _CSV))
        self._writer.write(data)
        self.parts[EARLY] = self.parts.get(EARLY, 0) + len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None and self._late:
            data = csv_text(sorted(self._late)).encode()
            with self._working.open_part(self._shard, LATE, _CSV) as writer:
                writer.write(data)
            self.parts[LATE] = len(data)
        self._open.__exit__(*error)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Piece:
    """What a shard left beside its result: lines before it in the whole file, counts, its objects in bytes."""

    shard: int
    lines_before: int
    rejected: int
    passed: int
    parts: dict[str, int]

    @property
    def size(self) -> int:
        """Return how many bytes its rejects have."""
        return self.parts.get(EARLY, 0) + self.parts.get(LATE, 0)


def write_rejects(working: Workspace, pieces: Sequence[Piece]) -> str:
    """Write all rejects to results in order of lines; return the key of `rejected.csv`, or of the list of its parts.

    A part that is there already is not made again, so that a merge cut off goes on where it was.
    """
    job_id = working.job_id
    if sum(piece.size for piece in pieces) <= ONE_FILE:
        return _write_file(working, "rejected.csv", pieces)
    there = set(working.results.keys(result_key(job_id, "rejected-")))
    listed = []
    for number, group in enumerate(_groups(pieces, ONE_FILE)):
        name = f"rejected-{number:04d}.csv"
        key = result_key(job_id, name)
        if key not in there:
            _write_file(working, name, group)
        listed.append({"key": key, "rejected": sum(piece.rejected for piece in group)})
    key = result_key(job_id, "rejected.json")
    working.results.put(key, json.dumps({"parts": listed}, indent=1).encode(), "application/json")
    return key


def _write_file(working: Workspace, name: str, pieces: Sequence[Piece]) -> str:
    """Write the rejects of shards to a result, and return its key."""
    key = result_key(working.job_id, name)
    with Writer(working.results, key, _CSV) as writer:
        writer.write(REJECTED_HEADER.encode())
        for piece in pieces:
            for data in _rows(working, piece):
                writer.write(data)
    return key


def _rows(working: Workspace, piece: Piece) -> Iterator[bytes]:
    """Yield the rows of a shard, lines numbered in the whole file. Raises Unaccounted where they are not as many."""
    found = [_read(working, piece, name) for name in (EARLY, LATE) if name in piece.parts]
    if len(found) > 1:
        found = [heapq.merge(*map(_lines, found), key=lambda row: int(row.partition(b",")[0]))]
    yield from require_lines(chain(*found), piece.rejected, f"rejects of shard {piece.shard + 1}")


def _read(working: Workspace, piece: Piece, name: str) -> Iterator[bytes]:
    """Yield whole rows of one of a shard's objects, their lines numbered in the whole file."""
    before = piece.lines_before
    for rows in working.lines(piece.shard, name, piece.parts[name]):
        yield _LINE.sub(lambda number: b"%d" % (int(number[0]) + before), rows) if before else rows


def require_lines(chunks: Iterable[bytes], count: int, what: str) -> Iterator[bytes]:
    """Yield the chunks. Raises Unaccounted at their end where they have not `count` lines."""
    found = 0
    for chunk in chunks:
        found += chunk.count(b"\n")
        yield chunk
    if found != count:
        raise Unaccounted(f"{what}: {found:,} lines were written, but {count:,} counted")


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield from chunk.splitlines(keepends=True)


def _groups(pieces: Sequence[Piece], size: int) -> Iterator[list[Piece]]:
    """Cut the pieces into groups of at most `size` bytes, or of one that has more."""
    group: list[Piece] = []
    for piece in pieces:
        if group and sum(each.size for each in group) + piece.size > size:
            yield group
            group = []
        group.append(piece)
    yield group
