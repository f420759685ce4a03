"""HTTP as a REST API's proxy events have it: requests in, replies out, and the one map from errors to statuses."""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from assay.errors import (
    AssayError,
    Conflict,
    Forbidden,
    InputError,
    MalformedBody,
    NotAcceptable,
    NotFound,
    ObjectChanged,
    ServiceError,
    StrictReject,
    TooLarge,
    UnreadableInput,
    UnsupportedMediaType,
)
from assay.http.encodings import GZIP, Part, decode_body, parse_multipart, unpack_gzip
from assay.text.json_values import looks_like_json, parse_json

if TYPE_CHECKING:
    from assay.aws.s3 import Bucket

_SESSION: Final = re.compile(r"(:assumed-role/[^/]+)/.*", re.DOTALL)
"""What names one session of a role: a task or a function has another one each time it starts."""
_LETTERS: Final = 32


def name_caller(event: Mapping[str, Any]) -> str:
    """Return a hash of what API Gateway found of the caller, a signature's role or user before an API key's id.

    Empty where it found neither: the route is open. What the request itself says of its sender counts for nothing.
    """
    identity = (event.get("requestContext") or {}).get("identity") or {}
    found = _SESSION.sub(r"\1", identity.get("userArn") or "") or identity.get("apiKeyId") or ""
    return sha256(f"caller {found}".encode()).hexdigest()[:_LETTERS] if found else ""


STATUS: Final[Mapping[type[AssayError], int]] = {
    Forbidden: 403,
    NotFound: 404,
    NotAcceptable: 406,
    Conflict: 409,
    ObjectChanged: 409,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    StrictReject: 422,
    UnreadableInput: 422,
    InputError: 400,
    ServiceError: 503,
    AssayError: 500,
}
RETRY_AFTER_SECONDS: Final = 10
_LONGEST_TEXT = 1000
_LONGEST_TYPE = 100
_REPLACED: Final = "\ufffd"
_NEVER_TEXT: Final = ("image/", "audio/", "video/", "font/")
"""Types that no route takes: they are refused for that, and not for how they arrived."""
_NOT_UTF_8: Final = "the body is not UTF-8 and arrived damaged, first at character"
_GZIP_AS_TEXT: Final = "\x1f\ufffd"
"""How gzip begins once API Gateway has read it as UTF-8, which it does but for the template's BinaryMediaTypes."""
RESPOND_ASYNC: Final = "respond-async"
VAGUE: Final = (
    "",
    "application/x-www-form-urlencoded",  # what `curl -d` says of anything
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-binary",
    "application/force-download",
    "application/gzip",
    "application/x-gzip",
)
"""Types that say nothing of what is inside: the content does."""


@dataclass(frozen=True, slots=True)
class Response:
    """A reply before it becomes a proxy result."""

    status: int
    body: str
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A request: header and query names in lower case, the body as bytes; `caller` as `name_caller` names it."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    caller: str = ""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Request":
        """Read a REST API proxy event.

        Raises MalformedBody if the body cannot be decoded, or an option is given twice; UnsupportedMediaType, TooLarge
        for a Content-Encoding.
        """
        headers = {name.lower(): value or "" for name, value in (event.get("headers") or {}).items()}
        query = _query(event)
        body = _body(event.get("body") or "", bool(event.get("isBase64Encoded")), headers.get("content-type", ""))
        if body and headers.get("content-encoding"):
            body = decode_body(body, headers["content-encoding"])
        return cls(event.get("httpMethod", "GET"), event.get("path", "/"), headers, query, body, name_caller(event))

    @property
    def content_type(self) -> str:
        """Return the Content-Type header as it came: a boundary is case-sensitive."""
        return self.headers.get("content-type", "")

    @property
    def media_type(self) -> str:
        """Return the content type in lower case, without parameters."""
        return media_type(self.content_type)

    @property
    def accept(self) -> str:
        """Return the header Accept, empty if there is none."""
        return self.headers.get("accept", "")

    @property
    def prefers_async(self) -> bool:
        """Say whether the caller would rather not wait: `Prefer: respond-async`."""
        wishes = self.headers.get("prefer", "").split(",")
        return RESPOND_ASYNC in {wish.partition(";")[0].strip().lower() for wish in wishes}

    @property
    def looks_like_json(self) -> bool:
        """Say whether the body is to be read as JSON."""
        return is_json(self.content_type, self.body)

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object. Raises MalformedBody with the place of the mistake."""
        return json_object(self.body)

    def parts(self) -> dict[str, Part]:
        """Return the parts of a multipart body by name. Raises MalformedBody, also where two have one name."""
        return parse_multipart(self.body, self.content_type)

    def contents(self, options: Collection[str], *names: str) -> tuple[Part, dict[str, str]]:
        """Return what is sent and the options beside it, by query or form; a form's file, or its field of `names`.

        Raises MalformedBody where the form has none, or an option stands in query and form.
        """
        if self.media_type != "multipart/form-data":
            return Part("body", "", self.content_type, self.body), dict(self.query)
        parts = self.parts()
        given = {name: part for name, part in parts.items() if name in options and not part.filename}
        for name in given:  # neither may be dropped unseen
            if name in self.query:
                raise MalformedBody(f"{name!r} is in the query and in the form: send it once", field=name)
        fields = {name: part.body.decode("utf-8", "replace") for name, part in given.items() if part.body}
        return _find_upload(parts, (*names, "input_file")), {**self.query, **fields}


def _query(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the query's options. Raises MalformedBody where one stands twice: neither may be dropped unseen."""
    given = event.get("multiValueQueryStringParameters") or {}
    query: dict[str, str] = {}
    for name, value in (event.get("queryStringParameters") or {}).items():
        if len(given.get(name) or ()) > 1 or name.lower() in query:
            raise MalformedBody(f"the query has {name[:80]!r} more than once: send it once", field=name)
        query[name.lower()] = value
    return query


