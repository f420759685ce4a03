"""The contract against the code whose values it has, the template whose routes it has, and its own examples."""

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from assay.errors import InvalidOption
from assay.jobs.job_records import Job
from assay.options import OPTIONS, RANKING, REQUESTING, ClassifyOptions, RankOptions
from assay.papers.pdf import Extract
from assay.ranking.ranking import Counts, RankedRow
from assay.sequences.contract import DEFAULT
from classify.reply import FORMS as CLASSIFICATIONS
from portal.jobs import OURS
from rank.reply import FORMS as RANKINGS
from tests.unit.templates import ROOT, written
from tools.local import stack
from tools.openapi import __main__ as built
from tools.openapi.values import codes_of

CONTRACT: dict[str, Any] = yaml.safe_load(built.SOURCE.read_text(encoding="utf-8"))
DOCUMENT = built.document()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {(path, method): each for path, item in DOCUMENT["paths"].items() for method, each in item.items()}
OLD = {("/file_data", "post"), ("/upload_file", "post"), ("/upload_file", "get")} | {
    (path, "post") for path in ("/predict", "/api/predict")
}


def _routes() -> Iterator[dict[str, Any]]:
    for resource in written()["Resources"].values():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] == "Api" and "+}" not in event["Properties"]["Path"]:  # what there is not is not described
                yield event["Properties"]


