"""Reading of a classification request: JSON, plain text, a form, a PDF."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from urllib.parse import parse_qs

from assay.abstracts.options import ClassifyOptions
from assay.cache import Caching
from assay.errors import MalformedBody, TooLarge, UnsupportedMediaType
from assay.http import Request, is_json, json_object, media_type, upload
from assay.options import hold_known, integer, number
from assay.sequences import Notice

MOST_ABSTRACTS = 64
OPTIONS = ("threshold", "top_k")
SUPPORTED = ("application/json", "text/plain", "application/pdf", "multipart/form-data")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class ClassifyRequest:
    """Abstracts as they came, neither cleaned nor checked; `single` when one was sent by itself.

    `source` says which text was taken where the caller sent more than an abstract: a PDF. `caching` says whether
    scores that were computed before will do; `notices` what a caller should know of the input.
    """

    abstracts: Sequence[object]
    options: ClassifyOptions
    single: bool = True
    source: Mapping[str, object] | None = None
    caching: Caching = "use"
    notices: Sequence[Notice] = ()


def read(request: Request) -> ClassifyRequest:
    """Read a request by its content type; UnsupportedMediaType names those there are."""
    return replace(_body(request), caching=caching(request))


def caching(request: Request) -> Caching:
    """Return what the request's Cache-Control asks for."""
    asked = {each.strip().lower() for each in request.headers.get("cache-control", "").split(",")}
    if "no-store" in asked:
        return "off"
    return "renew" if "no-cache" in asked else "use"


def _body(request: Request) -> ClassifyRequest:
    if request.looks_like_json:
        return _json(request.json(), request.query)
    if request.media_type == "multipart/form-data":
        return _form(request)
    return _document(request.media_type, request.body, request.query)


def _json(record: Mapping[str, object], query: Mapping[str, str]) -> ClassifyRequest:
    hold_known(record, ("abstract", "abstracts", *OPTIONS), "field")
    options = _options(record, query)
    match record:
        case {"abstract": _, "abstracts": _}:
            raise MalformedBody('send "abstract" or "abstracts", not both')
        case {"abstract": abstract}:
            return ClassifyRequest([abstract], options)
        case {"abstracts": [*abstracts]}:
            return ClassifyRequest(_counted(abstracts), options, single=False)
        case {"abstracts": _}:
            raise MalformedBody('"abstracts" must be a list of strings')
    raise MalformedBody('send {"abstract": "..."} or {"abstracts": ["...", ...]}')


def _counted(abstracts: list[object]) -> list[object]:
    if not abstracts:
        raise MalformedBody(f'"abstracts" is empty: send 1 to {MOST_ABSTRACTS}')
    if len(abstracts) > MOST_ABSTRACTS:
        message = f"{len(abstracts):,} abstracts, at most {MOST_ABSTRACTS} a request: split them"
        raise TooLarge(message, count=len(abstracts), maximum=MOST_ABSTRACTS)
    return abstracts


def _form(request: Request) -> ClassifyRequest:
    parts = request.parts()
    options = {name: _text(part.body) for name, part in parts.items() if name in OPTIONS and part.body}
    if "abstract" in parts:
        return ClassifyRequest([_text(parts["abstract"].body)], _options(options, request.query))
    file = upload(parts)
    kind = media_type(file.content_type)
    if is_json(kind, b""):
        return _json(json_object(file.body), {**request.query, **options})
    if file.body.startswith(b"%PDF-"):
        kind = "application/pdf"
    return _document("" if kind == "application/octet-stream" else kind, file.body, {**request.query, **options})


def _document(media_type: str, body: bytes, query: Mapping[str, str]) -> ClassifyRequest:
    options = _options(query)
    if media_type == "application/pdf":
        return _pdf(body, options)
    if media_type.startswith("text/") or not media_type:
        return ClassifyRequest([_text(body)], options)
    raise UnsupportedMediaType(
        f"{media_type[:80]!r} is not read here; send {', '.join(SUPPORTED[:-1])} or {SUPPORTED[-1]}",
        supported=SUPPORTED,
    )


def _pdf(body: bytes, options: ClassifyOptions) -> ClassifyRequest:
    from assay.pdf import extract

    found = extract(body)
    return ClassifyRequest([found.text], options, source=asdict(found))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"the text is not UTF-8: byte {error.start}") from None


def _options(*sources: Mapping[str, object]) -> ClassifyOptions:
    """Return the options; of several sources the first that names an option counts."""
    threshold, top_k = (_first(name, sources) for name in OPTIONS)
    return ClassifyOptions(
        None if threshold is None else number(threshold, "threshold"),
        None if top_k is None else integer(top_k, "top_k"),
    )


def _first(name: str, sources: Sequence[Mapping[str, object]]) -> object | None:
    return next((source[name] for source in sources if source.get(name) is not None), None)


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
