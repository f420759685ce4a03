"""From a request to blocks of sequences and options, whatever form the sequences came in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from assay.errors import InvalidOption, MalformedBody, TooLarge, UnsupportedMediaType
from assay.forms import Part
from assay.http import UPLOADS_HINT, Request, is_json, parse_json, upload
from assay.options import RANKING, hold_known
from assay.ranking import RankOptions
from assay.sequences import Block, gunzip, parse, parse_items, sniff
from assay.sequences.compression import MAGIC
from assay.sequences.sniffing import TYPES
from rank.pair import Pair

MAX_BODY_BYTES = 16 << 20
"""What two models rank in well under the 29 seconds that API Gateway waits."""
MAX_SEQUENCES = 1_000_000
MAX_LINES = 8_000_000
"""More than the gateway lets through unzipped. Zipped blank lines cost nothing to send, and 16 million take 26 s."""
_HEAD = 4096
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
_SYNONYMS = ("application/x-gzip", *TYPES)
_FORM = "application/x-www-form-urlencoded"
Choose = Callable[[RankOptions], Pair]


@dataclass(frozen=True, slots=True)
class Input:
    """Blocks, read as they are consumed, what the caller chose, and the models for it."""

    blocks: Iterator[Block]
    options: RankOptions
    pair: Pair


def read(request: Request, choose: Choose) -> Input:
    """Return the sequences of a request, which the models that `choose` finds for its options say how to read.

    Raises InputError for a body, type or option that will not do, and as `choose` does.
    """
    options = with_options(RankOptions(), request.query)
    request = replace(request, body=unpacked(request.body))
    if request.looks_like_json:
        return _read_json(request.json(), choose, options)
    if request.media_type == "multipart/form-data":
        parts = request.parts()
        fields = {name: part.body.decode("utf-8", "replace") for name, part in parts.items() if not part.filename}
        return _read_file(upload(parts), choose, with_options(options, fields))
    if request.media_type not in (*ACCEPTED, *_SYNONYMS, _FORM, ""):
        raise UnsupportedMediaType(
            f"cannot read {request.media_type!r}; send one of {', '.join(ACCEPTED)}", accepted=ACCEPTED
        )
    return _read_file(Part("body", "", request.content_type, request.body), choose, options)


def hold_top(options: RankOptions) -> RankOptions:
    """Return the options of a reply, which has the best and not all. Raises InvalidOption."""
    if options.output != "top":
        raise InvalidOption(
            "output=all is for files: send them through POST /uploads, or with the header Prefer: respond-async",
            option="output",
        )
    return options


def with_options(options: RankOptions, given: Mapping[str, object]) -> RankOptions:
    """Return `options` with those of `given` that have a known name. Raises InvalidOption."""
    wanted = {name: given[name] for name in RANKING if given.get(name) is not None}
    chosen: dict[str, Any] = {name: RANKING[name](value, name) for name, value in wanted.items()}
    return replace(options, **chosen)


def _read_json(body: Mapping[str, object], choose: Choose, options: RankOptions) -> Input:
    items = body.get("sequences")
    if not isinstance(items, list):
        raise MalformedBody('the JSON needs a list "sequences"', field="sequences")
    hold_known(body, ("sequences", *OPTIONS), "field")
    _hold_count(len(items), MAX_SEQUENCES)
    options = with_options(options, body)
    if options.window:
        raise InvalidOption("window is for FASTA, and this is JSON", option="window", format="json")
    pair = choose(options)
    return Input(iter([parse_items(items, pair.contract)]), options, pair)


def _read_file(part: Part, choose: Choose, options: RankOptions) -> Input:
    data = unpacked(part.body)
    if is_json(part.content_type, data):
        body = parse_json(data)
        return _read_json(body if isinstance(body, dict) else {"sequences": body}, choose, options)
    fmt = sniff(data[:_HEAD], part.content_type, part.filename)
    pair = choose(options)
    blocks = parse([data], fmt, pair.contract, column=options.column, windows=options.windows)
    return Input(_bounded(blocks, MAX_SEQUENCES if options.window else MAX_LINES), options, pair)


def _bounded(blocks: Iterator[Block], limit: int) -> Iterator[Block]:
    """Yield blocks until they hold more records than a request may have. Raises TooLarge."""
    received = 0
    for block in blocks:
        received += block.received
        _hold_count(received, limit)
        yield block


def _hold_count(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge(f"over {limit:,} sequences; {UPLOADS_HINT}", limit=limit)


def unpacked(body: bytes) -> bytes:
    """Return a body as it is, or unzipped where it is gzip. Raises UnreadableInput, TooLarge."""
    if not body.startswith(MAGIC):
        return body
    try:
        return b"".join(gunzip([body], limit=MAX_BODY_BYTES))
    except TooLarge as error:
        raise TooLarge(f"{error.message}; {UPLOADS_HINT}", limit=MAX_BODY_BYTES) from None
