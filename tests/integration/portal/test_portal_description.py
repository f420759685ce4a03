"""What the handlers answer, to recorded events and to bad ones, is what the description says they answer."""

import importlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.conftest import ROOT, Aws
from tests.events import EVENTS, Context, load, multipart, post
from tools.local import stack
from tools.openapi.__main__ import TARGET

DOCUMENT = json.loads(TARGET.read_text(encoding="utf-8"))
RECORDED = sorted(path.stem for path in EVENTS.glob("*.json") if "httpMethod" in load(path.stem))
STACK = stack.read_stack(ROOT / "template.yaml")
FUNCTIONS = {(route.method, route.path): STACK.functions[route.function].handler for route in STACK.routes}
TINY = {"ASSAY_GATE_MODEL": "tiny-index", "ASSAY_SCORE_MODEL": "tiny-index", "ASSAY_CLASSIFIER": "tiny-text"}
STALE = ["rank.services", "classify.services", "portal.services"]
Answer = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def answer(aws: Aws, environment: Callable[[str, str], None]) -> Iterator[Answer]:
    for name, value in TINY.items():
        environment(name, value)
    _forget()
    yield _answer
    _forget()


def _forget() -> None:
    for module in STALE:
        importlib.import_module(module).services.cache_clear()


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    module, _, handler = FUNCTIONS[event["httpMethod"], event["resource"]].rpartition(".")
    reply: dict[str, Any] = getattr(importlib.import_module(module), handler)(event, Context())
    return reply


def _tiny(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event that names the models of the tests."""
    text = json.dumps(event).replace("arxiv-archives", "tiny-text").replace("stability-trypsin", "tiny-index")
    found: dict[str, Any] = json.loads(text)
    return found


def hold_to_description(event: dict[str, Any], reply: dict[str, Any]) -> None:
    """Fail where a reply's status, content type or body is none that the description has for its route."""
    responses = DOCUMENT["paths"][event["resource"]][event["httpMethod"].lower()]["responses"]
    assert str(reply["statusCode"]) in responses, (reply["statusCode"], reply["body"])
    response = _resolved(responses[str(reply["statusCode"])])
    media_type = reply["multiValueHeaders"]["Content-Type"][0].partition(";")[0]
    assert media_type in response["content"]
    if media_type == "application/json":
        validator(response["content"][media_type]["schema"]).validate(json.loads(reply["body"]))


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    reference = part.get("$ref")
    return DOCUMENT["components"]["responses"][reference.rpartition("/")[2]] if reference else part


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def _open(path: str) -> str:
    """Return a route whose parameters have no names: the resolvers' `<job_id>` is the contract's `{id}`."""
    return re.sub(r"<\w+>|{\w+}", "*", path)


def test_the_functions_serve_the_routes_of_the_contract_and_no_others(answer: Answer) -> None:
    served: set[tuple[str, str, str]] = set()
    for handler in set(FUNCTIONS.values()):
        app = importlib.import_module(handler.rpartition(".")[0]).app
        served |= {(handler, method, _open(path)) for method, path in app.routes}
    described = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}
    assert served == {(FUNCTIONS[route], route[0], _open(route[1])) for route in described}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_events_are_answered_as_described(answer: Answer, aws: Aws, name: str) -> None:
    aws.publish("tiny-index", "tiny-text")
    event = _tiny(load(name))
    reply = answer(event)
    hold_to_description(event, reply)
    of_none = ("portal_job", "portal_cancel", "portal_rerun")  # of a job that does not exist
    assert reply["statusCode"] < 400 or name in of_none


@pytest.mark.parametrize("name", RECORDED)
def test_without_models_every_answer_is_described_too(answer: Answer, name: str) -> None:
    event = load(name)
    hold_to_description(event, answer(event))


@pytest.mark.parametrize(
    ("path", "status", "given"),
    [
        ("/rank", 400, {"body": b"{"}),
        ("/rank", 400, {"body": b'{"sequences": []}', "query": {"top_k": "0"}}),
        ("/rank", 415, {"body": b"x", "content_type": "image/png"}),
        ("/rank", 422, {"body": b'{"sequences": ["X"], "strict": true}'}),
        ("/rank", 422, {"body": b"\x1f\x8bnot gzip", "content_type": "application/gzip"}),
        ("/file_data", 400, {"body": multipart(b"x", name="other"), "content_type": "multipart/form-data"}),
        ("/classify", 400, {"body": b'{"abstract": "short"}'}),
        ("/classify", 413, {"body": json.dumps({"abstracts": ["x"] * 65}).encode()}),
        ("/classify", 415, {"body": b"x", "content_type": "image/png"}),
        ("/classify", 422, {"body": b"%PDF-1.7 broken", "content_type": "application/pdf"}),
        ("/predict", 400, {"body": b"{}"}),
        ("/uploads", 400, {"body": b"{}"}),
        ("/uploads", 400, {"body": b'{"filename": "a", "kind": "other"}'}),
    ],
)
def test_bad_requests_are_answered_as_described(
    answer: Answer, aws: Aws, path: str, status: int, given: dict[str, Any]
) -> None:
    aws.publish("tiny-index", "tiny-text")
    event = post(path, **given)
    reply = answer(event)
    assert reply["statusCode"] == status, reply["body"]
    hold_to_description(event, reply)


def test_an_unknown_model_is_answered_as_described(answer: Answer) -> None:
    event = post("/models/other/classify", b'{"abstract": "x"}') | {"resource": "/models/{name}/classify"}
    reply = answer(event)
    assert reply["statusCode"] == 404
    hold_to_description(event, reply)


def test_the_request_schemas_know_wrong_from_right() -> None:
    request = validator({"$ref": "#/components/schemas/RankRequest"})
    assert request.is_valid({"sequences": ["A", {"id": "x", "sequence": "A"}], "top_k": 10_000})
    assert not request.is_valid({"sequences": ["A"], "top_k": 10_001})
    assert not request.is_valid({"sequences": [{"id": "no sequence"}]})
    either = validator({"$ref": "#/components/schemas/ClassifyRequest"})
    assert either.is_valid({"abstract": "x"})
    assert not either.is_valid({"abstract": "x", "abstracts": ["x"]})
