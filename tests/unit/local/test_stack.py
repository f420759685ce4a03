from pathlib import Path

import pytest

from tools.local.events import media_type_matches
from tools.local.stack import Route, Stack, Trigger, read_stack

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return read_stack(ROOT / "template.yaml")


def test_the_templates_functions_have_handlers_and_an_environment(stack: Stack) -> None:
    assert stack.functions["RankApiFunction"].handler == "rank.api.handler"
    assert stack.functions["PortalFunction"].handler == "portal.app.handler"
    for function in stack.functions.values():
        assert function.environment["ASSAY_MODELS_BUCKET"] == stack.bucket("Models")


def test_the_templates_routes_reach_functions(stack: Stack) -> None:
    reached = {(route.method, route.path): route.function for route in stack.routes}
    assert reached["POST", "/rank"] == reached["POST", "/file_data"] == "RankApiFunction"
    assert reached["POST", "/api/predict"] == "ClassifyApiFunction"
    assert set(reached.values()) <= set(stack.functions)


def test_the_templates_uploads_trigger_and_dead_letters(stack: Stack) -> None:
    trigger = next(each for each in stack.triggers if each.function == "RankUploadFunction")
    assert trigger.matches(stack.bucket("Uploads"), "s3:ObjectCreated:Put", "rank/a.txt")
    assert not trigger.matches(stack.bucket("Uploads"), "s3:ObjectCreated:Put", "classify/a.txt")
    assert not trigger.matches(stack.bucket("Results"), "s3:ObjectCreated:Put", "rank/a.txt")
    papers = next(each for each in stack.triggers if each.function == "ClassifyUploadFunction")
    assert papers.matches(stack.bucket("Uploads"), "s3:ObjectCreated:Put", "classify/a.txt")
    assert not papers.matches(stack.bucket("Uploads"), "s3:ObjectCreated:Put", "rank/a.txt")
    queues = [str(queue["QueueName"]) for queue in stack.queues.values()]
    assert (stack.functions["RankUploadFunction"].dead_letter or "").split(":")[-1] in queues


def test_media_types_of_the_template_keep_files_whole(stack: Stack) -> None:
    for kind in ("multipart/form-data; boundary=x", "application/pdf", "application/gzip"):
        assert media_type_matches(kind, stack.rest.binary)
    assert not media_type_matches("application/xml", stack.rest.binary)


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("/rank", "/rank", {}),
        ("/rank", "/rank/", {}),
        ("/rank", "/rankings", None),
        ("/", "/", {}),
        ("/models/{name}/classify", "/models/a.b/classify", {"name": "a.b"}),
        ("/models/{name}/classify", "/models/a/b/classify", None),
        ("/files/{rest+}", "/files/a/b", {"rest": "a/b"}),
    ],
)
def test_routes(template: str, path: str, parameters: dict[str, str] | None) -> None:
    assert Route("GET", template, "F").match(path) == parameters


@pytest.mark.parametrize(
    ("event", "key", "reached"),
    [
        ("s3:ObjectCreated:CompleteMultipartUpload", "rank/a.csv", True),
        ("s3:ObjectRemoved:Delete", "rank/a.csv", False),
        ("s3:ObjectCreated:Put", "rank/a.txt", False),
        ("s3:ObjectCreated:Put", "other/a.csv", False),
    ],
)
def test_triggers_filter(event: str, key: str, reached: bool) -> None:
    trigger = Trigger("uploads", ("s3:ObjectCreated:*",), "rank/", ".csv", "F")
    assert trigger.matches("uploads", event, key) is reached
