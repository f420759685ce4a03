"""A service that wants a key, asked under its stage as API Gateway has it: links, assets, description, uploads."""

import csv
import io
import re
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from tests.e2e.running import ROOT, Service, command, running, wait_for
from tests.e2e.samples import ABSTRACT, DESIGN, LINES, OTHER

KEY = "a-key-of-the-tests"
OPEN = "threshold=-1000"


@pytest.fixture(scope="module")
def keyed() -> Iterator[Service]:
    with running("--log-level", "ERROR", "--api-key", KEY) as service:
        yield service


@pytest.fixture(scope="module")
def api(keyed: Service) -> str:
    """The address that the description names."""
    [server] = keyed.get("/prod/openapi.json").json()["servers"]
    assert server["url"] == f"{keyed.url}/prod"
    return str(server["url"])


def ask(keyed: Service, url: str, key: str | None = KEY, **sent: Any) -> requests.Response:
    headers = {**({"x-api-key": key} if key else {}), **sent.pop("headers", {})}
    return keyed.session.post(url, headers=headers, timeout=60, **sent)


@pytest.mark.parametrize("key", [None, "another"])
@pytest.mark.parametrize("path", ["/rank", "/classify", "/uploads", "/v1/models/stability-trypsin:predict"])
def test_calls_want_the_key_and_say_so(keyed: Service, api: str, path: str, key: str | None) -> None:
    reply = ask(keyed, api + path, key, json={})
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "forbidden")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_the_key_opens_them(keyed: Service, api: str) -> None:
    reply = ask(keyed, f"{api}/rank?{OPEN}", data=LINES, headers={"Content-Type": "text/plain", "Accept": "text/csv"})
    assert reply.status_code == 200, reply.text
    assert {row["sequence"] for row in csv.DictReader(io.StringIO(reply.text))} >= {DESIGN, OTHER}
    assert reply.headers["X-Assay-Rejects"] == "4:length"
    scores = ask(keyed, f"{api}/v1/models/arxiv-archives:predict", json={"instances": [ABSTRACT]}).json()
    assert len(scores["predictions"][0]) == 18
    named = {"inputs": [{"name": "sequence", "datatype": "BYTES", "shape": [1], "data": [DESIGN]}]}
    assert ask(keyed, f"{api}/v2/models/stability-trypsin/infer", json=named).json()["outputs"][0]["shape"] == [1]


@pytest.mark.parametrize("path", ["/prod/", "/prod/upload", "/prod/upload/", "/prod/docs", "/prod"])
def test_what_a_page_loads_is_there_under_the_stage(keyed: Service, path: str) -> None:
    page = keyed.get(path)
    assert page.status_code == 200
    head = page.text if "/docs" not in path else re.sub(r"<(script|style)>.*?</\1>", "", page.text, flags=re.DOTALL)
    links = re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="(?!data:)([^"]+)"', head)
    for link in links:
        assert keyed.session.get(urljoin(page.url, link), timeout=60).status_code == 200, link
    assert links or "/docs" in path


def test_the_viewer_finds_its_description(keyed: Service) -> None:
    page = keyed.get("/prod/docs")
    [address] = re.findall(r'SwaggerUIBundle\(\{url: "([^"]+)"', page.text)
    assert keyed.session.get(urljoin(page.url, address), timeout=60).json()["openapi"] == "3.1.0"


def test_an_upload_carries_its_options_to_its_job(keyed: Service, api: str) -> None:
    asked = ask(keyed, f"{api}/uploads", json={"filename": "designs.txt", "top_k": 1, "threshold": -1000})
    offer = asked.json()
    form, link = offer["upload"], urljoin(asked.url, offer["status_url"])
    assert link == f"{api}/jobs/{offer['job_id']}"
    keyed.session.post(form["url"], data=form["fields"], files={"file": ("designs.txt", LINES)}).raise_for_status()

    def finished() -> dict[str, Any] | None:
        job: dict[str, Any] = keyed.session.get(link, timeout=60).json()
        return job if job["state"] in ("SUCCEEDED", "FAILED") else None

    job = wait_for(finished, "a finished job")
    assert job["state"] == "SUCCEEDED"
    assert job["counts"]["passed"] == 3
    assert job["counts"]["returned"] == 1


def test_the_command_takes_stage_and_key(keyed: Service, api: str) -> None:
    arguments = command("rank", "-", "--url", api, "--key", KEY, "--threshold=-1000", "--csv")
    done = subprocess.run(arguments, cwd=ROOT, input=LINES, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert DESIGN in done.stdout.decode()


def test_a_browser_elsewhere_may_ask_first(keyed: Service, api: str) -> None:
    reply = keyed.session.options(f"{api}/rank", headers={"Origin": "https://lab.example.org"}, timeout=60)
    assert (reply.status_code, reply.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "x-api-key" in reply.headers["Access-Control-Allow-Headers"]
