"""The portal through its handler: pages under a stage prefix, models, health, uploads and jobs."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from assay.aws.dynamodb import to_item
from assay.jobs.job_records import Jobs, UploadIdentity
from assay.options import RANKING, RankOptions, read_options
from portal import pages
from portal.uploads import safe
from tests.conftest import TABLE, Aws
from tests.events import Context, post

Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(aws: Aws, environment: Callable[[str, str], None]) -> Iterator[Call]:
    from portal.app import handler
    from portal.services import services

    environment("ASSAY_GATE_MODEL", "tiny-index")
    environment("ASSAY_SCORE_MODEL", "absent")
    services.cache_clear()

    def get(path: str, asked: str = "", **query: str) -> dict[str, Any]:
        event = post(path, b"", query=query or None) | {"httpMethod": "GET"}
        event["requestContext"]["path"] = asked or path
        return handler(event, Context())

    get.post = lambda path, body: handler(post(path, body), Context())  # type: ignore[attr-defined]
    yield get
    services.cache_clear()


def read(reply: dict[str, Any], status: int = 200) -> Any:
    assert reply["statusCode"] == status, reply["body"]
    return json.loads(reply["body"])


@pytest.mark.parametrize("path", ["/", "/upload", "/upload/", "/docs"])
def test_pages_name_no_other_host_and_their_policy_allows_none(call: Call, path: str) -> None:
    reply = call(path)
    policy = directives(reply)
    assert reply["statusCode"] == 200
    assert not re.findall(r"<(?:script|link|img|form)[^>]+(?:src|href|action)=.(?:https?:|/)", reply["body"])
    assert policy["default-src"] == ["'none'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:"} & {*policy["script-src"], *policy["connect-src"]}
    assert len(reply["body"]) < 6_000_000


def test_the_page_has_nothing_inline_and_talks_to_the_service_and_its_two_buckets(call: Call) -> None:
    page, policy = call("/")["body"], directives(call("/"))
    assert not re.findall(r"<style|style=|<script>|\son\w+=|{{", page)
    assert (policy["script-src"], policy["style-src"]) == (["'self'"], ["'self'"])
    hosts = [f"https://{name}.s3.amazonaws.com" for name in ("results", "uploads")]
    assert policy["connect-src"] == ["'self'", *hosts]


def test_the_viewers_policy_names_its_scripts(call: Call) -> None:
    allowed = directives(call("/docs"))["script-src"]
    for script in re.findall(r"<script>(.*?)</script>", call("/docs")["body"], re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in allowed


def directives(reply: dict[str, Any]) -> dict[str, list[str]]:
    policy = reply["multiValueHeaders"]["Content-Security-Policy"][0]
    return {name: values for name, *values in (directive.split() for directive in policy.split(";"))}


@pytest.mark.parametrize(
    ("path", "asked", "lead"),
    [
        ("/", "/prod/", ""),
        ("/", "/prod", "prod/"),
        ("/", "/", ""),
        ("/upload", "/prod/upload", ""),
        ("/upload/", "/prod/upload/", "../"),
        ("/upload", "/lab/upload", ""),
        ("/", '/"><script>alert(1)', "%22%3E%3Cscript%3Ealert%281%29/"),
    ],
)
def test_addresses_on_a_page_are_relative_to_where_it_lies(call: Call, path: str, asked: str, lead: str) -> None:
    page = call(path, asked=asked)["body"]
    assert f'action="{lead}upload_file"' in page
    assert f'src="{lead}page/app.js?v=' in page
    assert "<script>" not in page


def test_files_of_the_page_are_kept_by_browsers_under_the_version_that_the_page_names(call: Call) -> None:
    named = re.findall(r'(?:src|href)="(page/[\w.]+)\?v=(\w+)"', call("/")["body"])
    assert {name for name, _ in named} == {f"page/{name}" for name in pages.TYPES}
    for name, version in named:
        reply = call(f"/{name}", v=version)
        assert reply["statusCode"] == 200
        assert "immutable" in reply["multiValueHeaders"]["Cache-Control"][0]
        assert call(f"/{name}", v="old")["multiValueHeaders"]["Cache-Control"] == ["no-cache"]


@pytest.mark.parametrize("name", ["index.html", "main.js", "..", "app.py", "%2e%2e%2fapp.py"])
def test_the_page_gives_no_other_files(call: Call, name: str) -> None:
    assert read(call(f"/page/{name}"), 404)["error"]["code"] == "not_found"


def test_health_names_what_serves_and_what_is_missing(call: Call, aws: Aws) -> None:
    aws.publish("tiny-index", "tiny-text")
    body = read(call("/health"))
    assert body["status"] == "models missing"
    assert body["models"]["gate"] == {"name": "tiny-index", "version": "1"}
    assert body["models"]["score"] == {"name": "absent", "version": None}


def test_models_are_listed_by_their_manifests_and_broken_ones_left_out(call: Call, aws: Aws) -> None:
    aws.publish("tiny-index", "tiny-text")
    aws.models.put("models/broken/current.json", b'{"schema": 1, "version": "9"}', "application/json")
    models = {model["name"]: model for model in read(call("/models"))["models"]}
    assert set(models) == {"tiny-index", "tiny-text"}
    assert models["tiny-text"]["labels"]
    assert models["tiny-index"]["length"] == 50


DEEP = b"[" * 200_000


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: DEEP,
        lambda manifest: {**manifest, "sequence": "x"},
        lambda manifest: {**manifest, "task": "text-classification", "text": [1]},
        lambda manifest: {name: value for name, value in manifest.items() if name != "name"},
        lambda manifest: {**manifest, "name": "another"},
        lambda manifest: {**manifest, "files": None},
        lambda manifest: {**manifest, "metrics": [1]},
        lambda manifest: {**manifest, "task": "a-newer-one"},
        lambda manifest: [],
        lambda manifest: None,
        lambda manifest: b"\xff\xfe",
        lambda manifest: b"",
    ],
)  # fmt: skip
def test_a_manifest_that_the_loader_refuses_is_left_out_for_nobody_elses_harm(
    call: Call, aws: Aws, change: Callable[[dict[str, Any]], Any]
) -> None:
    aws.publish("tiny-index", "tiny-text")
    stored = aws.models.get("models/tiny-index/1/manifest.json", limit=1 << 20)
    assert stored
    changed = change({**json.loads(stored[0]), "name": "odd"})
    body = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
    aws.models.put("models/odd/1/manifest.json", body, "application/json")
    aws.models.put("models/odd/current.json", b'{"schema": 1, "version": "1"}', "application/json")
    assert {model["name"] for model in read(call("/models"))["models"]} == {"tiny-index", "tiny-text"}
    for path in ("/v1/models/odd", "/v2/models/odd", "/v2/models/odd/ready", "/v2/models/odd/versions/1"):
        assert read(call(path), 404)["code"] == "not_found"


def test_a_manifest_that_is_not_the_pointers_is_left_out(call: Call, aws: Aws) -> None:
    aws.publish("tiny-index")
    stored = aws.models.get("models/tiny-index/1/manifest.json", limit=1 << 20)
    assert stored
    aws.models.put("models/tiny-index/1/manifest.json", stored[0] + b" ", "application/json")
    assert read(call("/models"))["models"] == []


def test_a_page_of_models_asks_s3_once_in_a_while_and_not_once_a_call(
    call: Call, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.services import services

    aws.publish("tiny-index", "tiny-text")
    first = read(call("/models"))
    counted: list[str] = []
    client = services().catalogue._bucket.client
    client.meta.events.register("before-call.s3", lambda model, **_: counted.append(model.name))
    for at in range(20):
        assert read(call("/models", limit=str(1 + at % 3), after=f"a{at}"))["models"][0] == first["models"][0]
    assert counted == []


def test_models_come_some_at_a_time(call: Call, aws: Aws) -> None:
    aws.publish("tiny-index", "tiny-text", "tiny-one-hot")
    whole = read(call("/models"))
    assert "next" not in whole
    first = read(call("/models", limit="2"))
    rest = read(call("/models", **dict(parse_qsl(urlsplit(first["next"]).query))))
    assert (len(first["models"]), "next" in rest) == (2, False)
    assert first["models"] + rest["models"] == whole["models"]
    for query in ({"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"page": "2"}):
        assert read(call("/models", **query), 400)["error"]["code"] == "invalid_option"


def test_an_upload_is_bound_to_its_key_and_size_and_has_a_job(call: Call, aws: Aws) -> None:
    body = read(call.post("/uploads", b'{"filename": "../my proteins.txt"}'), 201)  # type: ignore[attr-defined]
    policy = json.loads(base64.b64decode(body["upload"]["fields"]["policy"]))
    assert re.fullmatch(r"rank/[0-9a-f]{16}/my proteins\.txt", body["key"])
    assert {"key": body["key"]} in policy["conditions"]
    assert ["content-length-range", 0, body["max_bytes"]] in policy["conditions"]
    assert read(call(f"/jobs/{body['job_id']}"))["state"] == "QUEUED"
    claim = Jobs(aws.dynamodb, TABLE).claim(UploadIdentity("uploads", body["key"], "v", "1"), "me", 60)
    assert claim.job_id == body["job_id"]


def test_options_travel_as_metadata_that_the_upload_is_bound_to(call: Call, aws: Aws) -> None:
    wanted = b'{"filename": "a.csv", "top_k": "20", "threshold": 0.5, "strict": true, "column": "binder seq"}'
    fields = read(call.post("/uploads", wanted), 201)["upload"]["fields"]  # type: ignore[attr-defined]
    expected = {"top-k": "20", "threshold": "0.5", "strict": "true", "column": "binder seq"}
    metadata = {f"x-amz-meta-{name}": value for name, value in expected.items()}
    assert {name: fields[name] for name in fields if name.startswith("x-amz-meta-")} == metadata
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert all({name: value} in conditions for name, value in metadata.items())
    chosen = RankOptions(**read_options(RANKING, {name.replace("-", "_"): value for name, value in expected.items()}))
    assert chosen == RankOptions(top_k=20, threshold=0.5, strict=True, column="binder seq")


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("C:\\designs\\my file.csv.gz", "my file.csv.gz"),
        ("a?b#c%d.txt", "a_b_c_d.txt"),
        ("protéines.fa", "protéines.fa"),
        ("..", "upload"),
        ("a/", "upload"),
        ("\ud800x.txt", "x.txt"),
        ("\U00020000" * 250 + ".fasta", "\U00020000" * 62 + ".fasta"),
    ],
)
def test_a_file_name_becomes_part_of_a_key(filename: str, kept: str) -> None:
    assert safe(filename) == kept


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_body"),
        (b"{}", "malformed_body"),
        (b'{"filename": ""}', "malformed_body"),
        (b'{"filename": 7}', "malformed_body"),
        (b'{"filename": "a", "kind": "other"}', "invalid_option"),
        (b'{"filename": "a", "topk": 3}', "invalid_option"),
        (b'{"filename": "a", "kind": "classify", "gate": "off"}', "invalid_option"),
        (b'{"filename": "a", "kind": "classify", "threshold": 1.5}', "invalid_option"),
        (b'{"filename": "a", "top_k": 0}', "invalid_option"),
        (b'{"filename": "a", "threshold": "low"}', "invalid_option"),
        (b'{"filename": "a", "column": ""}', "invalid_option"),
        (b'{"filename": "a", "column": "s\xc3\xa9quence"}', "invalid_option"),
    ],
)
def test_a_bad_wish_for_an_upload_is_refused(call: Call, body: bytes, code: str) -> None:
    assert read(call.post("/uploads", body), 400)["error"]["code"] == code  # type: ignore[attr-defined]


def test_a_job_is_found_by_id_and_by_upload_with_links(call: Call, aws: Aws) -> None:
    jobs = Jobs(aws.dynamodb, TABLE)
    job = jobs.enqueue("rank/a.txt", "rank")
    jobs.succeed(job.id, {"received": 1}, {"ranking": f"results/{job.id}/ranking.csv"})
    found = read(call(f"/jobs/{job.id}"))
    assert found == read(call("/jobs", upload="rank/a.txt")) | {"results": found["results"]}
    assert (found["job_id"], found["state"], found["counts"]) == (job.id, "SUCCEEDED", {"received": 1})
    assert f"results/{job.id}/ranking.csv?" in found["results"]["ranking"]


def test_unknown_jobs_and_uploads_are_404(call: Call) -> None:
    assert read(call("/jobs/nothing"), 404)["error"]["code"] == "not_found"
    assert read(call("/jobs", upload="rank/nothing"), 404)["error"]["code"] == "not_found"
    assert read(call("/jobs"), 400)["error"]["code"] == "invalid_option"


def test_a_key_that_no_table_can_hold_is_not_asked_for(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def bounded(values: dict[str, str]) -> dict[str, Any]:
        # DynamoDB answers more with a caller's error, moto does not.
        assert len(values["pk"].encode()) <= 2048
        return to_item(values)

    monkeypatch.setattr("assay.aws.dynamodb.to_item", bounded)
    assert read(call("/jobs", upload="\u00e9" * 1024), 404)["error"]["code"] == "not_found"
    assert read(call(f"/jobs/{'a' * 2044}"), 404)["error"]["code"] == "not_found"
    assert read(call("/jobs", upload="rank/nothing"), 404)["error"]["code"] == "not_found"


def test_the_description_is_served_as_it_is_kept(call: Call) -> None:
    assert read(call("/openapi.json"))["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("scheme", "host", "asked", "address"),
    [
        ("https", "x1.amazonaws.com", "/prod/openapi.json", "https://x1.amazonaws.com/prod"),
        ("http", "127.0.0.1:3000", "/openapi.json", "http://127.0.0.1:3000"),
        ("https", "lab.example.org", "/assay/openapi.json/", "https://lab.example.org/assay"),
        ("javascript", "lab.example.org", "/openapi.json", "/"),
        ("https", 'evil"/', "/prod/openapi.json", "/prod"),
    ],
)  # fmt: skip
def test_the_descriptions_server_is_the_one_that_was_asked(scheme: str, host: str, asked: str, address: str) -> None:
    [found] = json.loads(pages.description(pages.server(scheme, host, asked)).body)["servers"]
    assert found == {"url": address}


@pytest.mark.parametrize("path", ["/jobs/anything", "/models", "/v1/models/tiny-index"])
def test_a_store_that_does_not_answer_is_503_with_when_to_come_back(
    call: Call, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.client import BaseClient
    from botocore.exceptions import EndpointConnectionError

    def away(*_: Any, **__: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://nowhere.example.org")

    monkeypatch.setattr(BaseClient, "_make_api_call", away)
    reply = call(path)
    error = read(reply, 503)["error"]
    assert "store_away" in json.dumps(read(reply, 503))
    assert "nowhere" not in json.dumps(error)
    assert "try again" in json.dumps(error)
    assert reply["multiValueHeaders"]["Retry-After"]


def test_tritons_client_is_told_of_the_service_and_its_models(call: Call, aws: Aws) -> None:
    aws.publish("tiny-index", "tiny-text")
    assert read(call("/v2"))["name"] == "assay"
    labels = len(read(call("/v2/models/tiny-text"))["outputs"][0]["parameters"]["labels"])
    config = read(call("/v2/models/tiny-text/config"))
    assert (config["name"], config["max_batch_size"]) == ("tiny-text", 0)
    assert config["input"] == [{"name": "text", "data_type": "TYPE_STRING", "dims": [-1]}]
    assert config["output"] == [{"name": "scores", "data_type": "TYPE_FP32", "dims": [-1, labels]}]
    assert read(call("/v2/models/tiny-text/versions/1/config")) == config
    stats = {"model_stats": [{"name": "tiny-index", "version": "1"}]}
    assert read(call("/v2/models/tiny-index/stats")) == read(call("/v2/models/tiny-index/versions/1/stats")) == stats
    index = read(call.post("/v2/repository/index", b"{}"))  # type: ignore[attr-defined]
    assert [(each["name"], each["state"]) for each in index] == [("tiny-index", "READY"), ("tiny-text", "READY")]


def test_tensorflow_servings_client_is_told_the_signature(call: Call, aws: Aws) -> None:
    aws.publish("tiny-index")
    found = read(call("/v1/models/tiny-index/metadata"))
    assert found["model_spec"] == {"name": "tiny-index", "signature_name": "", "version": "1"}
    signed = found["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signed["inputs"]["sequence"]["dtype"] == "DT_STRING"
    assert signed["outputs"]["score"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert read(call("/v1/models/tiny-index/versions/1/metadata")) == found


@pytest.mark.parametrize(
    "path",
    ["/v2/nothing", "/v1/nothing", "/v2/models/x/trace/setting", "/v2/systemsharedmemory/status", "/v1/models/x/y/z",
     "/v2/models/absent/config", "/v2/models/absent/stats", "/v1/models/absent/metadata", "/v1", "/v2/"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_a_protocol_has_not_is_text_under_error(call: Call, path: str, method: str) -> None:
    if (path, method) == ("/v2/", "get"):
        pytest.skip("the service's own metadata")
    reply = call(path) if method == "get" else call.post(path, b"{}")  # type: ignore[attr-defined]
    body = read(reply, 404)
    assert isinstance(body["error"], str)
    assert body["code"] == "not_found"
