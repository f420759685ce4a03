"""Abstracts from files: JSON lines, an abstract a line, CSV with a header. Pure, streaming, in constant memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assay.abstracts.cleaning import SHORTEST
from assay.text.delimiters import find_column
from assay.text.json_values import decode_value, values
from assay.text.lines import Frame, frames
from assay.text.records import EMPTY, ENCODING, LIMITS, MALFORMED, Limits, Notice, Reject, too_long

if TYPE_CHECKING:
    from assay.text.csv_rows import Spanned

COLUMNS: Final = ("abstract", "text")
"""Where the abstract is when no column is named."""
LISTS: Final = ("abstracts",)
"""Names under which a JSON document has its list of abstracts."""
_BLANK: Final = b" \t"


class Layout(StrEnum):
    """How a file holds abstracts."""

    JSON = "json"
    JSONL = "jsonl"
    LINES = "lines"
    CSV = "csv"
    PDF = "pdf"


class AbstractRecord(NamedTuple):
    """One abstract as the file has it, neither cleaned nor checked: its line, its id, its other fields."""

    line: int
    id: str | None
    text: object
    about: Mapping[str, object] = MappingProxyType({})


Found = AbstractRecord | Reject | Notice
"""What reading gives: abstracts, what is none, and what a caller should know of either."""


@dataclass(frozen=True, slots=True)
class TableCut:
    """Where a stretch of a file lies: whether it begins and ends the file, and the number of its first line."""

    first_line: int = 1
    begins: bool = True
    ends: bool = True


def read_records(
    chunks: Iterable[bytes],
    layout: Layout,
    column: str | None = None,
    cut: TableCut | None = None,
    limits: Limits = LIMITS,
) -> Iterator[Found]:
    """Yield the records of a file's bytes in order, with rejects for those that cannot be read.

    Raises UnreadableInput for a CSV without its column, and for a JSON document that is none; OpenRow where a CSV's
    row goes on behind a cut.
    """
    cut = cut or TableCut()
    wanted = (column,) if column else COLUMNS
    if layout is Layout.JSON:
        return (record_of(value, place, wanted) for place, value in values(chunks, LISTS, limits))
    framed = frames(chunks, limits, bom=cut.begins and cut.first_line == 1)
    if layout is Layout.CSV:
        return _table(framed, limits, column, cut)
    return _by_line(framed, limits, wanted if layout is Layout.JSONL else None, cut.first_line)


def _by_line(framed: Iterable[Frame], limits: Limits, wanted: Sequence[str] | None, line: int) -> Iterator[Found]:
    """Yield a record for each line: its text, or, where fields are `wanted`, what its JSON holds."""
    for frame in framed:
        if frame.overlong:
            yield too_long(line, limits)
            line += 1
            continue
        for text in frame.data[:-1].split(b"\n"):
            yield _line(text.strip(_BLANK), line, wanted)
            line += 1


def _line(text: bytes, line: int, wanted: Sequence[str] | None) -> AbstractRecord | Reject:
    if not text:
        return Reject(line, EMPTY, "a blank line")
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        return Reject(line, ENCODING, f"byte 0x{text[error.start]:02X} at position {error.start + 1} is not UTF-8")
    return AbstractRecord(line, None, decoded) if wanted is None else _parse_line(decoded, line, wanted)


def _parse_line(text: str, line: int, wanted: Sequence[str]) -> AbstractRecord | Reject:
    """Read a line of JSON: a string, or an object with the abstract and perhaps an id."""
    try:
        return record_of(decode_value(text), line, wanted)
    except ValueError as error:
        return Reject(line, MALFORMED, str(error))


def record_of(found: object, line: int, wanted: Sequence[str] = COLUMNS) -> AbstractRecord | Reject:
    """Return the record of a JSON value: a string, or an object with the abstract; its other fields are carried."""
    if isinstance(found, str):
        return AbstractRecord(line, None, found)
    if not isinstance(found, dict) or not any(name in found for name in wanted):
        return Reject(line, MALFORMED, f"neither a string nor an object with {' or '.join(map(repr, wanted))}")
    field = next(name for name in wanted if name in found)
    others = {name: value for name, value in found.items() if name not in (field, "id")}
    return AbstractRecord(line, _identifier(found.get("id")), found[field], {"columns": others} if others else {})


def _identifier(value: Any) -> str | None:
    """Return an id as text that UTF-8 can carry, None if it is not an id."""
    named = isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""
    return str(value).encode("utf-8", "replace").decode("utf-8") if named else None


def _table(framed: Iterable[Frame], limits: Limits, column: str | None, cut: TableCut) -> Iterator[Found]:
    from assay.sequences.csv_table import first_row  # few requests are tables, and no cold start waits for them
    from assay.text.csv_rows import read_rows

    header: AbstractColumns | None = None

    def is_header(cells: Sequence[str]) -> bool:
        return any(find_column(cells, name) is not None for name in ((column,) if column else COLUMNS))

    for batch in read_rows(framed, limits, cut.first_line, is_header, ends=cut.ends):
        if header is None:
            at = first_row(batch)
            if at is None:
                continue
            header = _header(batch.cells[at], column)
            batch = batch._replace(lines=batch.lines[at + 1 :], cells=batch.cells[at + 1 :])
        pairs = zip(batch.lines, batch.cells, strict=True)
        found = [_row(line, cells, header) for line, cells in pairs if cells]
        yield from sorted([*found, *batch.rejects], key=lambda each: each.line) if batch.rejects else found
        yield from _notice_quoted(batch.spanned, header)


class AbstractColumns(NamedTuple):
    """Where abstract and id are, and how many columns there are."""

    text: int
    identifier: int | None
    width: int


def _header(cells: Sequence[str], column: str | None) -> AbstractColumns:
    """Find the columns."""
    names = [name.encode("utf-8", "surrogateescape").decode("utf-8", "replace").strip() for name in cells]
    places = [find_column(names, wanted) for wanted in ((column,) if column else COLUMNS)]
    found = next((each for each in places if each is not None), None)
    if found is None:
        from assay.sequences.csv_table import no_column

        raise no_column(names, repr(column) if column else " or ".join(map(repr, COLUMNS)))
    return AbstractColumns(found, find_column(names, "id"), len(names))


def _notice_quoted(spanned: "Sequence[Spanned]", header: AbstractColumns) -> list[Notice]:
    """Notice lines that lie in another row's cell and look like rows; of a single column every line would."""
    from assay.sequences.csv_table import quoted_lines

    whole = [each for each in spanned if len(each.cells) == header.width > 1]
    return quoted_lines(each.line for each in whole if len(each.cells[header.text].strip()) >= SHORTEST)


def _row(line: int, cells: Sequence[str], header: AbstractColumns) -> AbstractRecord | Reject:
    text, identifier = _cell(cells, header.text), _cell(cells, header.identifier)
    if not (text or "").strip():
        return Reject(line, EMPTY, "no text in the row's cell")
    try:
        (text or "").encode("utf-8")
    except UnicodeEncodeError as error:
        return Reject(line, ENCODING, f"the text is not UTF-8 from character {error.start + 1}")
    name = (identifier or "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return AbstractRecord(line, name or None, text)


def _cell(cells: Sequence[str], at: int | None) -> str | None:
    return cells[at] if at is not None and at < len(cells) else None
