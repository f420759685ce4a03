"""All scores of a shard (`output=all`): a CSV.gz and a Parquet file, written while it is ranked.

Memory and disk do not grow with them. A part's lines are numbered within it, for a shard cannot know how many lines
are before its own; `scores/manifest.json`, which merging writes, says which line of the file a part begins with.
"""

import gzip
import io
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, Self

from assay.aws.s3 import Bucket, Writer
from assay.jobs.workspace import result_key
from assay.ranking.distributions import ReferenceColumn, ReferenceScale
from assay.ranking.ranker import Rows
from assay.ranking.ranking import carried_cells, carried_names
from assay.sequences.blocks import decode
from assay.sequences.contract import Contract
from assay.text.csv_writer import csv_text, escape_formula

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS: Final = ("sequence", "score", "gate", "part_line", "id")
_LEVEL: Final = 3


def part_keys(job_id: str, shard: int) -> dict[str, str]:
    """Return where a shard's scores lie, by format."""
    stem = result_key(job_id, f"scores/part-{shard:05d}")
    return {"csv": f"{stem}.csv.gz", "parquet": f"{stem}.parquet"}


@dataclass(frozen=True, slots=True)
class _Lot:
    """Rows to write: their sequences, (id, carried cells), names of these, and the columns of their reference."""

    rows: Rows
    sequences: list[str]
    labels: list[Any]
    names: tuple[str, ...]
    said: list[ReferenceColumn]


class ScoreParts:
    """Takes a shard's rows as they are scored; as a context, its objects appear when that ends, and not if it fails."""

    def __init__(self, results: Bucket, job_id: str, shard: int, reference: ReferenceScale | None = None) -> None:
        keys = part_keys(job_id, shard)
        self._reference, names = reference, reference.names if reference else ()
        self._open = ExitStack()
        self._csv = _Csv(self._open, Writer(results, keys["csv"], "application/gzip"), names)
        self._parquet = _Parquet(self._open, Writer(results, keys["parquet"], "application/vnd.apache.parquet"), names)

    def add(self, rows: Rows, contract: Contract, columns: tuple[str, ...]) -> None:
        """Take rows that passed, in order of lines."""
        names = carried_names(columns)
        given = rows.read_labels()
        labels = [(name, carried_cells(extra, len(names))) for name, extra in given] if names else given
        said = self._reference.read(rows.codes, rows.score, contract).columns() if self._reference else []
        lot = _Lot(rows, decode(rows.codes, contract), labels, names, said)
        self._csv.add(lot)
        self._parquet.add(lot)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._csv.begin(())
            self._parquet.begin(())
        self._open.__exit__(*error)


class _Csv:
    """The CSV.gz; its header is written with the first rows, which say what is carried."""

    def __init__(self, stack: ExitStack, writer: Writer, reference: tuple[str, ...]) -> None:
        self._reference = reference
        self._file = gzip.GzipFile(fileobj=_Sink(stack.enter_context(writer)), mode="wb", compresslevel=_LEVEL, mtime=0)
        stack.push(lambda *error: self._file.close() if error[0] is None else None)
        self._begun = False

    def begin(self, names: tuple[str, ...]) -> None:
        """Write the header, once."""
        if not self._begun:
            self._begun = True
            self._write([[*COLUMNS, *names, *self._reference]])

    def add(self, lot: _Lot) -> None:
        self.begin(lot.names)
        rows, said = lot.rows, zip(*lot.said, strict=True) if lot.said else repeat((), len(lot.rows))
        numbers = zip(lot.sequences, rows.score, rows.gate, rows.lines.tolist(), lot.labels, said, strict=True)
        self._write(
            [text, str(score), str(gate), line, escape_formula(name or ""), *map(escape_formula, extra), *meaning]
            for text, score, gate, line, (name, extra), meaning in numbers
        )

    def _write(self, rows: Any) -> None:
        self._file.write(csv_text(rows).encode())


class _Parquet:
    """The Parquet file, a row group for each lot of rows; pyarrow is imported where it is wanted and not before."""

    def __init__(self, stack: ExitStack, writer: Writer, reference: tuple[str, ...]) -> None:
        self._reference = reference
        self._sink = _Sink(stack.enter_context(writer))
        self._stack = stack
        self._writer: Any = None

    def begin(self, names: tuple[str, ...]) -> None:
        """Write the schema, once."""
        if self._writer is None:
            import pyarrow.parquet as pq

            self._writer = pq.ParquetWriter(self._sink, _schema(names, self._reference), compression="snappy")
            self._stack.push(lambda *error: self._writer.close() if error[0] is None else None)

    def add(self, lot: _Lot) -> None:
        import pyarrow as pa

        self.begin(lot.names)
        rows, ids = lot.rows, [name for name, _ in lot.labels]
        carried = zip(*(extra for _, extra in lot.labels), strict=True) if lot.names else repeat((), 0)
        columns = [lot.sequences, rows.score, rows.gate, rows.lines, ids, *map(list, carried), *lot.said]
        self._writer.write_table(pa.table(columns, schema=_schema(lot.names, self._reference)))


def _schema(names: tuple[str, ...], reference: tuple[str, ...]) -> "pa.Schema":
    import pyarrow as pa

    kinds = (pa.string(), pa.float32(), pa.float32(), pa.int64(), pa.string())
    said = ((name, pa.string() if name == "notice" else pa.float64()) for name in reference)
    return pa.schema([*zip(COLUMNS, kinds, strict=True), *((name, pa.string()) for name in names), *said])


class _Sink(io.RawIOBase):
    """A `Writer` as the file that gzip and pyarrow want."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        taken = bytes(data)
        self._writer.write(taken)
        self._at += len(taken)
        return len(taken)
