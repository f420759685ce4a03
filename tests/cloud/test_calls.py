"""Every route of a first deployment, through the emulated API Gateway, with keys asked for and IAM enforced."""

import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.cloud.account import Account
from tests.cloud.deployment import Deployment, wait_for
from tests.cloud.samples import ABSTRACT, CLASSIFIER, CSV, DESIGN, FASTA, GZIP, LINES, OTHER, POOR, SHORT, sequences
from tests.papers.layouts import article

pytestmark = pytest.mark.cloud
OPEN = "?threshold=-1000"
JSON = {"Content-Type": "application/json"}
PDF = {"Content-Type": "application/pdf"}


def test_a_first_deployment_throttles_a_key(fresh: Deployment) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = pool.map(lambda _: fresh.get("/jobs?upload=rank/none").status_code, range(400))
        assert next(status for status in statuses if status != 404) == 429
        pool.shutdown(cancel_futures=True)


def test_every_closed_route_asks_for_a_key(cloud: Deployment) -> None:
    described = cloud.get("/openapi.json").json()["paths"]
    posts = [path.format_map(Names()) for path, verbs in described.items() if "post" in verbs]
    assert len(posts) >= 12
    for path in [*posts, "/jobs"]:
        verb = "GET" if path == "/jobs" else "POST"
        assert cloud.call(verb, path, keyed=False, data="{}").status_code == 403, path
        assert cloud.call(verb, path, keyed=False, data="{}", headers={"x-api-key": "a" * 20}).status_code == 403, path


class Names(dict[str, str]):
    """A name for each parameter of a path."""

    def __missing__(self, key: str) -> str:
        return {"target": "arxiv-archives:predict", "version": CLASSIFIER}.get(key, "arxiv-archives")


def test_every_page_is_open_and_answers(cloud: Deployment) -> None:
    described = cloud.get("/openapi.json").json()["paths"]
    skipped = ("/jobs", "/jobs/{id}", "/jobs/{job_id}")
    paths = [path for path, verbs in described.items() if "get" in verbs and path not in skipped]
    for path in paths:
        path = path.format_map(Names()).replace(":predict", "").replace("page/arxiv-archives", "page/page.css")
        reply = cloud.call("GET", path, keyed=False)
        assert reply.status_code in (200, 302, 303, 307, 308) or "/page/" in path, f"{path}: {reply.text}"
    assert cloud.call("GET", "/", keyed=False).headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", LINES),
        ("text/plain; charset=utf-8", LINES),
        ("text/x-fasta", FASTA),
        ("text/csv", CSV),
        ("application/gzip", GZIP),
        ("application/octet-stream", LINES),
        ("application/json", json.dumps({"sequences": [OTHER, DESIGN, POOR, SHORT]}).encode()),
    ],
)
def test_every_form_of_body_is_ranked_alike(cloud: Deployment, kind: str, body: bytes) -> None:
    reply = cloud.post(f"/rank{OPEN}", data=body, headers={"Content-Type": kind})
    assert reply.status_code == 200, reply.text
    _hold(reply.json())


def test_an_uploaded_file_is_ranked_alike(cloud: Deployment) -> None:
    reply = cloud.post(f"/rank{OPEN}", files={"input_file": ("sequences.gz", GZIP)})
    _hold(reply.json())
    for path in ("/file_data", "/upload_file"):
        old = cloud.post(f"{path}{OPEN}", files={"input_file": ("sequences.txt", LINES)})
        assert old.text.split() == [row["sequence"] for row in reply.json()["ranked"]], path
        assert old.headers["X-Assay-Rejected"] == "1"


def _hold(found: dict[str, Any]) -> None:
    assert {row["sequence"] for row in found["ranked"]} == {OTHER, DESIGN, POOR}
    counts = found["counts"]
    assert (counts["received"], counts["scored"], counts["rejected"], counts["duplicates"]) == (4, 3, 1, 0)
    assert [each["reason"] for each in found["rejected"]] == ["length"]


def test_bytes_that_are_not_text_are_rejected_line_by_line(cloud: Deployment) -> None:
    reply = cloud.post("/rank", data=LINES + b"\xff" * 50 + b"\n", headers={"Content-Type": "text/plain"})
    assert [each["reason"] for each in reply.json()["rejected"]] == ["length", "encoding"]


def test_an_abstract_is_classified_by_every_route(cloud: Deployment) -> None:
    found = cloud.post("/classify", json={"abstract": ABSTRACT}).json()["results"][0]
    assert found["labels"][0]["label"] == "hep-ph"
    scores = [score for _, score in sorted(found["scores"].items())]
    assert cloud.post("/models/arxiv-archives/classify", json={"abstract": ABSTRACT}).json()["results"][0]["cached"]
    for path in ("/predict", "/predict/", "/api/predict", "/api/predict/"):
        assert sorted(cloud.post(path, json={"abstract": ABSTRACT}).json()["predictions"][0]) == pytest.approx(
            sorted(scores), abs=1e-5
        )
    assert cloud.post("/classify", data=ABSTRACT.encode(), headers={"Content-Type": "text/plain"}).status_code == 200


@pytest.mark.parametrize("version", ["", f"/versions/{CLASSIFIER}"])
def test_tensorflow_serving_and_open_inference_are_spoken(cloud: Deployment, version: str) -> None:
    serving = cloud.post(f"/v1/models/arxiv-archives{version}:predict", json={"instances": [ABSTRACT]})
    assert serving.status_code == 200, serving.text
    [prediction] = serving.json()["predictions"]
    inputs = [{"name": "text", "shape": [1], "datatype": "BYTES", "data": [ABSTRACT]}]
    described = cloud.get(f"/v2/models/arxiv-archives{version}").json()
    inputs[0]["name"] = described["inputs"][0]["name"]
    inference = cloud.post(f"/v2/models/arxiv-archives{version}/infer", json={"inputs": inputs})
    assert inference.status_code == 200, inference.text
    assert len(prediction) >= 18 or isinstance(prediction, dict)


