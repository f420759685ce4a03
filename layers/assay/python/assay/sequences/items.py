"""Sequences as JSON has them: strings, or objects with a `sequence`, perhaps an `id`, and other fields to carry."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, NamedTuple, cast

import numpy as np

from assay.errors import MalformedBody, UnreadableInput
from assay.sequences.alphabet import DEFAULT, Contract
from assay.sequences.columns import cut_cells, name_columns, renamed
from assay.sequences.delimiters import place
from assay.sequences.framing import Frame
from assay.sequences.records import EMPTY, ENCODING, LIMITS, MALFORMED, Block, Limits, Reject, too_long
from assay.sequences.remarks import notice
from assay.sequences.sniffing import LISTS
from assay.sequences.validation import check_texts
from assay.sequences.values import Value, begin, decode_value, is_lines, values

SEQUENCE: Final = "sequence"
IDENTIFIER: Final = "id"
MANY_FIELDS: Final = 256
"""Fields that are carried."""
_SOME: Final = 4096


class Fields(NamedTuple):
    """The field that holds the sequence, and those that are carried."""

    wanted: str
    columns: tuple[str, ...] = ()


def parse_items(
    items: Sequence[object], contract: Contract = DEFAULT, column: str | None = None, columns: tuple[str, ...] = ()
) -> Block:
    """Encode and check a JSON list; lines are 1-based positions.

    Raises `MalformedBody` naming the first item that is neither a string nor such an object.
    """
    fields = Fields(column or SEQUENCE, columns)
    if set(map(type, items)) <= {str}:  # most requests, and nothing to look at but the texts
        texts = cast("Sequence[str]", items)
        found = check_texts(texts, np.arange(1, len(texts) + 1), contract, LIMITS, "surrogatepass")
        block = Block(found.codes, found.kept.astype(np.int64) + 1, rejects=found.rejects, contract=contract)
        block.notices.extend(found.notices)
        return block
    for index, item in enumerate(items):
        plain = isinstance(item, str) or (
            isinstance(item, dict)
            and isinstance(item.get(fields.wanted), str)
            and type(item.get(IDENTIFIER)) in _IDENTIFIERS
        )
        if not plain:
            _hold(item, index, fields.wanted)
    block = _block([*map(Value, range(1, len(items) + 1), items)], [], fields, contract, LIMITS)
    named = any(isinstance(item, dict) and IDENTIFIER in item for item in items)
    return block if named else replace(block, ids=None)


def parse_document(chunks: Iterable[bytes], contract: Contract, limits: Limits, column: str | None) -> Iterator[Block]:
    """Yield blocks of a document's records; a record's line is its position. Raises UnreadableInput."""
    head, rest = begin(chunks)
    fields = Fields(column or SEQUENCE, fields_of(head, column, limits))
    found = values(rest, LISTS, limits)
    while some := list(islice(found, min(_SOME, limits.block_records))):
        yield _block(some, [], fields, contract, limits)


def parse_json_lines(
    framed: Iterable[Frame], contract: Contract, limits: Limits, line: int, fields: Fields
) -> Iterator[Block]:
    """Yield blocks of records that stand one a line."""
    for frame in framed:
        if frame.overlong:
            yield _block([], [too_long(line, limits)], fields, contract, limits)
            line += 1
            continue
        lines = frame.data[:-1].split(b"\n")
        for first in range(0, len(lines), limits.block_records):
            part = lines[first : first + limits.block_records]
            read = [_read(at, text, limits) for at, text in enumerate(part, line + first)]
            good = [each for each in read if isinstance(each, Value)]
            bad = [each for each in read if isinstance(each, Reject)]
            yield _block(good, bad, fields, contract, limits)
        line += len(lines)


def fields_of(head: bytes, column: str | None, limits: Limits = LIMITS) -> tuple[str, ...]:
    """Return the names of the fields that are carried: those that records have that lie within the beginning."""
    wanted = (column or SEQUENCE).casefold()
    found: dict[str, None] = {}
    for record in _whole(head, limits):
        if isinstance(record, Mapping):
            found.update(dict.fromkeys(name for name in record if name.casefold() not in (wanted, IDENTIFIER)))
    return tuple(name.encode("utf-8", "replace").decode("utf-8") for name in islice(found, MANY_FIELDS))


def _whole(head: bytes, limits: Limits) -> Iterator[object]:
    """Yield the records of a beginning up to the first that is cut off, or no JSON."""
    if is_lines(head, LISTS):
        for text in head.replace(b"\r", b"\n").split(b"\n"):
            read = _read(1, text, limits)
            yield read.value if isinstance(read, Value) else None
        return
    try:
        for _, value in values([head], LISTS, limits):
            yield value
    except UnreadableInput:
        return


def _read(line: int, text: bytes, limits: Limits) -> Value | Reject:
    """Decode one line."""
    text = text.strip(b" \t")
    if not text:
        return Reject(line, EMPTY, "a blank line")
    if len(text) > limits.record_bytes:
        return too_long(line, limits)
    try:
        return Value(line, decode_value(text.decode("utf-8")))
    except UnicodeDecodeError as error:
        return Reject(line, ENCODING, f"byte 0x{text[error.start]:02X} at position {error.start + 1} is not UTF-8")
    except ValueError as error:
        return Reject(line, MALFORMED, str(error))


def _block(
    read: Sequence[Value], rejects: Sequence[Reject], fields: Fields, contract: Contract, limits: Limits
) -> Block:
    """Encode the sequences of records; carry ids and fields of those that hold the contract."""
    texts = [_sequence(value, fields.wanted) for _, value in read]
    good, wrong = read, []
    if None in texts:
        good = [each for each, text in zip(read, texts, strict=True) if text is not None]
        bad = (each.place for each, text in zip(read, texts, strict=True) if text is None)
        wrong = [Reject(place, MALFORMED, _shape(fields.wanted)) for place in bad]
    lines = np.fromiter((place for place, _ in good), np.int64, len(good))
    found = check_texts([text for text in texts if text is not None], lines, contract, limits, "surrogatepass")
    kept = [good[index].value for index in found.kept.tolist()]
    extra = [_carried(value, fields.columns) for value in kept] if fields.columns else None
    names = name_columns(fields.columns)
    block = Block(
        found.codes,
        lines[found.kept],
        [_identifier(value) for value in kept],
        extra,
        sorted([*found.rejects, *wrong, *rejects]),
        names,
        contract,
    )
    block.notices.extend(renamed(fields.columns, names))
    block.notices.extend(cut_cells(extra, block.lines.tolist()) if extra else [])
    block.notices.extend(found.notices)
    known = frozenset((fields.wanted, IDENTIFIER, *fields.columns))
    lost = [place for place, value in good if not isinstance(value, str) and _has_more(value, known)]
    if lost:
        block.notices.append(notice("fields_left_out", _LEFT_OUT, lost))
    return block


_LEFT_OUT: Final = (
    "records have fields that none of the first records have; only fields that stand in the first 64 KiB are carried"
)


def _has_more(value: dict[str, object], known: frozenset[str]) -> bool:
    """Say whether an object has fields that are neither read nor carried, in any letters' case."""
    if value.keys() <= known:
        return False
    folded = {name.casefold() for name in known}
    return any(name not in known and name.casefold() not in folded for name in value)


