"""Schemas of requests and replies; limits, reasons and field names come from the code that holds them."""

from dataclasses import MISSING, fields
from typing import Any

from assay.http import RETRY_AFTER_SECONDS
from assay.jobs import Job
from assay.ranking import MAX_TOP_K, Counts, Row
from assay.sequences.records import EMPTY, ENCODING, LENGTH, NOT_FINITE, RESIDUE, TOO_LONG
from rank.replies import REJECTS_SHOWN

Schema = dict[str, Any]
_TYPES: dict[object, Schema] = {
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    str | None: {"type": ["string", "null"]},
}
_ERRORS = {
    400: "The body or an option is malformed; the message says where.",
    404: "There is no such route, model or job.",
    413: "The body is too large: POST /uploads gives an address for files of any size.",
    415: "No reader takes this content type; the message lists those there are.",
    422: "The content cannot be read, or `strict` was asked for and records were rejected.",
    503: f"A model cannot be served; try again after {RETRY_AFTER_SECONDS} s.",
}


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def described(kind: type, *, leave_out: tuple[str, ...] = ()) -> Schema:
    """Return the schema of a dataclass."""
    found = [each for each in fields(kind) if each.name not in leave_out]
    required = [each.name for each in found if each.default is MISSING and each.default_factory is MISSING]
    properties = {each.name: _TYPES.get(each.type, {"type": "object"}) for each in found}
    return {"type": "object", "properties": properties, "required": required}


def listed(of: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": of}


def record(required: bool = True, **properties: Schema) -> Schema:
    """Return the schema of an object, all of whose properties are always there unless `required` is False."""
    return {"type": "object", "properties": properties} | ({"required": list(properties)} if required else {})


TEXT: Schema = {"type": "string"}
BINARY: Schema = {"type": "string", "format": "binary"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
MODEL = record(name=TEXT, version=TEXT)
TOP_K: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_TOP_K, "default": 100}
RANK_OPTIONS: Schema = {
    "top_k": TOP_K,
    "threshold": {"type": "number", "default": 0},
    "strict": {"type": "boolean", "default": False},
    "column": TEXT,
}
CLASSIFY_OPTIONS: Schema = {
    "threshold": {"type": "number", "minimum": 0, "maximum": 1},
    "top_k": {"type": "integer", "minimum": 1},
}


def schemas() -> Schema:
    """Return the components' schemas."""
    reasons = [LENGTH, RESIDUE, EMPTY, ENCODING, TOO_LONG, NOT_FINITE]
    row = described(Row, leave_out=("extra",))
    row["properties"] = {"rank": COUNT} | row["properties"] | {"columns": {"type": "object"}}
    reject = record(line=COUNT, reason={"type": "string", "enum": reasons}, detail=TEXT)
    models = record(score=MODEL, gate=MODEL)
    ranking = record(
        ranked=listed(row),
        counts=ref("Counts"),
        rejected=listed(reject) | {"maxItems": REJECTS_SHOWN},
        models=models,
    )
    label = record(label=TEXT, score=NUMBER)
    scores = {"type": "object", "additionalProperties": NUMBER}
    result = record(
        labels=listed(label), scores=scores, tokens=COUNT, truncated={"type": "boolean"}, cached={"type": "boolean"}
    )
    job = described(Job, leave_out=("bucket",))
    return {
        "Error": record(error=record(code=TEXT, message=TEXT, details={"type": "object"})),
        "OldError": record(abstract=listed(TEXT)),
        "Counts": described(Counts),
        "Ranking": ranking,
        "StoredRanking": record(result_url=TEXT, counts=ref("Counts"), models=models),
        "Classification": record(model=MODEL, labels=listed(TEXT), results=listed({"anyOf": [result, ref("Error")]})),
        "Job": job,
    }


def reply(content: Schema, description: str, media_type: str = "application/json") -> Schema:
    """Return a response."""
    return {"description": description, "content": {media_type: {"schema": content}}}


def responses(good: Schema, *errors: int, status: int = 200) -> Schema:
    """Return the responses of an operation: the good one and the errors it may meet."""
    found = {str(error): reply(ref("Error"), _ERRORS[error]) for error in errors}
    return {str(status): good, **found}


def query(options: Schema) -> list[Schema]:
    """Return options as query parameters."""
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in options.items()]


def path_parameter(name: str) -> Schema:
    """Return a parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": TEXT}


def body(**contents: Schema) -> Schema:
    """Return a request body, by content type with `__` for the slash and `_` for a hyphen."""
    types = {name.replace("__", "/").replace("_", "-"): content for name, content in contents.items()}
    return {"required": True, "content": types}
