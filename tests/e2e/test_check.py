"""`assay check`: green on a good service; each check red on one that breaks its very promise."""

import io
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.running import ROOT, Service, command, running
from tests.e2e.spoiling import Call, Spoiler, at, spoiled, status, value, without
from tools.check import journeys, wire
from tools.check.ground import Ground, Holdings, Named, find_ground
from tools.check.promises import Finding
from tools.check.runs import CHECKS, NAMES, run_checks

pytestmark = pytest.mark.slow

KEY = "a-key-of-the-tests"
WATCHING = {"alarms", "dashboard", "log"}
"""What a local service has not."""


@pytest.fixture(scope="module")
def keyed() -> Iterator[Service]:
    parameters = ("--parameter", "ShardMegabytes=1", "--parameter", "ModelRefreshSeconds=60")
    with running("--log-level", "ERROR", "--api-key", KEY, *parameters, quiet=True) as service:
        yield service


def ground(service: Service, url: str) -> Ground:
    return find_ground(Named(url, KEY, endpoint=service.endpoint, shard_megabytes=1))


def only(service: Service, url: str, name: str) -> Finding:
    [found, *_] = run_checks(ground(service, url), only=[name], without=["cleaning"])
    return found


def test_a_good_service_keeps_every_promise(keyed: Service) -> None:
    found = list(run_checks(ground(keyed, keyed.url)))
    assert {each.name: each.note for each in found if each.mark == "broken"} == {}
    assert {each.name for each in found if each.mark == "skipped"} == WATCHING
    assert [each.name for each in found] == [*NAMES]
    assert all(each.note for each in found)


def test_nothing_that_a_run_made_is_left(keyed: Service) -> None:
    [*_, cleaned] = run_checks(ground(keyed, keyed.url), only=["upload", "drop", "cancel"])
    assert (cleaned.name, cleaned.mark) == ("cleaning", "kept")
    for bucket in (keyed.uploads, keyed.results):
        assert keyed.s3.list_object_versions(Bucket=bucket).get("Versions", []) == []


def test_what_a_mere_caller_cannot_try_is_skipped_by_name(keyed: Service) -> None:
    caller = find_ground(Named(keyed.url, KEY))
    found = {each.name: each for each in run_checks(caller, only=["drop", "rank-shards", *WATCHING])}
    assert {each.mark for each in found.values()} == {"skipped"}
    assert all("needs" in each.note for each in found.values())
    assert "cleaning" in found


def test_an_open_service_is_not_asked_for_its_key(service: Service) -> None:
    [found, _] = run_checks(find_ground(Named(service.url)), only=["key"])
    assert (found.mark, "no key was given" in found.note) == ("skipped", True)


def set_path(*path: Any, to: Any) -> Callable[[Call], None]:
    def change(body: Any) -> None:
        for step in path[:-1]:
            body = body[step]
        body[path[-1]] = to

    return value(change)


def reverse(*path: Any) -> Callable[[Call], None]:
    def change(body: Any) -> None:
        for step in path:
            body = body[step]
        body.reverse()

    return value(change)


def text(change: Callable[[str], str]) -> Callable[[Call], None]:
    def spoil(call: Call) -> None:
        call.answer = change(call.answer.decode()).encode()

    return spoil


def backwards(said: str) -> str:
    return "".join(reversed(said.splitlines(keepends=True)))


def shift(path: list[Any]) -> Callable[[Call], None]:
    def change(body: Any) -> None:
        for step in path:
            body = body[step]
        if isinstance(body, dict):
            body.update({name: number * 0.5 + 0.2 for name, number in body.items()})
        else:
            body[:] = [number + 0.5 for number in body]

    return value(change)


def jobs(change: Callable[[Call], None]) -> Spoiler:
    """Spoil jobs that have ended."""

    def spoil(call: Call) -> None:
        if call.path.startswith("/jobs/") and b'"SUCCEEDED"' in call.answer:
            change(call)

    return spoil


def slow(call: Call) -> None:
    time.sleep(0.4)


