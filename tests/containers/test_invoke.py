"""`sam local invoke` of every function with every recorded event answers as the handler does in this process."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from tests.containers.sam import Sam, call, comparable, function_of
from tests.e2e.running import Service
from tools.local import stack
from tools.paths import ROOT

pytestmark = pytest.mark.containers
EVENTS = sorted((ROOT / "events").glob("*.json"))
REQUESTS = [path for path in EVENTS if "path" in json.loads(path.read_text())]
DROPS = [path for path in EVENTS if "Records" in json.loads(path.read_text())]
STEPS = [path for path in EVENTS if path not in (*REQUESTS, *DROPS)]
ALPHABET = "ACDEFGHIKLMNPQRSTVWY"


def _named(paths: list[Path]) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in paths]


def _sequences() -> bytes:
    lines = ["".join(ALPHABET[(start * step + start) % 20] for step in range(50)) for start in range(1, 20)]
    return "\n".join([*lines, "TOOSHORT", ""]).encode()


ABSTRACT = "We present a new algorithm and use it to characterize the family of sparse graphs."
BODIES = {"rank": _sequences(), "classify": json.dumps({"id": "a", "abstract": ABSTRACT}).encode() + b"\ntoo short\n"}
RESULTS = {"rank": ("ranking.csv", "ranking.json"), "classify": ("classification.jsonl", "classification.json")}


@pytest.mark.parametrize("path", _named(REQUESTS))
@pytest.mark.usefixtures("in_process")
def test_a_request_is_answered_as_in_process(path: Path, sam: Sam, declared: stack.Stack) -> None:
    event = json.loads(path.read_text())
    function = function_of(event, declared, path.stem)
    answer = sam.invoke(function, path)
    expected = call(declared.functions[function], event)
    assert answer["statusCode"] == expected["statusCode"]
    assert comparable(answer) == comparable(expected)


@pytest.mark.parametrize("path", _named(STEPS))
@pytest.mark.usefixtures("in_process")
def test_a_step_answers_or_fails_as_in_process(path: Path, sam: Sam, declared: stack.Stack) -> None:
    event = json.loads(path.read_text())
    function = function_of(event, declared, path.stem)
    answer = sam.invoke(function, path)
    answer = {name: answer[name] for name in answer if name not in ("requestId", "stackTrace")}
    assert answer == _outcome(declared.functions[function], event)


def _outcome(function: stack.Function, event: dict[str, Any]) -> Any:
    """Return what a handler answers in this process, or its error as Lambda says it."""
    try:
        return call(function, event)
    except Exception as error:
        return {"errorType": type(error).__name__, "errorMessage": str(error)}


@pytest.mark.parametrize("path", _named(DROPS))
def test_a_dropped_file_ends_in_the_same_results_as_the_local_services(
    path: Path, sam: Sam, declared: stack.Stack, service: Service, tmp_path: Path
) -> None:
    event = json.loads(path.read_text())
    entity = event["Records"][0]["s3"]
    key = unquote_plus(entity["object"]["key"])
    entity["bucket"]["name"] = service.uploads
    kind = key.partition("/")[0]
    local = service.drop(key, BODIES[kind])
    entity["object"]["eTag"] = service.s3.head_object(Bucket=service.uploads, Key=key)["ETag"].strip('"')
    changed = tmp_path / path.name
    changed.write_text(json.dumps(event))

    [job_id] = sam.invoke(function_of(event, declared, path.stem), changed)["jobs"]

    assert job_id != local["job_id"]
    results, summary_name = RESULTS[kind]
    for name in (results, "rejected.csv"):
        found = service.result(f"results/{job_id}/{name}")
        assert found is not None
        assert found == service.result(f"results/{local['job_id']}/{name}")
    summary = json.loads(service.result(f"results/{job_id}/{summary_name}") or b"{}")
    assert summary["state"] == "SUCCEEDED"
    assert summary["counts"] == local["counts"]


def test_every_function_has_an_event(declared: stack.Stack, events: dict[str, dict[str, Any]]) -> None:
    found = {function_of(event, declared, name.removesuffix(".json")) for name, event in events.items()}
    assert found == set(declared.functions)
