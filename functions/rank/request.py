"""From a request to options and blocks of sequences, whatever form they came in."""

import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from assay.errors import UPLOADS_HINT, InvalidOption, MalformedBody, Overtime, TooLarge, UnsupportedMediaType
from assay.http.encodings import Part
from assay.http.messages import VAGUE, Request, is_json
from assay.options import RANKING, RankOptions, read_options, require_known
from assay.sequences.blocks import Block
from assay.sequences.composition import tell_dna
from assay.sequences.contract import Contract
from assay.sequences.formats import JSON_TYPES, LISTS, TYPES, Format, sniff_format
from assay.sequences.json_items import SEQUENCE, parse_items
from assay.sequences.parsing import parse
from assay.text.json_values import parse_several
from assay.text.packing import HEAD, PACKED_TYPES, unpack

MAX_BODY_BYTES = 16 << 20
"""What two models rank in well under the 29 seconds that API Gateway waits."""
MAX_SEQUENCES = 1_000_000
MAX_LINES = 8_000_000
"""More than the gateway lets through unzipped. Zipped blank lines cost nothing to send, and 16 million take 26 s."""
SECONDS = 18
"""Of the 29 that API Gateway waits: then a body becomes a job, however few bytes it has."""
OPTIONS = tuple(RANKING)
MOST_DESCRIBED = 100
"""Sequences of a request that asks what their chemistry is."""
READING = ("column", "window", "step", "terminator", "gaps", "pad")
"""The options that say how sequences are read."""
EXPLAINING = (*READING, "score_model", "gate_model")
"""The options of an explanation: the score model's measured sequences are those that are compared."""
ACCEPTED = (
    "application/json",
    "text/plain",
    "text/x-fasta",
    "text/csv",
    "application/gzip",
    "application/octet-stream",
    "multipart/form-data",
)


@dataclass(frozen=True, slots=True)
class RankRequest:
    """What a request asks to rank: its options as they were given and as they are read, and its sequences.

    `given` has the read values of the options that were given. `part` is what the caller sent, `data` the text in it,
    unpacked; `items` the list of a JSON body, else None.
    """

    given: Mapping[str, object]
    options: RankOptions
    part: Part
    data: bytes
    format: Format
    items: list[object] | None = None


def read_request(request: Request, known: Collection[str] = OPTIONS) -> RankRequest:
    """Read a request's options, of those `known`, and find its sequences. Raises InputError for what will not do."""
    kind, (part, sent) = request.media_type, request.contents(RANKING)
    require_type(kind)
    data, fmt = sniff_body(part, sent.get("column"))
    body = parse_several(data, LISTS) if fmt is Format.JSON else None
    require_known(sent, known)
    items, beside = list_items(body, sent.get("column")) if fmt is Format.JSON else (None, {})
    require_known(beside, known, "field")
    given = read_options(RANKING, sent, beside)
    options = RankOptions(**given)
    if options.window and items is not None:
        raise InvalidOption(
            "window is for FASTA, but the body is JSON: send FASTA, or leave window out", option="window", format="json"
        )
    return RankRequest(given, options, part, data, fmt, items)


def read_blocks(sent: RankRequest, wanted: Contract, most: int = MAX_LINES) -> Iterator[Block]:
    """Yield blocks of the sequences, read as they are consumed. Raises InputError, also where they are over `most`."""
    options, head = sent.options, sent.data[:HEAD]
    _require_top(options)
    limit = min(MAX_LINES if sent.items is None and not options.window else MAX_SEQUENCES, most)
    _hold_count(len(sent.items or ()), limit)
    contract = options.lenient(wanted)
    if sent.items is None:
        blocks = parse([sent.data], sent.format, contract, column=options.column, windows=options.windows)
    else:
        blocks = iter([parse_items(sent.items, contract, options.column, head)])
    return tell_dna(_bound(blocks, limit), head, sent.format, wanted)


def require_type(media_type: str) -> None:
    """Raise UnsupportedMediaType for what says that it is no sequences; text of any kind is read by its content."""
    known = media_type in (*ACCEPTED, *PACKED_TYPES, *TYPES, *JSON_TYPES, *VAGUE)
    if not known and not media_type.startswith("text/") and not media_type.endswith("+json"):
        raise UnsupportedMediaType(f"cannot read {media_type!r}; send one of {', '.join(ACCEPTED)}", accepted=ACCEPTED)


def _require_top(options: RankOptions) -> None:
    """Raise InvalidOption where a reply is to have all that passed: it has the best."""
    if options.output != "top":
        raise InvalidOption(
            "output=all is for files: send them through POST /uploads, or with the header Prefer: respond-async",
            option="output",
        )


def sniff_body(part: Part, column: str | None = None) -> tuple[bytes, Format]:
    """Return what a part holds, unpacked, and its format. Raises TooLarge, RuntimeMissing."""
    data, name = unpack(part.body, part.filename, MAX_BODY_BYTES)
    fmt = sniff_format(data[:HEAD], part.content_type, name, column)
    alone = fmt is Format.JSONL and is_json(part.content_type, data) and _is_alone(data)
    return data, Format.JSON if alone else fmt


def _is_alone(data: bytes) -> bool:
    """Say whether what is called JSON is one value, or has not even a brace: a request then, and no file of lines."""
    return data.lstrip()[:1] not in (b"{", b'"') or not re.search(rb"[\r\n]", data.strip())


def list_items(body: object, column: str | None = None) -> tuple[list[object], dict[str, object]]:
    """Return the sequences of a JSON body, and the options beside them; an object with one is a list of it.

    Raises MalformedBody.
    """
    options = dict(body) if isinstance(body, Mapping) else {}
    items = options.pop("sequences", None) if isinstance(body, Mapping) else body
    if isinstance(body, Mapping) and isinstance(body.get(column or SEQUENCE), str):
        return [body], {}
    if not isinstance(items, list):
        raise MalformedBody('the JSON needs a list "sequences"', field="sequences")
    return items, options


def _bound(blocks: Iterator[Block], limit: int) -> Iterator[Block]:
    """Yield blocks until they hold more records than a request may have, or time is up. Raises TooLarge, Overtime."""
    received, latest = 0, time.monotonic() + SECONDS
    for block in blocks:
        received += len(block.lines) + len(block.rejects)
        _hold_count(received, limit)
        if time.monotonic() > latest:  # what is ranked meanwhile counts too
            raise Overtime(f"the body takes longer than {SECONDS} s to rank; {UPLOADS_HINT}", seconds=SECONDS)
        yield block


def _hold_count(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge(f"over {limit:,} sequences; {UPLOADS_HINT}", limit=limit)
