"""The pieces that a description is put together from: objects, lists, bodies, parameters; schemas of typed code."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

Schema = dict[str, Any]
_PLAIN: dict[object, str] = {int: "integer", float: "number", str: "string", bool: "boolean", NoneType: "null"}


def of(kind: Any) -> Schema:
    """Return the schema of a type: plain types, unions, literals, mappings, sequences, dataclasses."""
    origin, given = get_origin(kind), get_args(kind)
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if origin is Literal:
        return {"type": "string", "enum": list(given)}
    if origin is UnionType:
        return {"type": [_PLAIN[each] for each in given]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": of(given[1])}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return listed(of(given[0]))
    return _dataclass(kind) if is_dataclass(kind) else {}


def _dataclass(kind: Any) -> Schema:
    found = {each.name: of(each.type) for each in fields(kind)}
    sure = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    return {"type": "object", "properties": found, "required": sure}


def record(*optional: str, **properties: Schema) -> Schema:
    """Return the schema of an object; properties not named as optional are always there."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def listed(items: Schema, **bounds: int) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items, **bounds}


def ref(name: str, kind: str = "schemas") -> Schema:
    """Return a reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def content(media_type: str, schema: Schema, *examples: Any) -> Schema:
    """Return the content of one media type, shown by at most one example."""
    return {media_type: {"schema": schema} | ({"example": examples[0]} if examples else {})}


def reply(description: str, body: Schema | None = None, headers: Schema | None = None) -> Schema:
    """Return a response."""
    extra = {"content": body, "headers": headers}
    return {"description": description} | {name: value for name, value in extra.items() if value}


def header(description: str, kind: type = str) -> Schema:
    """Return a response's header."""
    return {"description": description, "schema": of(kind)}


def query(options: Mapping[str, Schema], required: bool = False) -> list[Schema]:
    """Return query parameters."""
    return [{"name": name, "in": "query", "required": required, "schema": schema} for name, schema in options.items()]


def path_parameter(name: str, schema: Schema) -> Schema:
    """Return a parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}