OCTETS = {"content_type": "application/octet-stream"}
SCORES = ["results", 0, "scores"]
BROKEN: dict[str, list[Spoiler]] = {
    "health": [
        at("/health", set_path("models", "gate", "version", to=None)),
        at("/health", set_path("status", to="models missing")),
        at("/health", status(503)),
    ],
    "models": [
        at("/models", value(lambda body: body["models"].pop() and None)),
        at("/models", set_path("models", 0, "version", to="0")),
        at("/models", set_path("models", 0, "default_for", to=[])),
    ],
    "page": [
        at("/upload", without("Content-Security-Policy")),
        at("/page/app.js", status(404)),
        at("/docs", status(200, "nothing")),
    ],
    "description": [
        at("/openapi.json", value(lambda body: body["paths"].pop("/rank") and None)),
        at("/openapi.json", set_path("openapi", to="2.0")),
    ],
    "rank-times": [at("/rank", slow)],
    "classify-times": [at("/classify", slow)],
    "rank": [
        at("/rank", reverse("ranked")),
        at("/rank", value(lambda body: body["ranked"].pop() and None)),
        at("/rank", set_path("counts", "received", to=14)),
        at("/rank", set_path("counts", "rejected", to=0)),
        at("/rank", set_path("rejected", 0, "line", to=1)),
        at("/rank", set_path("models", to={})),
    ],
    "rank-forms": [
        at("/rank", reverse("ranked"), content_type=kind)
        for kind in ("text/plain", "text/x-fasta", "text/csv", "application/gzip", "application/octet-stream")
    ],
    "rank-replies": [
        *(at("/rank", text(backwards), accept=accept) for accept in ("text/plain", "application/x-ndjson")),
        at("/rank", without("X-Assay-Received"), accept="text/csv"),
        at("/rank", lambda call: call.headers.update({"Content-Type": "application/json"}), accept="text/csv"),
    ],
    "rank-options": [
        at("/rank", value(lambda body: {**body, "ranked": body["ranked"][1:]} if len(body["ranked"]) == 3 else body)),
        at("/rank", value(lambda body: {**body, "counts": {**body["counts"], "passed": 1}})),
    ],
    "rank-errors": [
        at("/rank", status(400, '{"message": "Bad Request"}'), content_type="image/png"),
        at("/rank", lambda call: status(200)(call) if call.status == 406 else None),
        at(
            "/rank",
            lambda call: call.json(lambda body: body["error"].update(code="error")) if call.status == 422 else None,
        ),
        at("/rank", lambda call: status(500)(call) if call.status == 404 else None),
    ],
    "old-rank": [
        at("/file_data", text(backwards)),
        at("/upload_file", status(404)),
        at("/file_data", without("X-Assay-Rejected")),
    ],
    "classify": [
        at("/classify", shift(SCORES), content_type="text/plain"),
        at("/models/arxiv-archives/classify", shift(SCORES)),
        at("/classify", value(lambda body: body["results"][0]["scores"].update(other=2.0))),
    ],
    "paper": [
        at("/classify", set_path("results", 0, "source", "text", to="x"), content_type="application/pdf"),
        at("/classify", shift(SCORES), content_type="application/pdf"),
    ],
    "classify-replies": [
        at("/classify", status(200, "{}"), accept="text/csv"),
        at("/classify", without("X-Assay-Received"), accept="application/x-ndjson"),
    ],
    "classify-errors": [
        at("/classify", status(500), content_type="application/pdf"),
        at("/models/no-such-model/classify", status(200)),
        at("/classify", lambda call: status(422)(call) if call.status == 400 else None),
    ],
    "old-classify": [
        at("/api/predict/", shift(["predictions", 0])),
        at("/predict/", lambda call: status(400, '{"error": 1}')(call) if call.status == 400 else None),
    ],
    "cache": [
        at("/classify", value(lambda body: body["results"][0].pop("cached", None) and None)),
        at("/classify", set_path("results", 0, "cached", to=True)),
        at("/classify", shift(SCORES), cache_control="no-cache"),
    ],
    "tensorflow-serving": [
        at("/v1/models/stability-trypsin:predict", value(lambda body: body["predictions"].pop() and None)),
        at("/v1/models/stability-trypsin", set_path("model_version_status", 0, "state", to="START")),
        at(
            "/v1/models/stability-trypsin:predict",
            lambda call: status(400, '{"error": {}}')(call) if call.status == 400 else None,
        ),
    ],
    "open-inference": [
        at("/v2/health/ready", set_path("ready", to=False)),
        at("/v2/models/stability-trypsin/infer", shift(["outputs", 0, "data"]), **OCTETS),
        at("/v2/models/stability-trypsin", status(404)),
    ],
    "key": [
        at("/rank", lambda call: status(200)(call) if call.status == 403 else None),
        at("/uploads", without("Access-Control-Allow-Origin")),
        at("/health", status(403)),
    ],
    "route": [
        at("/no-such-route", status(403, '{"message": "Missing Authentication Token"}')),
        at("/rank", status(200), **{"accept": "*/*"}),
    ],
    "size": [
        at("/rank", status(502, '{"message": "Internal server error"}'), **OCTETS),
        at("/rank", text(lambda said: said.replace("/uploads", "/elsewhere")), **OCTETS),
    ],
    "origin": [
        at(
            "/rank",
            lambda call: call.headers.pop("Access-Control-Allow-Origin", None) if call.method == "OPTIONS" else None,
        ),
        at("/rank", lambda call: call.headers.pop("Access-Control-Allow-Origin", None) if call.status == 400 else None),
        at("/rank", lambda call: call.headers.update({"Access-Control-Allow-Headers": "accept"})),
        at("/rank", lambda call: call.headers.update({"Access-Control-Allow-Methods": "GET"})),
    ],
    "job-errors": [at("/jobs/no-such-job", status(200)), at("/uploads", status(201))],
    "upload": [
        at("/uploads", value(lambda body: body["upload"]["fields"].update({"x-amz-meta-top-k": "2"}))),
        jobs(set_path("state", to="FAILED")),
        jobs(set_path("counts", "received", to=12)),
        jobs(value(lambda body: body["results"].update(ranking=body["results"]["rejected"]))),
        jobs(value(lambda body: body["results"].update(rejected=body["results"]["ranking"]))),
        at("/jobs", set_path("job_id", to="another")),
        at("/uploads", set_path("upload", "url", to="http://127.0.0.1:9/")),
    ],
    "async": [
        at("/rank", lambda call: status(200)(call), prefer="respond-async"),
        jobs(set_path("state", to="FAILED")),
    ],
    "cancel": [
        lambda call: set_path("state", to="RUNNING")(call) if call.path.endswith("/cancel") else None,
        lambda call: status(202)(call) if call.status == 409 else None,
    ],
    "shards": [
        jobs(set_path("shards", "total", to=1)),
        jobs(set_path("counts", "classified", to=59)),
        jobs(value(lambda body: body["results"].update(classification=body["results"]["summary"]))),
        at("/classify", shift(SCORES)),
    ],
    "drop": [at("/rank", reverse("ranked"))],
    "rank-shards": [jobs(set_path("shards", "total", to=1))],
}
CASES = [pytest.param(name, spoil, id=f"{name}-{at}") for name, all_ in BROKEN.items() for at, spoil in enumerate(all_)]