def _walk(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every node of a document that is no example, with its place."""
    yield place, node
    if isinstance(node, dict):
        for name, each in node.items():
            if name not in ("example", "examples", "default", "const", "enum") or place[-1:] == ("properties",):
                yield from _walk(each, (*place, name))
    if isinstance(node, list):
        for at, each in enumerate(node):
            yield from _walk(each, (*place, str(at)))


def _resolve(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = DOCUMENT
        for name in part["$ref"].split("/")[1:]:
            found = found[name]
        part = found
    return part


# What is served and documented.


def test_the_file_is_what_the_contract_gives() -> None:
    assert built.TARGET.read_text(encoding="utf-8") == built.write_document(), "run `python -m tools.openapi`"


def test_the_tables_of_the_documents_are_what_the_contract_gives() -> None:
    documented = built.TABLES.read_text(encoding="utf-8")
    assert documented == built.tables(), "run `python -m tools.openapi`"
    assert all(f"| `{method.upper()} {path}` |" in documented for path, method in OPERATIONS)
    assert "| sequences in a request |" in documented


def test_it_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(json.loads(built.write_document())).validate()


def test_nothing_of_the_contracts_own_is_served() -> None:
    assert "${" not in built.write_document()
    assert not [name for name in DOCUMENT if name.startswith("x-")]


def test_no_name_stands_twice_in_one_place_of_the_contract() -> None:
    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> None:
        names = [key.value for key, _ in node.value if key.value != "<<"]
        assert len(set(names)) == len(names), f"{node.start_mark}: {names}"
        for _, each in node.value:
            loader.construct_object(each, deep=True)

    class Strict(yaml.SafeLoader):
        """A separate loader, so that others stay unchanged."""

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    yaml.load(built.SOURCE.read_text(encoding="utf-8"), Loader=Strict)


def test_a_name_that_the_code_does_not_have_is_no_value() -> None:
    with pytest.raises(LookupError, match="NO_SUCH_LIMIT"):
        built.fill({"maximum": "${NO_SUCH_LIMIT}"})


def test_values_are_themselves_alone_and_written_for_people_in_a_text() -> None:
    assert built.fill(["${MAX_TOP_K}", "at most ${MAX_TOP_K}", "${GATES}"]) == [10_000, "at most 10,000", ["on", "off"]]


# Routes and errors against the template.


def test_every_route_of_the_template_is_described_and_no_other() -> None:
    assert {(route["Path"], route["Method"]) for route in _routes()} == set(OPERATIONS)


def test_routes_without_a_key_are_the_same_in_both() -> None:
    rest = stack.read_stack(ROOT / "template.yaml").rest
    assert rest.closed
    free = {(path, method) for path, method in OPERATIONS if (method.upper(), path) not in rest.closed}
    assert {route for route, operation in OPERATIONS.items() if operation.get("security") == []} == free
    assert all(("403" in operation["responses"]) == (route not in free) for route, operation in OPERATIONS.items())


def test_codes_of_the_gateway_are_described_at_their_status() -> None:
    for kind, each in stack.read_stack(ROOT / "template.yaml").rest.responses.items():
        status = int(each.get("StatusCode", {"DEFAULT_4XX": 400, "DEFAULT_5XX": 500}.get(kind, 0)))
        template = each["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '""')
        assert json.loads(template)["error"]["code"] in codes_of(status), kind


@pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)
def test_an_error_is_described_at_the_status_that_its_code_has(route: tuple[str, str]) -> None:
    for status, response in OPERATIONS[route]["responses"].items():
        for content in _resolve(response).get("content", {}).values():
            example = content.get("example")
            if status >= "400" and isinstance(example, dict) and "error" in example:
                code = example.get("code") or example["error"]["code"]
                assert code in codes_of(int(status)), (status, code)


@pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)
def test_every_parameter_of_a_path_is_described_and_no_other(route: tuple[str, str]) -> None:
    described = {
        each["name"] for each in map(_resolve, OPERATIONS[route].get("parameters", [])) if each["in"] == "path"
    }
    assert described == set(re.findall(r"{(\w+)}", route[0]))


# Names and words.


def test_every_operation_has_a_speaking_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(OPERATIONS)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name) for name in names)
    assert {"rankSequences", "classifyAbstracts", "createUpload", "getJob", "listModels"} <= set(names)


def test_the_old_contracts_and_no_others_are_deprecated() -> None:
    assert {route for route, operation in OPERATIONS.items() if operation.get("deprecated")} == OLD


def _told(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the parts of a node that need a description."""
    for name in ("properties", "headers", "responses", "parameters", "requestBody"):
        match node.get(name):
            case {"content": dict()}:
                yield name, node[name]
            case dict() as parts:
                yield from parts.items()
            case list() as parts:
                yield from ((f"{name}[{at}]", part) for at, part in enumerate(parts))


def test_everything_that_a_caller_meets_is_described() -> None:
    nodes = [
        (place, node) for place, node in _walk(DOCUMENT) if isinstance(node, dict) and place[-1:] != ("properties",)
    ]
    told = [("/".join((*place, name)), part) for place, node in nodes for name, part in _told(node)]
    assert len(told) > 500
    assert [
        place for place, part in told if not part.get("description") and not _resolve(part).get("description")
    ] == []
    assert all(operation["summary"] and operation["description"] for operation in OPERATIONS.values())


def test_parameters_say_themselves_what_they_are_for_viewers_that_look_only_there() -> None:
    parameters = DOCUMENT["components"]["parameters"].values()
    assert len(parameters) > 20
    assert all(each["description"] for each in parameters)


def test_schemas_that_nobody_uses_are_not_described() -> None:
    used = set(re.findall(r"#/components/(\w+/\w+)", built.write_document()))
    components = {kind: each for kind, each in DOCUMENT["components"].items() if kind != "securitySchemes"}
    assert {f"{kind}/{name}" for kind, each in components.items() for name in each} == used


# Limits, options and fields against the code.

BOUNDS = ("maximum", "maxItems", "maxLength", "enum")
OF_THE_FORM = {  # what is no limit of the code's, but the form itself: probabilities, percentiles, one tensor, one text
    *(("maximum", 1), ("maximum", 100), ("maxItems", 1), ("maxItems", 2)),
    ("enum", ("ok", "models missing")),
}


def test_limits_and_choices_are_the_codes_and_not_written_down() -> None:
    found = [
        (name, node[name]) for _, node in _walk(CONTRACT) if isinstance(node, dict) for name in BOUNDS if name in node
    ]
    limits = [
        (name, tuple(each) if isinstance(each, list) else each) for name, each in found if not isinstance(each, dict)
    ]
    assert len(limits) > 30
    assert {each for each in limits if not re.fullmatch(r"\$\{\w+\}", str(each[1]))} <= OF_THE_FORM


def test_every_range_stands_in_the_description_too() -> None:
    pairs = (("minimum", "maximum"), ("minLength", "maxLength"))
    nodes = [node for _, node in _walk(DOCUMENT) if isinstance(node, dict)]
    ranges = [(node, *pair) for node in nodes for pair in pairs if set(pair) <= set(node)]
    assert len(ranges) > 10
    assert [node for node, low, high in ranges if f"{node[low]:,} to {node[high]:,}" not in node["description"]] == []


@pytest.mark.parametrize(
    ("schema", "readers", "defaults"),
    [("RankRequest", RANKING, RankOptions()), ("OneAbstract", REQUESTING, ClassifyOptions())],
)
def test_options_have_the_names_and_defaults_of_the_code(schema: str, readers: Any, defaults: Any) -> None:
    described = {name: each for name, each in SCHEMAS[schema]["properties"].items() if name in readers}
    assert set(described) == {each.name for each in fields(defaults)}
    assert {name: each.get("default") for name, each in described.items()} == {
        each.name: getattr(defaults, each.name) for each in fields(defaults)
    }


@pytest.mark.parametrize(("schema", "kind"), [("RankRequest", RankOptions), ("OneAbstract", ClassifyOptions)])
def test_options_have_the_bounds_that_the_code_holds(schema: str, kind: Any) -> None:
    tried = 0
    for name, each in SCHEMAS[schema]["properties"].items():
        beside = {"window": 1} if name == "step" else {}
        good = [each[bound] for bound in ("minimum", "maximum") if bound in each] + each.get("enum", [])
        bad = [each[bound] + by for bound, by in (("minimum", -1), ("maximum", 1)) if bound in each]
        for value in good:
            assert getattr(kind(**{name: value, **beside}), name) == value
        for value in [*bad, *(["other"] if "enum" in each else [])]:
            tried += 1
            with pytest.raises(InvalidOption, match=name):
                kind(**{name: value, **beside})
    assert tried >= 4


def test_an_upload_takes_the_options_of_every_kind() -> None:
    known = set(SCHEMAS["UploadRequest"]["properties"]) - {"filename", "kind"}
    assert known == {name for readers in OPTIONS.values() for name in readers}


@pytest.mark.parametrize("name", ["RankForm", "UploadRequest", "RerunRequest"])
def test_options_are_the_same_wherever_they_stand(name: str) -> None:
    options = {each: SCHEMAS["RankRequest"]["properties"][each] for each in RANKING}
    assert {each: SCHEMAS[name]["properties"][each] for each in RANKING} == options
    for path in ("/rank", "/file_data", "/upload_file"):
        parameters = map(_resolve, OPERATIONS[path, "post"]["parameters"])
        assert {each["name"]: each["schema"] for each in parameters if each["in"] == "query"} == options


@pytest.mark.parametrize(
    ("name", "kind", "ours", "added"),
    [
        ("Counts", Counts, set(), set()),
        ("Ranked", RankedRow, {"extra"}, {"rank", "columns"}),
        ("Extract", Extract, set(), set()),
        ("Job", Job, OURS, {"job_id", "progress", "work"}),
    ],
)
def test_records_have_the_fields_of_the_codes_types(name: str, kind: Any, ours: set[str], added: set[str]) -> None:
    properties = SCHEMAS[name]["properties"]
    hints = {each: hint for each, hint in get_type_hints(kind).items() if each not in ours}
    assert set(properties) == set(hints) | added
    plain = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}
    for field, hint in hints.items():
        said = [plain[each] for each in get_args(hint) or (hint,) if each in plain]
        shown_so = field not in ("shards", "expires")  # in replies how many are done too, and a date
        if said and isinstance(hint, type | UnionType) and shown_so:
            assert properties[field]["type"] in (said, said[0]), field
    required = {each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING}
    assert required - ours <= set(SCHEMAS[name]["required"]) | {"id"}


