"""Sequences in JSON: strings, or objects with a `sequence`, an optional `id`, and other fields to carry."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, repeat
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from assay.errors import MalformedBody, UnreadableInput
from assay.sequences.blocks import Block, check_texts, number_lines
from assay.sequences.carried_columns import cut_cells, name_columns, rename_columns
from assay.sequences.contract import DEFAULT, Contract
from assay.sequences.formats import LISTS
from assay.text.delimiters import find_column
from assay.text.json_values import Value, decode_value, is_lines, values
from assay.text.lines import Frame
from assay.text.packing import split_head
from assay.text.records import EMPTY, ENCODING, LIMITS, MALFORMED, Limits, Notice, Reject, notice, too_long

SEQUENCE: Final = "sequence"
IDENTIFIER: Final = "id"
MANY_FIELDS: Final = 256
"""Fields that are carried."""
_SOME: Final = 4096


class ItemFields(NamedTuple):
    """The field that holds the sequence, and those that are carried."""

    wanted: str
    columns: tuple[str, ...] = ()


def parse_items(
    items: Sequence[object], contract: Contract = DEFAULT, column: str | None = None, head: bytes = b""
) -> Block:
    """Encode and check a JSON list; lines are 1-based positions. Fields that are in its `head` are carried.

    Raises `MalformedBody` naming the first item that is neither a string nor such an object.
    """
    if set(map(type, items)) <= {str}:  # most requests, and nothing to look at but the texts
        texts = cast("Sequence[str]", items)
        found = check_texts(texts, np.arange(1, len(texts) + 1), contract, LIMITS, "surrogatepass")
        block = Block(found.codes, found.kept.astype(np.int64) + 1, rejects=found.rejects, contract=contract)
        block.notices.extend(found.notices)
        return block
    wanted = column or SEQUENCE
    fields = ItemFields(wanted, () if _are_bare(items, wanted) else fields_of(head, column))
    if not _are_plain(items, fields.wanted):
        for index, item in enumerate(items):
            if not isinstance(item, str):
                _hold(item, index, fields.wanted)
    block = _block(range(1, len(items) + 1), items, [], fields, contract, LIMITS)
    named = any(isinstance(item, dict) and IDENTIFIER in item for item in items)
    return block if named else replace(block, ids=None)


def parse_document(chunks: Iterable[bytes], contract: Contract, limits: Limits, column: str | None) -> Iterator[Block]:
    """Yield blocks of a document's records; a record's line is its position. Raises UnreadableInput."""
    head, rest = split_head(chunks)
    fields = ItemFields(column or SEQUENCE, fields_of(head, column, limits))
    found = values(rest, LISTS, limits)
    while some := list(islice(found, min(_SOME, limits.block_records))):
        yield _block([each.place for each in some], [each.value for each in some], [], fields, contract, limits)


def parse_json_lines(
    framed: Iterable[Frame], contract: Contract, limits: Limits, line: int, fields: ItemFields
) -> Iterator[Block]:
    """Yield blocks of records, one a line."""
    for frame in framed:
        if frame.overlong:
            yield _block([], [], [too_long(line, limits)], fields, contract, limits)
            line += 1
            continue
        lines = frame.data[:-1].split(b"\n")
        for first in range(0, len(lines), limits.block_records):
            part = lines[first : first + limits.block_records]
            read = [_read(at, text, limits) for at, text in enumerate(part, line + first)]
            good = [each for each in read if isinstance(each, Value)]
            bad = [each for each in read if isinstance(each, Reject)]
            places, records = [each.place for each in good], [each.value for each in good]
            yield _block(places, records, bad, fields, contract, limits)
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
    """Decode one line; its blanks count in its size, as they do where a line is skipped unread."""
    if len(text) > limits.record_bytes:
        return too_long(line, limits)
    text = text.strip(b" \t")
    if not text:
        return Reject(line, EMPTY, "a blank line")
    try:
        return Value(line, decode_value(text.decode("utf-8")))
    except UnicodeDecodeError as error:
        return Reject(line, ENCODING, f"byte 0x{text[error.start]:02X} at position {error.start + 1} is not UTF-8")
    except ValueError as error:
        return Reject(line, MALFORMED, str(error))


def _block(
    places: Sequence[int],
    records: Sequence[object],
    rejects: Sequence[Reject],
    fields: ItemFields,
    contract: Contract,
    limits: Limits,
) -> Block:
    """Encode the sequences of records; carry ids and fields of those that hold the contract."""
    texts = _sequences(records, fields.wanted)
    lines, wrong = number_lines(places), list(rejects)
    if None in texts:
        has = [at for at, text in enumerate(texts) if text is not None]
        wrong += [Reject(places[at], MALFORMED, _shape(fields.wanted)) for at, text in enumerate(texts) if text is None]
        texts, records, lines = [texts[at] for at in has], [records[at] for at in has], lines[has]
    found = check_texts(cast("Sequence[str]", texts), lines, contract, limits, "surrogatepass")
    whole = len(found.kept) == len(records)
    kept = records if whole else [records[index] for index in found.kept.tolist()]
    extra = _carry(kept, fields.columns) if fields.columns else None
    names = name_columns(fields.columns)
    all_rejects = sorted([*found.rejects, *wrong])
    block = Block(found.codes, lines[found.kept], _cells(kept, IDENTIFIER), extra, all_rejects, names, contract)
    block.notices.extend(rename_columns(fields.columns, names))
    block.notices.extend(cut_cells(extra, block.lines.tolist()) if extra else [])
    block.notices.extend(found.notices)
    block.notices.extend(_notice_left_out(records, lines, frozenset((fields.wanted, IDENTIFIER, *fields.columns))))
    return block


_LEFT_OUT: Final = "records have fields that the first records lack; only fields within the first 64 KiB are carried"


def _notice_left_out(records: Sequence[object], lines: NDArray[np.int64], known: frozenset[str]) -> list[Notice]:
    """Return the notice of objects that have fields that are neither read nor carried, in any letters' case."""
    objects = [record for record in records if isinstance(record, dict)]
    if known.issuperset(set[str]().union(*objects)):
        return []
    folded = {name.casefold() for name in known}
    more = {name for name in set[str]().union(*objects) if name.casefold() not in folded}
    lost = [at for at, record in enumerate(records) if isinstance(record, dict) and not more.isdisjoint(record)]
    return [notice("fields_left_out", _LEFT_OUT, lines[lost].tolist())] if lost else []