def test_a_paper_is_read(cloud: Deployment) -> None:
    paper = article().pdf()
    for options in (
        {"data": paper, "headers": {"Content-Type": "application/pdf"}},
        {"files": {"input_file": ("paper.pdf", io.BytesIO(paper))}},
    ):
        reply = cloud.post("/classify", **options)
        assert reply.status_code == 200, reply.text
        assert reply.json()["results"][0]["tokens"] > 50


@pytest.mark.parametrize(
    ("path", "options", "status", "code"),
    [
        ("/rank", {"data": b"{", "headers": JSON}, 400, "malformed_body"),
        ("/rank", {"json": {"sequences": "none"}}, 400, "malformed_body"),
        ("/rank?top_k=0", {"json": {"sequences": [DESIGN]}}, 400, "invalid_option"),
        ("/rank?strict=true", {"json": {"sequences": [SHORT]}}, 422, "rejected_records"),
        ("/rank", {"data": b"x", "headers": {"Content-Type": "image/png"}}, 415, "unsupported_media_type"),
        ("/classify", {"json": {"abstract": "short"}}, 400, None),
        (
            "/classify",
            {"data": b"%PDF-1.7 broken", "headers": {"Content-Type": "application/pdf"}},
            422,
            "unreadable_input",
        ),
        ("/models/none-such/classify", {"json": {"abstract": ABSTRACT}}, 404, "not_found"),
        ("/uploads", {"json": {"kind": "nothing"}}, None, None),
        ("/jobs/none-such/cancel", {}, 404, "not_found"),
    ],
)
def test_an_error_has_the_shape_of_errors(
    cloud: Deployment, path: str, options: dict[str, Any], status: int | None, code: str | None
) -> None:
    reply = cloud.post(path, **options)
    assert 400 <= reply.status_code < 500, reply.text
    assert status in (None, reply.status_code), reply.text
    assert set(reply.json()["error"]) == {"code", "message", "details"}
    assert code in (None, reply.json()["error"]["code"])


def test_a_body_too_large_is_sent_to_uploads(cloud: Deployment) -> None:
    body = sequences(137_000, 1)
    reply = cloud.post("/rank", data=body, headers={"Content-Type": "text/plain"})
    assert reply.status_code == 413, reply.text[:500]
    assert "POST /uploads" in reply.json()["error"]["message"]


def test_what_has_no_route_is_refused(cloud: Deployment) -> None:
    assert cloud.get("/none/such").status_code in (403, 404)
    assert cloud.call("DELETE", "/rank").status_code in (403, 404, 405)


def test_pages_of_any_origin_may_call(cloud: Deployment) -> None:
    asked = {"Origin": "https://lab.example.org", "Access-Control-Request-Method": "POST"}
    assert cloud.call("OPTIONS", "/rank", keyed=False, headers=asked).status_code == 200
    reply = cloud.post("/rank", json={"sequences": [DESIGN]}, headers={"Origin": "https://lab.example.org"})
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_a_file_goes_by_a_presigned_post_and_comes_by_a_link(cloud: Deployment) -> None:
    given = cloud.post("/uploads", json={"filename": "designs.fasta", "kind": "rank"}).json()
    assert cloud.get(f"/{given['status_url']}").json()["state"] == "QUEUED"
    sent = requests.post(given["upload"]["url"], given["upload"]["fields"], files={"file": FASTA}, timeout=60)
    assert sent.status_code in (200, 201, 204), sent.text
    job = cloud.ended(given["job_id"])
    assert job["state"] == "SUCCEEDED", job
    links = [link for link in _links(job) if "ranking.csv" in link]
    ranking = requests.get(links[0], timeout=60)
    assert ranking.status_code == 200, ranking.text
    assert ranking.content == cloud.output(given["job_id"], "ranking.csv")


def _links(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [link for each in value.values() for link in _links(each)]
    if isinstance(value, list):
        return [link for each in value for link in _links(each)]
    return [value] if isinstance(value, str) and value.startswith("http") else []


def test_an_answer_that_is_too_large_is_a_link(cloud: Deployment) -> None:
    lines = dict.fromkeys(sequences(10_000, 2, 20_000).decode().split())
    body = gzip.compress("".join(f">{at}{'x' * 600}\n{line}\n" for at, line in enumerate(lines)).encode())
    reply = cloud.post(f"/rank{OPEN}&top_k=10000", data=body, headers={"Content-Type": "application/gzip"})
    assert reply.status_code == 200, reply.text[:500]
    whole = requests.get(reply.json()["result_url"], timeout=60)
    assert whole.status_code == 200, whole.text[:500]
    assert len(whole.content) > 5_000_000
    assert len(whole.json()["ranked"]) == len(lines) == reply.json()["counts"]["returned"]


def test_an_answer_may_come_later(cloud: Deployment) -> None:
    reply = cloud.post("/rank", data=LINES, headers={"Content-Type": "text/plain", "Prefer": "respond-async"})
    assert reply.status_code == 202, reply.text
    job = cloud.ended(reply.json()["job_id"])
    assert job["state"] == "SUCCEEDED"


def test_the_log_has_no_word_of_what_was_sent(cloud: Deployment, account: Account) -> None:
    cloud.post("/rank", json={"sequences": [DESIGN]})
    cloud.post("/classify", json={"abstract": ABSTRACT})
    lines = wait_for(lambda: cloud.log("rank-api") + cloud.log("classify-api") or None, "a line of the log")
    assert not [line for line in lines if DESIGN in line or ABSTRACT[:40] in line]