def _sequence(value: object, wanted: str) -> str | None:
    """Return the sequence of a record, None where it has none."""
    if isinstance(value, str):
        return value
    found = value
    if isinstance(value, dict):
        found = value.get(wanted)
        if found is None and (at := place(names := list(value), wanted)) is not None:
            found = value[names[at]]
    return found if isinstance(found, str) else None


def _shape(wanted: str) -> str:
    return f'not a string, nor an object with a string "{wanted}"'


def _identifier(value: object) -> str:
    """Return the id of a record as text that UTF-8 can carry, empty where it has none."""
    return _cell(value.get(IDENTIFIER)) if isinstance(value, dict) else ""


_IDENTIFIERS: Final = (str, int, type(None))


def _carried(value: object, columns: Sequence[str]) -> tuple[str, ...]:
    fields: Mapping[str, object] = value if isinstance(value, Mapping) else {}
    return tuple(_cell(fields.get(name)) for name in columns)


def _cell(value: Any) -> str:
    """Return a field as the cell of a table has it: text as it is, what nests as JSON, nothing for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _hold(item: object, index: int, wanted: str) -> None:
    """Raise MalformedBody for what is no sequence of a request."""
    if not isinstance(item, dict) or _sequence(item, wanted) is None:
        raise MalformedBody(f'sequences[{index}] must be a string or {{"id": ..., "{wanted}": "..."}}', index=index)
    name = item.get(IDENTIFIER)
    if isinstance(name, bool) or not isinstance(name, str | int | None):
        raise MalformedBody(f"the id of sequences[{index}] must be a string or an integer", index=index)
