"""The API's description against the code that it is written from, and against the template's routes."""

from collections.abc import Iterator
from typing import Any

from tests.unit.templates import written
from tools.openapi.__main__ import TARGET, document, text


def test_the_file_is_what_the_code_gives() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run `python -m tools.openapi`"


def test_every_route_of_the_template_is_described_and_no_other() -> None:
    events = (
        event["Properties"]
        for resource in written()["Resources"].values()
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "Api"
    )
    described = {(path, method) for path, item in document()["paths"].items() for method in item}
    assert {(event["Path"], event["Method"]) for event in events} == described


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    for reference in _references(whole):
        found: Any = whole
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def _references(value: Any) -> Iterator[str]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and "$ref" in value:
        yield value["$ref"]
    for child in children:
        yield from _references(child)
