"""What the contract asks of the code as ${NAME}: its constants by their names, and a few values made of them."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

from assay import lambda_runtime, options
from assay import options as abstract_options
from assay.abstracts import classification, cleaning, explanation
from assay.errors import AssayError
from assay.http import inference_protocols, messages
from assay.http.messages import STATUS, media_type
from assay.jobs.job_records import State
from assay.jobs.progress import Phase
from assay.papers.abstract import Source
from assay.ranking import distributions
from assay.sequences import blocks as sequences_records
from assay.sequences import composition, contract, measured
from assay.text import records as text_records
from classify import inference as instances
from classify import request as classify_request
from portal import models, pages, uploads
from rank import reply
from rank import request as rank_request
from tools.models.shipped import newest

PROJECT: Final = Path(__file__).parents[2] / "pyproject.toml"
GATEWAY: Final = {
    400: ("bad_request",),
    403: ("forbidden",),
    404: ("not_found",),
    413: ("too_large",),
    415: ("unsupported_media_type",),
    429: ("throttled", "quota_exceeded"),
    500: ("internal",),
    504: ("timeout",),
}
"""What API Gateway answers before or instead of a function, as `GatewayResponses` in the template say."""
MODELS: Final = PROJECT.with_name("models")
_VERSIONS: Final = {
    "TRYPSIN_VERSION": "stability-trypsin",
    "CHYMOTRYPSIN_VERSION": "stability-chymotrypsin",
    "ARCHIVES_VERSION": "arxiv-archives",
}
_MODULES: Final = (
    *(abstract_options, models, messages, classify_request, instances, options, cleaning, explanation),
    *(
        distributions,
        measured,
        rank_request,
        sequences_records,
        text_records,
        reply,
        lambda_runtime,
        inference_protocols,
        uploads,
    ),
)


def value(name: str) -> Any:
    """Return what a ${NAME} of the contract stands for. Raises LookupError unless it stands for just one value."""
    made = _collect()
    found = [made[name]] if name in made else [vars(module)[name] for module in _MODULES if name in vars(module)]
    if not found or any(each != found[0] for each in found):
        raise LookupError(f"the contract asks for ${{{name}}}, which the code has {len(found)} times")
    return found[0] if isinstance(found[0], (str, int, dict)) else [*found[0]]


def _collect() -> dict[str, Any]:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    statuses = {*STATUS.values(), *GATEWAY}
    return {
        "VERSION": project["version"],
        "ABOUT": project["description"].rstrip("."),
        "ALPHABET": contract.DEFAULT.alphabet,
        "LENGTH": contract.DEFAULT.length,
        "MAX_BODY_MIB": rank_request.MAX_BODY_BYTES >> 20,
        "MAX_UPLOAD_GIB": uploads.MAX_UPLOAD_BYTES >> 30,
        "ODDITIES": [*classification.ODDITIES],
        "FOUND_BY": get_args(Source),
        "ROW_NOTICES": [*composition.SENTENCES],
        "STATES": get_args(State),
        "PHASES": get_args(Phase),
        "PAGE_NAMES": [*pages.TYPES],
        "PAGE_FILES": {media_type(each): {"schema": {"type": "string"}} for each in pages.TYPES.values()},
        "CODES": sorted({code for status in statuses for code in codes_of(status)}),
        **{name: newest(MODELS, model).name for name, model in _VERSIONS.items()},
        **{f"CODES_{status}": codes_of(status) for status in statuses},
    }


def codes_of(status: int) -> list[str]:
    """Return the codes of the errors that come with a status."""
    raised = [kind.code for kind in _tree(AssayError) if not _children(kind) and _status(kind) == status]
    return sorted({*raised, *GATEWAY.get(status, ())})


def _tree(kind: type[AssayError]) -> Iterator[type[AssayError]]:
    yield kind
    for child in _children(kind):
        yield from _tree(child)


def _children(kind: type[AssayError]) -> list[type[AssayError]]:
    """Return the errors that the service raises, without those of the client, which may be imported too."""
    return [each for each in kind.__subclasses__() if each.__module__ == AssayError.__module__]


def _status(kind: type[AssayError]) -> int:
    return next(STATUS[each] for each in kind.__mro__ if each in STATUS)
