"""From a request to blocks of sequences and options, whatever form the sequences came in."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from assay.errors import UPLOADS_HINT, InvalidOption, MalformedBody, Overtime, TooLarge, UnsupportedMediaType
from assay.http.messages import VAGUE, Part, Request, is_json, json_value, read_upload, require_one_value
from assay.models.model_choice import Pair
from assay.options import RANKING, RankOptions, read_options, require_known
from assay.sequences.blocks import Block
from assay.sequences.composition import tell_dna
from assay.sequences.formats import JSON_TYPES, LISTS, TYPES, Format, sniff_format
from assay.sequences.json_items import SEQUENCE, fields_of, parse_items
from assay.sequences.parsing import parse
from assay.text.packing import PACKED_TYPES, unpack
from assay.text.signatures import HEAD

MAX_BODY_BYTES = 16 << 20
"""What two models rank in well under the 29 seconds that API Gateway waits."""
MAX_SEQUENCES = 1_000_000
MAX_LINES = 8_000_000
"""More than the gateway lets through unzipped. Zipped blank lines cost nothing to send, and 16 million take 26 s."""
SECONDS = 18
"""Of the 29 that API Gateway waits: then a body becomes a job, however few bytes it has."""
OPTIONS = tuple(RANKING)
ACCEPTED = (
    "application/json",
    "text/plain",
    "text/x-fasta",
    "text/csv",
    "application/gzip",
    "application/octet-stream",
    "multipart/form-data",
)
Choose = Callable[[RankOptions], Pair]


@dataclass(frozen=True, slots=True)
class Input:
    """Blocks, read as they are consumed, what the caller chose, and the models for it."""

    blocks: Iterator[Block]
    options: RankOptions
    pair: Pair


def read_request(request: Request, choose: Choose) -> Input:
    """Return the sequences of a request, which the models that `choose` finds for its options say how to read.

    Raises InputError for a body, type or option that will not do, and as `choose` does.
    """
    if request.media_type == "multipart/form-data":
        parts = request.parts()
        fields = {name: part.body.decode("utf-8", "replace") for name, part in parts.items() if not part.filename}
        require_one_value(request.query, [name for name in fields if name in RANKING])
        return _read_file(read_upload(parts), choose, {**request.query, **fields})
    require_type(request.media_type)
    return _read_file(Part("body", "", request.content_type, request.body), choose, request.query)


def require_type(media_type: str) -> None:
    """Raise UnsupportedMediaType for what says that it is no sequences; text of any kind is read by its content."""
    known = media_type in (*ACCEPTED, *PACKED_TYPES, *TYPES, *JSON_TYPES, *VAGUE)
    if not known and not media_type.startswith("text/") and not media_type.endswith("+json"):
        raise UnsupportedMediaType(f"cannot read {media_type!r}; send one of {', '.join(ACCEPTED)}", accepted=ACCEPTED)


def require_top(options: RankOptions) -> RankOptions:
    """Return the options of a reply, which has the best and not all. Raises InvalidOption."""
    if options.output != "top":
        raise InvalidOption(
            "output=all is for files: send them through POST /uploads, or with the header Prefer: respond-async",
            option="output",
        )
    return options


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


def _read_json(data: bytes, choose: Choose, beside: Mapping[str, object]) -> Input:
    items, given = list_items(json_value(data, LISTS), read_options(RANKING, beside).get("column"))
    require_known(given, OPTIONS, "field")
    _hold_count(len(items), MAX_SEQUENCES)
    options = RankOptions(**read_options(RANKING, beside, given))
    if options.window:
        raise InvalidOption(
            "window is for FASTA, but the body is JSON: send FASTA, or leave window out", option="window", format="json"
        )
    pair = choose(options)
    columns = fields_of(data[:HEAD], options.column)
    block = parse_items(items, options.lenient(pair.contract), options.column, columns)
    blocks = tell_dna([block], b"", Format.JSON, pair.contract)
    return Input(_bounded(blocks, MAX_SEQUENCES), options, pair)


def _read_file(part: Part, choose: Choose, given: Mapping[str, object]) -> Input:
    data, fmt = sniff_body(part, read_options(RANKING, given).get("column"))
    if fmt is Format.JSON:
        return _read_json(data, choose, given)
    options = RankOptions(**read_options(RANKING, given))
    pair = choose(options)
    blocks = parse([data], fmt, options.lenient(pair.contract), column=options.column, windows=options.windows)
    blocks = tell_dna(blocks, data[:HEAD], fmt, pair.contract)
    return Input(_bounded(blocks, MAX_SEQUENCES if options.window else MAX_LINES), options, pair)


def _bounded(blocks: Iterator[Block], limit: int) -> Iterator[Block]:
    """Yield blocks until they hold more records than a request may have, or time is up. Raises TooLarge, Overtime."""
    received, latest = 0, time.monotonic() + SECONDS
    for block in blocks:
        received += block.received
        _hold_count(received, limit)
        if time.monotonic() > latest:  # what is ranked meanwhile counts too
            raise Overtime(f"the body takes longer than {SECONDS} s to rank; {UPLOADS_HINT}", seconds=SECONDS)
        yield block


def _hold_count(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge(f"over {limit:,} sequences; {UPLOADS_HINT}", limit=limit)