def _body(text: str, is_base64: bool, content_type: str) -> bytes:
    if not is_base64:
        if text.startswith(_GZIP_AS_TEXT):
            said = repr(media_type(content_type)[:_LONGEST_TYPE]) if content_type else "no Content-Type"
            raise MalformedBody(
                f"the body is gzip, but was sent as {said}, so it was read as text and arrived damaged: "
                "send it again with the header Content-Type: application/gzip"
            )
        if _REPLACED in text and not media_type(content_type or "").startswith(_NEVER_TEXT):
            raise MalformedBody(f"{_NOT_UTF_8} {text.index(_REPLACED) + 1}: save it as UTF-8 and send it again")
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedBody("the body is not valid base64") from None


def media_type(content_type: str) -> str:
    """Return a content type in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str, body: bytes) -> bool:
    """Say whether a body is JSON: it is called that, or begins so under a type that says nothing."""
    named = media_type(content_type)
    return named == "application/json" or named.endswith("+json") or (named in VAGUE and looks_like_json(body))


def json_object(body: bytes) -> dict[str, Any]:
    """Return a JSON body that is an object. Raises MalformedBody."""
    value = parse_json(unpack_gzip(body) if body.startswith(GZIP) else body)
    if not isinstance(value, dict):
        raise MalformedBody(f"the body must be a JSON object, not {_kind(value)}")
    return value


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _find_upload(parts: Mapping[str, Part], names: Sequence[str]) -> Part:
    """Return the first part that has one of the names. Raises MalformedBody."""
    if found := next((parts[name] for name in names if name in parts), None):
        return found
    has = f"; it has {', '.join(sorted(parts)[:8])}" if parts else ""
    raise MalformedBody(f"the form has no field {names[-1]!r}{has}", field=names[-1])


def status_of(error: AssayError) -> int:
    """Return the status of the nearest class in `STATUS`."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def error_body(code: str, message: str, details: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return the one shape of every error; what it quotes of a request is cut, for Lambda bounds replies."""
    return {"error": {"code": code, "message": _shorten(message), "details": _shorten(dict(details or {}))}}


def _shorten(value: object) -> object:
    match value:
        case str() if len(value) > _LONGEST_TEXT:
            return f"{value[:_LONGEST_TEXT]}..."
        case dict():
            return {name: _shorten(each) for name, each in value.items()}
        case list() | tuple():
            return [_shorten(each) for each in value]
    return value


def error_response(error: AssayError) -> Response:
    """Return the reply to an error of the tree."""
    status = status_of(error)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    return Response(status, dumps(error_body(error.code, error.message, error.details)), headers=headers)


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON reply."""
    return Response(status, dumps(value), headers=headers or {})


def text_response(lines: Iterable[str], headers: Mapping[str, str] | None = None) -> Response:
    """Return a plain-text reply, each line ended by LF."""
    return Response(200, "".join(f"{line}\n" for line in lines), "text/plain; charset=utf-8", headers or {})


def ndjson_response(values: Iterable[object], headers: Mapping[str, str] | None = None) -> Response:
    """Return a reply of one JSON value a line."""
    return Response(200, "".join(f"{dumps(value)}\n" for value in values), "application/x-ndjson", headers or {})


def dumps(value: object) -> str:
    """Return compact JSON that UTF-8 can hold: half a surrogate pair becomes "?". ValueError for NaN, our mistake."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode("utf-8")


_QUALITY: Final = re.compile(r";\s*q\s*=\s*([01](?:\.\d{0,3})?)", re.IGNORECASE)


def choose_form(accept: str, offered: Sequence[str]) -> str:
    """Return the media type of `offered` that is wanted most, the earliest of equals. Raises NotAcceptable."""
    ranges = dict(_ranges(accept))
    if not ranges:
        return offered[0]
    wanted = {each: _quality(each, ranges) for each in offered}
    best = max(offered, key=lambda each: wanted[each])
    if wanted[best] <= 0:
        shown = accept[:100]
        raise NotAcceptable(f"cannot answer as {shown!r}; accept one of {', '.join(offered)}", offered=offered)
    return best


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.lower().split(","):
        name = part.partition(";")[0].strip()
        quality = _QUALITY.search(part)
        if name:
            yield name, float(quality[1]) if quality else 1.0


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    """Return the quality that the most specific range gives a media type, 0 where none has it."""
    family = media_type.partition("/")[0]
    return next((ranges[each] for each in (media_type, f"{family}/*", "*/*") if each in ranges), 0.0)


_CARRIED: Final = 6_200_000
"""Bytes of body, escaped as Lambda's runtime escapes it within a reply, that one call carries beside the headers."""
_ESCAPED: Final = 6
"""Characters that escaping makes of a byte at most."""


def deliver(
    reply: Response, results: "Bucket", limit: int, *, filename: str, about: Mapping[str, object] | None = None
) -> Response:
    """Return the reply itself; over `limit` bytes or Lambda's own limit, a link to its body in the results bucket.

    Who asked for JSON gets 200 with `result_url` and what else is said `about` it; who asked for another form is sent
    to the link itself, which is of that form (303).
    """
    encoded = reply.body.encode()
    if len(encoded) <= limit and (_ESCAPED * len(encoded) <= _CARRIED or len(json.dumps(reply.body)) <= _CARRIED):
        return reply
    key = f"results/{secrets.token_hex(16)}/{filename}"
    results.put(key, encoded, reply.content_type)
    link = results.link(key, filename=filename)
    body = json_response({"result_url": link, **(about or {})})
    if media_type(reply.content_type) == "application/json":
        return body
    return replace(body, status=303, headers={**reply.headers, "Location": link})
