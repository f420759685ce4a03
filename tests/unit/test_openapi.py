"""The API's description against the code that it is written from, and against the template's routes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from assay.sequences.alphabet import DEFAULT
from tests.unit.templates import ROOT, written
from tools.local import stack
from tools.openapi import errors, examples, tables
from tools.openapi.__main__ import TARGET, document, text
from tools.openapi.schemas import schemas
from tools.openapi.serving import serving_schemas

DOCUMENT = document()
OPERATIONS = {(path, method): each for path, item in DOCUMENT["paths"].items() for method, each in item.items()}


def _routes() -> Iterator[dict[str, Any]]:
    for resource in written()["Resources"].values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "Api" and "+}" not in event["Properties"]["Path"]:  # what there is not is not described
                yield event["Properties"]


def test_the_file_is_what_the_code_gives() -> None:
    assert TARGET.read_text(encoding="utf-8") == text(), "run `python -m tools.openapi`"


def test_the_tables_of_the_documents_are_what_the_code_gives() -> None:
    written = tables.TARGET.read_text(encoding="utf-8")
    assert written == tables.text(DOCUMENT), "run `python -m tools.openapi`"
    assert all(f"| `{method.upper()} {path}` |" in written for path, method in OPERATIONS)
    assert "| sequences in a request |" in written


def test_it_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(json.loads(text())).validate()


def test_every_route_of_the_template_is_described_and_no_other() -> None:
    assert {(route["Path"], route["Method"]) for route in _routes()} == set(OPERATIONS)


def test_routes_without_a_key_are_the_same_in_both() -> None:
    rest = stack.read(ROOT / "template.yaml").rest
    assert rest.closed
    free = {(path, method) for path, method in OPERATIONS if (method.upper(), path) not in rest.closed}
    assert {route for route, operation in OPERATIONS.items() if operation.get("security") == []} == free
    assert all(("403" in operation["responses"]) == (route not in free) for route, operation in OPERATIONS.items())


def test_codes_of_the_gateway_are_described_at_their_status() -> None:
    for kind, each in stack.read(ROOT / "template.yaml").rest.responses.items():
        status = int(each.get("StatusCode", {"DEFAULT_4XX": 400, "DEFAULT_5XX": 500}.get(kind, 0)))
        template = each["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '""')
        assert json.loads(template)["error"]["code"] in errors.codes_of(status), kind


def test_every_operation_has_a_name_of_its_own_for_clients_that_are_generated() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(OPERATIONS)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert {"post_rank", "get_jobs_id", "get_page", "get_openapi_json"} <= set(names)


@pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)
def test_every_example_is_of_its_schema(route: tuple[str, str]) -> None:
    operation = OPERATIONS[route]
    bodies = [operation.get("requestBody", {}), *map(_resolved, operation["responses"].values())]
    for content in (content for body in bodies for content in body.get("content", {}).values()):
        shown = [each["value"] for each in content.get("examples", {}).values()]
        for example in [*shown, *([content["example"]] if "example" in content else [])]:
            Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]}).validate(example)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref")
    return DOCUMENT["components"]["responses"][reference.rpartition("/")[2]] if reference else part


def test_example_sequences_are_sequences() -> None:
    for sequence in (examples.DESIGN, examples.SCRAMBLE):
        assert len(sequence) == DEFAULT.length
        assert set(sequence) <= set(DEFAULT.alphabet)


def test_no_two_families_of_schemas_share_a_name() -> None:
    assert not set(schemas()) & set(serving_schemas())


def test_generated_clients_find_something_optional_beside_several_bodies() -> None:
    # openapi-python-client makes such a body optional, and imports what says so only where a parameter is optional too.
    for route, operation in OPERATIONS.items():
        if len(operation.get("requestBody", {}).get("content", {})) > 1:
            assert any(not each.get("required") for each in operation.get("parameters", [])), route