@pytest.mark.parametrize(("path", "forms"), [("/rank", RANKINGS), ("/classify", CLASSIFICATIONS)])
def test_replies_are_described_in_every_form_that_they_have(path: str, forms: Any) -> None:
    assert set(OPERATIONS[path, "post"]["responses"]["200"]["content"]) == set(forms)


# Examples.


@pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)
def test_every_example_is_of_its_schema(route: tuple[str, str]) -> None:
    operation = OPERATIONS[route]
    parts = [operation.get("requestBody", {}), *map(_resolve, operation["responses"].values())]
    contents = [content for part in parts for content in part.get("content", {}).values()]
    headers = [each for part in parts for each in part.get("headers", {}).values()]
    for content in [*contents, *headers, *map(_resolve, operation.get("parameters", []))]:
        shown = [each["value"] for each in content.get("examples", {}).values()]
        for example in [*shown, *([content["example"]] if "example" in content else [])]:
            Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]}).validate(example)


def test_examples_of_schemas_are_of_them() -> None:
    shown = [node for _, node in _walk(DOCUMENT) if isinstance(node, dict) and isinstance(node.get("examples"), list)]
    assert len(shown) > 10
    for node in shown:
        for example in node["examples"]:
            Draft202012Validator(node).validate(example)


@pytest.mark.parametrize("route", sorted(OPERATIONS), ids=" ".join)
def test_an_operation_can_be_tried_without_filling_anything_in(route: tuple[str, str]) -> None:
    operation = OPERATIONS[route]
    for each in map(_resolve, operation.get("parameters", [])):
        assert "example" in each or not each["required"], each["name"]
    body = operation.get("requestBody", {}).get("content", {})
    assert not body or "example" in next(iter(body.values())), "the first form is the one that is shown"


def test_examples_name_models_and_versions_that_ship() -> None:
    text = json.dumps(DOCUMENT)
    named = re.findall(r'"name": "([a-z-]+)", "version": "(\d+)"', text) + re.findall(r"\b([a-z-]+)[@/](\d+)\b", text)
    assert len(named) > 20
    assert [each for each in named if not (ROOT / "models" / each[0] / each[1]).is_dir()] == []


def test_example_sequences_are_sequences() -> None:
    for sequence in OPERATIONS["/rank", "post"]["requestBody"]["content"]["application/json"]["example"]["sequences"]:
        assert len(sequence) == DEFAULT.length
        assert set(sequence) <= set(DEFAULT.alphabet)


def test_generated_clients_find_something_optional_beside_several_bodies() -> None:
    # openapi-python-client makes such a body optional, and imports what says so only where a parameter is optional too.
    for route, operation in OPERATIONS.items():
        if len(operation.get("requestBody", {}).get("content", {})) > 1:
            assert any(not each.get("required") for each in map(_resolve, operation.get("parameters", []))), route