def _sequences(records: Sequence[object], wanted: str) -> Sequence[str | None]:
    """Return the sequence of each record, None if it has no sequence."""
    if set(map(type, records)) == {dict}:
        texts = [*map(dict.get, cast("Sequence[dict[str, object]]", records), repeat(wanted))]
        if set(map(type, texts)) == {str}:
            return cast("list[str | None]", texts)
    return [_sequence(record, wanted) for record in records]


def _are_bare(items: Sequence[object], wanted: str) -> bool:
    """Say whether all items are objects without a field that might be carried."""
    if set(map(type, items)) != {dict}:
        return False
    return {wanted, IDENTIFIER}.issuperset(set[str]().union(*cast("Sequence[dict[str, object]]", items)))


def _are_plain(items: Sequence[object], wanted: str) -> bool:
    """Say whether all items are objects with a sequence, and an id that may be one."""
    if set(map(type, items)) != {dict}:
        return False
    objects = cast("Sequence[dict[str, object]]", items)
    good = set(map(type, map(dict.get, objects, repeat(wanted)))) == {str}
    return good and set(map(type, map(dict.get, objects, repeat(IDENTIFIER)))) <= _IDENTIFIERS


def _sequence(value: object, wanted: str) -> str | None:
    """Return the sequence of a record, None if it has no sequence."""
    if isinstance(value, str):
        return value
    found = value
    if isinstance(value, dict):
        found = value.get(wanted)
        if found is None and (at := find_column(names := list(value), wanted)) is not None:
            found = value[names[at]]
    return found if isinstance(found, str) else None


def _shape(wanted: str) -> str:
    return f'neither a string nor an object with a string "{wanted}"'


_IDENTIFIERS: Final = frozenset((str, int, type(None)))


def _carry(records: Sequence[object], columns: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*(_cells(records, name) for name in columns), strict=True))


def _cells(records: Sequence[object], name: str) -> list[str]:
    """Return a field of each record as text that UTF-8 can carry, empty if it is missing."""
    if set(map(type, records)) == {dict}:
        found = [*map(dict.get, cast("Sequence[dict[str, Any]]", records), repeat(name), repeat(""))]
    else:
        found = [record.get(name, "") if isinstance(record, dict) else "" for record in records]
    if set(map(type, found)) <= {str} and "".join(found).isascii():
        return found
    return [_cell(value) for value in found]


def _cell(value: Any) -> str:
    """Return a field as the cell of a table has it: text as it is, what nests as JSON, nothing for null."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _hold(item: object, index: int, wanted: str) -> None:
    """Raise MalformedBody unless this is a sequence of a request."""
    if not isinstance(item, dict) or _sequence(item, wanted) is None:
        raise MalformedBody(f'sequences[{index}] must be a string or {{"id": ..., "{wanted}": "..."}}', index=index)
    name = item.get(IDENTIFIER)
    if isinstance(name, bool) or not isinstance(name, str | int | None):
        raise MalformedBody(f"the id of sequences[{index}] must be a string or an integer", index=index)
