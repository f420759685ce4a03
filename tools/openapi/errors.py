"""Every status that is not a success, with the codes that come with it: from the error tree, and from API Gateway."""

from collections.abc import Iterator

from assay import serving
from assay.errors import AssayError
from assay.http import RETRY_AFTER_SECONDS, STATUS, error_body
from tools.openapi.parts import Schema, content, header, ref, reply

EVERYWHERE = (429, 500, 504)
KEYED = 403
# What API Gateway answers before or instead of a function, as `GatewayResponses` in the template say.
GATEWAY = {
    400: ("bad_request",),
    403: ("forbidden",),
    404: ("not_found",),
    413: ("too_large",),
    415: ("unsupported_media_type",),
    429: ("throttled", "quota_exceeded"),
    500: ("internal",),
    504: ("timeout",),
}
# status: name, meaning, and an example's code and message
_MEANING = {
    400: (
        "BadRequest",
        "The body or an option is malformed; the message says where.",
        "invalid_option",
        "top_k must be an integer in 1..10000",
    ),
    403: (
        "Forbidden",
        "The API key is missing or unknown, or the request is not signed where the deployment wants that; "
        "or it would change what another caller made.",
        "forbidden",
        "This route needs a valid API key in the header x-api-key.",
    ),
    404: (
        "NotFound",
        "There is no such route, model or job.",
        "not_found",
        "there is no model 'stability'; GET /models lists those there are",
    ),
    406: (
        "NotAcceptable",
        "The reply has no form that the header Accept names; the message lists those there are.",
        "not_acceptable",
        "cannot answer as 'text/html'; accept one of application/json, text/csv",
    ),
    409: (
        "Conflict",
        "It cannot be done in the state that it is in; the message says which.",
        "conflict",
        "the job has SUCCEEDED already",
    ),
    413: (
        "TooLarge",
        "Too much for one request: POST /uploads takes files of any size.",
        "too_large",
        "over 1,000,000 sequences; send it through POST /uploads instead",
    ),
    415: (
        "UnsupportedMediaType",
        "No reader takes this content type; the message lists those there are.",
        "unsupported_media_type",
        "cannot read 'image/png'; send one of application/json, text/plain, ...",
    ),
    422: (
        "Unprocessable",
        "The content cannot be read, or `strict` was asked for and records were rejected.",
        "unreadable_input",
        "the gzip data is truncated",
    ),
    429: (
        "TooManyRequests",
        "Too many requests at once, or the key's quota is used up.",
        "throttled",
        "Too many requests at once; wait and try again.",
    ),
    500: ("Internal", "The service failed; its log says why.", "internal", "the service failed; its log says why"),
    503: (
        "Unavailable",
        "A model or a store cannot be had; try again.",
        "model_unavailable",
        "stability-trypsin has no current version: publish one with `assay models publish`",
    ),
    504: (
        "Timeout",
        "The answer took longer than 29 seconds: use POST /uploads.",
        "timeout",
        "The answer took longer than 29 seconds: use POST /uploads for work of this size.",
    ),
}


def responses(*statuses: int) -> Schema:
    """Return references to the responses of these statuses."""
    return {str(status): ref(_MEANING[status][0], "responses") for status in sorted(statuses)}


def protocol_responses(*statuses: int) -> Schema:
    """Return the responses of these statuses as the serving protocols have them; the gateway keeps to its own shape."""
    either = {"anyOf": [ref("ProtocolError"), ref("Error")]}
    found = {}
    for status in sorted(statuses):
        _, meaning, code, message = _MEANING[status]
        found[str(status)] = reply(
            meaning, content("application/json", either, serving.error(error_body(code, message)))
        )
    return found


def components() -> Schema:
    """Return the responses that the references lead to."""
    return {_MEANING[status][0]: _response(status) for status in _MEANING}


def codes() -> list[str]:
    """Return every code that an error can have."""
    return sorted({code for status in _MEANING for code in codes_of(status)})


def codes_of(status: int) -> list[str]:
    """Return the codes that come with a status."""
    thrown = [kind.code for kind in _tree(AssayError) if _status(kind) == status and not kind.__subclasses__()]
    return sorted({*thrown, *GATEWAY.get(status, ())})


def _response(status: int) -> Schema:
    _, meaning, code, message = _MEANING[status]
    retry = {"Retry-After": header(f"Seconds to wait: {RETRY_AFTER_SECONDS}", int)} if status == 503 else None
    named = ", ".join(f"`{code}`" for code in codes_of(status))
    shown = content("application/json", ref("Error"), error_body(code, message))
    return reply(f"{meaning} Codes: {named}.", shown, retry)


def _tree(kind: type[AssayError]) -> Iterator[type[AssayError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


def _status(kind: type[AssayError]) -> int:
    return next(STATUS[each] for each in kind.__mro__ if each in STATUS)