@pytest.mark.parametrize(("name", "spoil"), CASES)
def test_a_broken_promise_is_seen(keyed: Service, name: str, spoil: Spoiler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "WARM", 0.3 if name.endswith("-times") else wire.WARM)
    monkeypatch.setattr(journeys, "SECONDS", 20.0)
    with spoiled(keyed.url, spoil) as url:
        found = only(keyed, url, name)
    assert found.mark == "broken", found
    assert len(found.note) > 10


def test_a_first_call_that_is_too_late_is_seen(keyed: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FIRST", 0.0)
    assert "first call" in only(keyed, keyed.url, "rank-times").note


def test_a_service_that_lets_everybody_in_is_seen(keyed: Service) -> None:
    with spoiled(keyed.url, lambda call: None, add={"x-api-key": KEY}) as url:
        assert only(keyed, url, "key").mark == "broken"


def test_a_bucket_that_pages_cannot_read_is_seen(keyed: Service) -> None:
    def through(bucket: str) -> Spoiler:
        return at(
            "/uploads",
            value(lambda body: body["upload"].update(url=bucket + body["upload"]["url"].partition(keyed.endpoint)[2])),
        )

    with ExitStack() as stack:
        bucket = stack.enter_context(spoiled(keyed.endpoint, without("Access-Control-Allow-Origin")))
        url = stack.enter_context(spoiled(keyed.url, through(bucket)))
        found = only(keyed, url, "upload-origin")
    assert (found.mark, "does not let a page" in found.note) == ("broken", True)


@pytest.mark.parametrize("allowed", ["elsewhere", "strict", "meta-top-k", "signature"])
def test_a_bucket_that_takes_another_form_is_seen(keyed: Service, allowed: str) -> None:
    def through(bucket: str) -> Spoiler:
        def change(body: Any) -> None:
            body["upload"]["url"] = bucket + body["upload"]["url"].partition(keyed.endpoint)[2]

        return at("/uploads", value(change))

    marks = {
        "elsewhere": b"elsewhere.txt",
        "strict": b"meta-strict",
        "meta-top-k": b"\r\n4\r\n",
        "signature": b"0" * 64,
    }

    def lenient(call: Call) -> None:
        call.status = 204 if marks[allowed] in call.body else call.status

    with ExitStack() as stack:
        bucket = stack.enter_context(spoiled(keyed.endpoint, lenient))
        found = only(keyed, stack.enter_context(spoiled(keyed.url, through(bucket))), "form")
    assert (found.mark, "not 403" in found.note) == ("broken", True), found


class Stores:
    """boto3 clients of the service whose S3 spoils what it reads, or deletes nothing."""

    def __init__(self, service: Service, change: Callable[[str, bytes], bytes], *, deletes: bool = True) -> None:
        self._service, self._change, self._deletes = service, change, deletes

    def __call__(self, name: str) -> Any:
        return self if name == "s3" else self._service.client(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service.s3, name)

    def get_object(self, **asked: str) -> dict[str, Any]:
        body = self._service.s3.get_object(**asked)["Body"].read()
        return {"Body": io.BytesIO(self._change(asked["Key"], body))}

    def delete_object(self, **asked: str) -> None:
        if self._deletes:
            self._service.s3.delete_object(**asked)


def with_stores(service: Service, stores: Stores) -> Ground:
    stood = ground(service, service.url)
    stood.holdings = Holdings(stores, service.uploads, service.results)
    return stood


def miscount(key: str, body: bytes) -> bytes:
    if not key.endswith("ranking.json"):
        return body
    summary = json.loads(body)
    return json.dumps({**summary, "counts": {**summary["counts"], "scored": summary["counts"]["scored"] - 1}}).encode()


@pytest.mark.parametrize("name", ["drop", "rank-shards"])
def test_a_file_that_loses_a_line_is_seen(keyed: Service, name: str) -> None:
    [found, _] = run_checks(with_stores(keyed, Stores(keyed, miscount)), only=[name])
    assert found.mark == "broken"


def test_a_file_that_becomes_no_job_is_seen(keyed: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journeys, "SECONDS", 1.0)
    stood = ground(keyed, keyed.url)
    stood.holdings = Holdings(keyed.client, keyed.models, keyed.results)  # a bucket that nothing watches
    [found, _] = run_checks(stood, only=["drop"])
    assert (found.mark, "no job began" in found.note) == ("broken", True)


def test_what_cannot_be_removed_is_seen(keyed: Service) -> None:
    stood = with_stores(keyed, Stores(keyed, lambda _, body: body, deletes=False))
    [_, cleaned] = run_checks(stood, only=["upload"])
    assert (cleaned.mark, "could not be removed" in cleaned.note) == ("broken", True)


def test_every_check_has_been_seen_red() -> None:
    elsewhere = {"upload-origin", "form", *WATCHING}  # above, and in the unit tests
    assert {check.name for check in CHECKS} == {*BROKEN, *elsewhere}


def asked(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command("check", *arguments), cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_the_command_says_how_each_ended(keyed: Service) -> None:
    done = asked("--url", keyed.url, "--key", KEY, "--without", "size", "--only", "rank", "--only", "size")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines[:3]] == ["rank", "size", "cleaning"]
    assert "left out by --without" in lines[1]
    assert lines[3].startswith("1 kept, 0 broken, 2 skipped")


def test_the_command_fails_where_a_promise_is_broken(keyed: Service) -> None:
    with spoiled(keyed.url, at("/rank", reverse("ranked"))) as url:
        done = asked("--url", url, "--key", KEY, "--only", "rank", "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["passed"] is False
    assert (said["checks"][0]["name"], said["checks"][0]["mark"]) == ("rank", "broken")


def test_an_address_where_nothing_answers_breaks_every_promise() -> None:
    done = asked("--url", "http://127.0.0.1:9", "--only", "health", "--only", "rank")
    wrong = [line for line in done.stdout.splitlines() if "ConnectionError" in line]
    assert (done.returncode, len(wrong)) == (1, 2)


def test_what_there_is_not_is_told() -> None:
    assert "there is no check speed" in asked("--url", "http://127.0.0.1:9", "--only", "speed").stderr
    nothing = asked()
    assert (nothing.returncode, "--stack" in nothing.stderr) == (1, True)
