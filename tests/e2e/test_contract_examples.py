"""What the contract shows is what the service answers: its requests are taken, and their replies are those shown."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

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
            if path not in NOWHERE and operation["responses"].keys() & {"200", "201", "204"}:
                bodies = operation.get("requestBody", {}).get("content", {"": {"example": None}})
                for kind, content in bodies.items():
                    if "example" in content:
                        yield pytest.param(path, method, kind, id=f"{method} {path} {kind}".strip())


def _url(path: str, operation: dict[str, Any]) -> str:
    """Return the address that a viewer asks by itself: with the examples, or else the defaults, of the parameters."""
    given: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    for each in (_resolve(each) for each in operation.get("parameters", [])):
        if "example" in each or "default" in each["schema"]:
            given[each["in"]][each["name"]] = each.get("example", each["schema"].get("default"))
    return f"{path.format_map(given['path'])}?{urlencode({name: _said(each) for name, each in given['query'].items()})}"


def _said(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, bool) else value


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


def test_an_operation_on_jobs_works_with_what_an_upload_answers_as_its_description_says(service: Service) -> None:
    offer = service.post(
        "/uploads", json=DOCUMENT["paths"]["/uploads"]["post"]["requestBody"]["content"]["application/json"]["example"]
    )
    assert offer.status_code == 201
    mine = {"id": offer.json()["job_id"], "upload": offer.json()["key"]}
    for path in NOWHERE:
        for method, operation in DOCUMENT["paths"][path].items():
            [parameter] = [_resolve(each) for each in operation["parameters"]]
            assert "`POST /uploads` first" in parameter.get("description", "")
            reply = service.session.request(
                method,
                service.url + path.format_map(mine),
                params={"upload": mine["upload"]} if "{" not in path else {},
            )
            assert reply.ok, reply.text


def test_whatever_an_operation_needs_is_filled_in() -> None:
    parameters = [
        _resolve(each)
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
        for each in operation.get("parameters", [])
    ]
    assert len(parameters) > 60
    assert [each["name"] for each in parameters if each["required"] and "example" not in each] == []
