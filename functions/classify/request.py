"""Reading of a classification request: JSON, plain text, a form, a PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from assay.abstracts import abstract_records
from assay.abstracts.abstract_records import LISTS, AbstractRecord, Layout, record_of
from assay.errors import MalformedBody, TooLarge, UnsupportedMediaType
from assay.http.encodings import Part
from assay.http.messages import VAGUE, Request, media_type
from assay.options import REQUESTING, ClassifyOptions, read_options, require_known
from assay.papers import MAX_BYTES
from assay.score_cache import Caching
from assay.sequences.formats import JSON_SUFFIXES, JSON_TYPES, TYPES, Format
from assay.text.json_values import looks_like_json, parse_several
from assay.text.packing import HEAD, PACKED_TYPES, refuse_file, unpack
from assay.text.records import Notice

MOST_ABSTRACTS = 64
OPTIONS = ("threshold", "top_k", "explain")
SUPPORTED = ("application/json", "text/plain", "application/pdf", "multipart/form-data")
_FORM = "application/x-www-form-urlencoded"
_WANTED = 'send {"abstract": "..."} or {"abstracts": ["...", ...]}'


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """Abstracts as they came, neither cleaned nor checked; `single` when one was sent by itself.

    `source` says which text was taken where the caller sent more than an abstract: a PDF. `caching` says whether
    scores that were computed before will do; `notices` what a caller should know of the input,
    `about` what stands beside each of several abstracts: its id, its other fields.
    """

    abstracts: Sequence[object]
    options: ClassifyOptions
    single: bool = True
    source: Mapping[str, object] | None = None
    caching: Caching = "use"
    notices: Sequence[Notice] = ()
    about: Sequence[Mapping[str, object]] = ()


def read_request(request: Request) -> ClassifyRequest:
    """Read a request by its content type; UnsupportedMediaType names those there are."""
    part, options = request.contents(OPTIONS, "abstract")
    kind, caching = media_type(part.content_type), choose_caching(request)
    if part.name == "abstract":
        found = ClassifyRequest([_text(part.body)], _options(options))
    else:
        found = _document(part, kind, options)
    return replace(found, caching=caching)


def choose_caching(request: Request) -> Caching:
    """Return what the request's Cache-Control asks for."""
    asked = {each.strip().lower() for each in request.headers.get("cache-control", "").split(",")}
    if "no-store" in asked:
        return "off"
    return "renew" if "no-cache" in asked else "use"


def _json(body: object, query: Mapping[str, str]) -> ClassifyRequest:
    if isinstance(body, list):
        return _several(body, _options(query))
    if not isinstance(body, Mapping):
        raise MalformedBody(_WANTED)
    options = _options(query, body)
    match body:
        case {"abstract": _, "abstracts": _}:
            raise MalformedBody('send "abstract" or "abstracts", not both')
        case {"abstract": abstract}:
            return ClassifyRequest([abstract], options)
        case {"abstracts": [*abstracts]}:
            return _several(abstracts, options)
        case {"abstracts": _}:
            raise MalformedBody('"abstracts" must be a list of strings')
    raise MalformedBody(_WANTED)


def _several(items: list[object], options: ClassifyOptions) -> ClassifyRequest:
    """Return a request for several; each is text, or an object as a line of a file has it."""
    found = [
        record_of(item, at) if isinstance(item, Mapping) else None for at, item in enumerate(_require_few(items), 1)
    ]
    texts = [each.text if isinstance(each, AbstractRecord) else item for each, item in zip(found, items, strict=True)]
    about = [{"id": each.id, **each.about} if isinstance(each, AbstractRecord) else {} for each in found]
    return ClassifyRequest(texts, options, single=False, about=about)


def _require_few(abstracts: list[Any]) -> list[Any]:
    if not abstracts:
        raise MalformedBody(f'"abstracts" is empty: send 1 to {MOST_ABSTRACTS}')
    if len(abstracts) > MOST_ABSTRACTS:
        message = f"{len(abstracts):,} abstracts, at most {MOST_ABSTRACTS} a request: split them"
        raise TooLarge(message, count=len(abstracts), maximum=MOST_ABSTRACTS)
    return abstracts


def _document(part: Part, kind: str, query: Mapping[str, str]) -> ClassifyRequest:
    """Read a body or a form's file: what it begins with says more than what it is called."""
    data, name = unpack(part.body, part.filename, MAX_BYTES)
    if data.startswith(b"%PDF-") or kind == "application/pdf":
        return _pdf(data, _options(query))
    called = name.lower().rpartition(".")[2] in JSON_SUFFIXES or kind in JSON_TYPES or kind.endswith("+json")
    if called or (kind in (*VAGUE, "text/plain") and looks_like_json(data)):
        return _json(parse_several(data, LISTS), query)
    if kind == _FORM and data.startswith(b"abstract="):
        fields = parse_qs(_text(data))
        return ClassifyRequest([fields["abstract"][-1]] if "abstract" in fields else [""], _options(query))
    if not kind.startswith("text/") and kind not in (*VAGUE, *PACKED_TYPES):
        raise UnsupportedMediaType(
            f"{kind[:80]!r} is not supported here; send {', '.join(SUPPORTED[:-1])} or {SUPPORTED[-1]}",
            supported=SUPPORTED,
        )
    refuse_file(data[:HEAD], abstracts=True)
    if TYPES.get(kind) is Format.CSV or name.lower().endswith((".csv", ".tsv")):
        return _table(data, _options(query))
    return ClassifyRequest([_text(data)], _options(query))


def _table(data: bytes, options: ClassifyOptions) -> ClassifyRequest:
    """Return a request for the rows of a table, as a file of abstracts has them. Raises UnreadableInput."""
    found = list(abstract_records.read_records([data], Layout.CSV))
    rows = _require_few([each for each in found if not isinstance(each, Notice)])
    texts = [each.text if isinstance(each, AbstractRecord) else "" for each in rows]
    about = [{"id": each.id, **each.about} if isinstance(each, AbstractRecord) else {} for each in rows]
    notices = [each for each in found if isinstance(each, Notice)]
    return ClassifyRequest(texts, options, single=False, about=about, notices=notices)


def _pdf(body: bytes, options: ClassifyOptions) -> ClassifyRequest:
    from assay.papers.pdf import extract

    found = extract(body)
    return ClassifyRequest([found.text], options, source=asdict(found))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"the text is not UTF-8: byte {error.start}") from None


def _options(query: Mapping[str, str], body: Mapping[str, object] | None = None) -> ClassifyOptions:
    """Return the options of query and JSON body, whose own count. Raises InvalidOption, for unknown fields too."""
    require_known(query, OPTIONS)
    require_known(body or {}, ("abstract", "abstracts", *OPTIONS), "field")
    return ClassifyOptions(**read_options({name: REQUESTING[name] for name in OPTIONS}, query, body or {}))


def read_old(request: Request) -> object:
    """Return the `abstract` of the old contract, whose clients send JSON under any content type, or a form."""
    record: Mapping[str, object]
    if request.media_type == "multipart/form-data":
        record = {name: _text(part.body) for name, part in request.parts().items()}
    elif request.media_type == _FORM and not request.looks_like_json:
        record = {name: values[-1] for name, values in parse_qs(_text(request.body)).items()}
    else:
        record = request.json()
    if "abstract" not in record:
        raise MalformedBody("This field is required.")
    return record["abstract"]
