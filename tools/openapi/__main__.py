"""Write what is served and documented from the contract, openapi.yaml: `python -m tools.openapi`."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tools.openapi.values import value

SOURCE: Final = Path(__file__).with_name("openapi.yaml")
ROOT: Final = SOURCE.parents[2]
TARGET: Final = ROOT / "functions" / "portal" / "openapi.json"
TABLES: Final = ROOT / "docs" / "api.md"
_NAMED: Final = re.compile(r"\$\{(\w+)\}")


def document() -> dict[str, Any]:
    """Return the document that is served: the contract with the code's values, without what is the contract's own."""
    return {name: each for name, each in _contract().items() if not name.startswith("x-")}


def write_document() -> str:
    """Return the document as the file holds it."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def tables() -> str:
    """Return docs/api.md with its tables of routes and limits written anew."""
    found = TABLES.read_text(encoding="utf-8")
    contract = _contract()
    for name, table in {
        "routes": _routes(contract["paths"]),
        "limits": _table(("what", "limit"), contract["x-limits"]),
    }.items():
        head, begin, rest = found.partition(f"<!-- {name}: python -m tools.openapi -->\n")
        _, end, tail = rest.partition(f"<!-- end of {name} -->")
        found = f"{head}{begin}{table}\n{end}{tail}"
    return found


def _contract() -> dict[str, Any]:
    filled: dict[str, Any] = fill(yaml.safe_load(SOURCE.read_text(encoding="utf-8")))
    return filled


def fill(node: Any) -> Any:
    """Return a part of the contract with values in place of names, lists of parameters flat, parameters described."""
    match node:
        case str():
            alone = _NAMED.fullmatch(node)
            return value(alone[1]) if alone else _NAMED.sub(lambda name: _write(value(name[1])), node)
        case list():
            return [fill(each) for each in node]
        case {"in": _, "schema": {"description": said}, **rest} if "description" not in rest:
            return fill({**node, "description": said})
        case dict():
            return {name: fill(_flat(each) if name == "parameters" else each) for name, each in node.items()}
    return node


def _flat(parameters: Any) -> Any:
    if not isinstance(parameters, list):
        return parameters
    return [one for each in parameters for one in (each if isinstance(each, list) else [each])]


def _write(found: object) -> str:
    """Return a value for people: thousands set apart, several values as code."""
    if isinstance(found, list):
        return ", ".join(f"`{each}`" for each in found)
    return f"{found:,}" if isinstance(found, int) else str(found)


def _routes(paths: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [_route(f"`{method.upper()} {path}`", each) for path, has in paths.items() for method, each in has.items()]
    return _table(("route", "what it does", "takes", "answers", "key"), rows)


def _route(name: str, operation: Mapping[str, Any]) -> list[str]:
    good = [each for status, each in operation["responses"].items() if status < "300"]
    key = "" if operation.get("security") == [] else "yes"
    return [name, operation["summary"], _types([operation.get("requestBody", {})]), _types(good), key]


def _types(bodies: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(kind for each in bodies for kind in each.get("content", {})))


def _table(head: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    lines = [f"| {' | '.join(map(_write, row))} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


if __name__ == "__main__":
    TARGET.write_text(write_document(), encoding="utf-8")
    TABLES.write_text(tables(), encoding="utf-8")
