"""What the contract shows is what the service answers: its requests are taken, and their replies are those shown."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.running import Service
from tools.openapi.__main__ import document

DOCUMENT = document()
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
NOWHERE = ("/jobs", "/jobs/{id}", "/jobs/{id}/cancel")  # their job is made up
OTHERWISE = ("/uploads", "/models")  # other ids each time, and more than is shown
FRESH = {"Cache-Control": "no-cache"}


def _resolve(part: dict[str, Any]) -> dict[str, Any]:
    return DOCUMENT["components"][part["$ref"].split("/")[-2]][part["$ref"].split("/")[-1]] if "$ref" in part else part


def _calls() -> Iterator[Any]:
    """Yield each operation with each form of body and of reply that it has an example of."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if path not in NOWHERE:
                bodies = operation.get("requestBody", {}).get("content", {"": {"example": None}})
                for kind, content in bodies.items():
                    if "example" in content:
                        yield pytest.param(path, method, kind, id=f"{method} {path} {kind}".strip())


def _url(path: str, operation: dict[str, Any]) -> str:
    parameters = [_resolve(each) for each in operation.get("parameters", [])]
    return path.format_map({each["name"]: each["example"] for each in parameters if each["in"] == "path"})


def _numbers(text: str) -> tuple[list[str], list[float]]:
    """Return what stands around the decimal numbers of a text, and the numbers."""
    return NUMBER.split(text), [float(each) for each in NUMBER.findall(text)]


def _shown(content: dict[str, Any]) -> Any:
    return content["example"] if "example" in content else content.get("examples", {}).get("ranking", {}).get("value")


@pytest.mark.parametrize(("path", "method", "kind"), [*_calls()])
def test_an_example_is_answered_as_shown(service: Service, path: str, method: str, kind: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    body = operation.get("requestBody", {}).get("content", {}).get(kind, {}).get("example")
    data = body if isinstance(body, str) else json.dumps(body)
    good = {status: each for status, each in operation["responses"].items() if status < "400" and status != "202"}
    first = next(iter(operation.get("requestBody", {}).get("content", {"": None})))
    for form, content in next(iter(good.values())).get("content", {"*/*": {}}).items():
        headers = {"Content-Type": kind, "Accept": form, **FRESH}
        reply = service.session.request(
            method, service.url + _url(path, operation), data=data, headers=headers, timeout=60, allow_redirects=False
        )
        assert str(reply.status_code) in good, reply.text
        shown = _shown(content)
        if shown is None or kind != first or path in OTHERWISE:
            continue
        told = shown if form != "application/json" else json.dumps(shown, sort_keys=True)
        said = reply.text if form != "application/json" else json.dumps(reply.json(), sort_keys=True)
        (around, numbers), (wanted, expected) = _numbers(said), _numbers(told)
        assert around == wanted
        assert numbers == pytest.approx(expected, abs=0.02)  # another processor rounds otherwise
