"""The routes: what each takes and what it answers."""

from assay.abstracts.prepare import LONGEST, SHORTEST
from classify.inputs import MOST_ABSTRACTS
from portal.uploads import KINDS, MAX_UPLOAD_BYTES
from rank.reading import MAX_SEQUENCES
from tools.openapi.schemas import (
    BINARY,
    CLASSIFY_OPTIONS,
    COUNT,
    MODEL,
    NUMBER,
    RANK_OPTIONS,
    TEXT,
    Schema,
    body,
    listed,
    path_parameter,
    query,
    record,
    ref,
    reply,
    responses,
)

_SEQUENCE = "MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL"
_ABSTRACT = "We present a fully differential calculation of photon pair production at hadron colliders."


def ranking_paths() -> Schema:
    """Return the routes of ranking."""
    sequences = listed({"anyOf": [TEXT, record(required=False, id=TEXT, sequence=TEXT)]}) | {"maxItems": MAX_SEQUENCES}
    posted = record(required=False, sequences=sequences, **RANK_OPTIONS) | {"required": ["sequences"]}
    file = record(required=False, input_file=BINARY, **RANK_OPTIONS) | {"required": ["input_file"]}
    form = {"multipart__form_data": {"schema": file}}
    forms = body(
        application__json={"schema": posted, "example": {"sequences": [_SEQUENCE], "top_k": 10}},
        text__plain={"schema": TEXT, "example": f"{_SEQUENCE}\n"},
        text__x_fasta={"schema": TEXT, "example": f">design_1\n{_SEQUENCE}\n"},
        text__csv={"schema": TEXT, "example": f"name,sequence\ndesign 1,{_SEQUENCE}\n"},
        application__gzip={"schema": BINARY},
        application__octet_stream={"schema": BINARY},
        **form,
    )
    ranking = reply({"anyOf": [ref("Ranking"), ref("StoredRanking")]}, "The ranking, or a link to it where it is large")
    lines = reply(TEXT, "The ranked sequences, a line each; X-Assay-Rejected counts the rejects", "text/plain")
    old = {
        "requestBody": body(**form, text__plain={"schema": TEXT}),
        "responses": responses(lines, 400, 413, 415, 422, 503),
    }
    return {
        "/rank": {
            "post": {
                "summary": "Rank sequences",
                "parameters": query(RANK_OPTIONS),
                "requestBody": forms,
                "responses": responses(ranking, 400, 413, 415, 422, 503),
            }
        },
        "/file_data": {"post": {"summary": "Rank a file; plain lines back", **old}},
        "/upload_file": {
            "post": {"summary": "Rank the page's form", **old},
            "get": {"summary": "Go to the page", "responses": {"303": {"description": "The page"}}},
        },
    }


def classification_paths() -> Schema:
    """Return the routes of classification."""
    abstract = {"type": "string", "description": f"{SHORTEST} to {LONGEST} characters after cleaning"}
    many = listed(abstract) | {"minItems": 1, "maxItems": MOST_ABSTRACTS}
    posted = {"anyOf": [record(abstract=abstract), record(abstracts=many)]}
    bodies = body(
        application__json={"schema": posted, "example": {"abstract": _ABSTRACT}},
        text__plain={"schema": TEXT, "example": _ABSTRACT},
        application__pdf={"schema": BINARY},
        multipart__form_data={"schema": record(input_file=BINARY)},
    )
    good = responses(reply(ref("Classification"), "Probabilities and labels"), 400, 404, 413, 415, 422, 503)
    operation = {"parameters": query(CLASSIFY_OPTIONS), "requestBody": bodies, "responses": good}
    named = operation | {"parameters": [path_parameter("name"), *query(CLASSIFY_OPTIONS)]}
    predictions = reply(record(predictions=listed(listed(NUMBER))), "Probabilities in the order of the labels")
    old = {
        "requestBody": body(
            application__json={"schema": record(abstract=abstract), "example": {"abstract": _ABSTRACT}}
        ),
        "responses": responses(predictions, 503) | {"400": reply(ref("OldError"), "What is wrong with the abstract")},
    }
    return {
        "/classify": {"post": {"summary": "Classify abstracts", **operation}},
        "/models/{name}/classify": {"post": {"summary": "Classify with a named model", **named}},
        "/predict": {"post": {"summary": "Classify one abstract, the old contract", **old}},
        "/api/predict": {"post": {"summary": "Classify one abstract, the old contract", **old}},
    }


def portal_paths() -> Schema:
    """Return the routes of the portal."""
    page = reply(TEXT, "A page", "text/html")
    job = responses(reply(ref("Job"), "The job; `results` holds presigned links"), 400, 404, 503)
    wanted = record(required=False, filename=TEXT, kind={"type": "string", "enum": list(KINDS)})
    offered = record(
        job_id=TEXT,
        key=TEXT,
        max_bytes={"type": "integer", "const": MAX_UPLOAD_BYTES},
        upload=record(url=TEXT, fields={"type": "object"}),
        status_url=TEXT,
    )
    upload = {
        "requestBody": body(
            application__json={"schema": wanted | {"required": ["filename"]}, "example": {"filename": "proteins.txt"}}
        ),
        "responses": responses(reply(offered, "A presigned POST, and the job it will be"), 400, 503, status=201),
    }
    by_upload = [{"name": "upload", "in": "query", "required": True, "schema": TEXT}]
    about = responses(reply({"type": "object"}, "OpenAPI 3.1"))
    return {
        "/": {"get": {"summary": "The page", "responses": {"200": page}}},
        "/upload": {"get": {"summary": "The page", "responses": {"200": page}}},
        "/docs": {"get": {"summary": "This description, to read and try", "responses": {"200": page}}},
        "/openapi.json": {"get": {"summary": "This description", "responses": about}},
        "/health": {"get": {"summary": "Health", "responses": responses(reply(_health(), "Models in use"), 503)}},
        "/models": {"get": {"summary": "Published models", "responses": responses(reply(_models(), "In short"), 503)}},
        "/uploads": {"post": {"summary": "Upload a file of any size", **upload}},
        "/jobs/{id}": {"get": {"summary": "A job", "parameters": [path_parameter("id")], "responses": job}},
        "/jobs": {"get": {"summary": "The latest job of an upload", "parameters": by_upload, "responses": job}},
    }


def _health() -> Schema:
    return record(status=TEXT, models=record(gate=MODEL, score=MODEL, classifier=MODEL))


def _models() -> Schema:
    return record(models=listed(record(required=False, name=TEXT, version=TEXT, task=TEXT, max_tokens=COUNT)))
