"""`sam local start-api` as clients see it: every route, bodies of every kind, sizes up to the limit and over."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.containers.sam import Sam
from tests.e2e.running import Service
from tools.local import stack

pytestmark = pytest.mark.containers
SECONDS = 300
SEQUENCES = [letter * 49 + last for letter in "ADEKLR" for last in "GNQS"]
LINES = "".join(f"{sequence}\n" for sequence in SEQUENCES).encode()
FASTA = "".join(f">protein-{at}\n{sequence}\n" for at, sequence in enumerate(SEQUENCES)).encode()
ABSTRACT = (
    "We measure the spin structure of the proton in polarised deep inelastic scattering and compare it with "
    "calculations in perturbative quantum chromodynamics at next-to-leading order, including higher-twist terms."
)


@pytest.fixture(scope="module")
def api(sam: Sam, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running `sam local start-api`."""
    with sam.api(tmp_path_factory.mktemp("api") / "log") as url:
        yield url


def _post(url: str, **body: Any) -> requests.Response:
    return requests.post(url, timeout=SECONDS, allow_redirects=False, **body)


def _ranked(reply: requests.Response) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [row["sequence"] for row in reply.json()["ranked"]]


@pytest.fixture(scope="module")
def expected(api: str) -> list[str]:
    """The ranking of the sample, by the plainest way."""
    found = _ranked(_post(f"{api}/rank", json={"sequences": SEQUENCES, "threshold": -100}))
    assert set(found) == set(SEQUENCES)
    return found


BODIES = {
    "lines": ("text/plain", LINES),
    "lines with a charset": ("text/plain; charset=utf-8", LINES),
    "fasta": ("text/x-fasta", FASTA),
    "csv": ("text/csv", b"id,sequence\n" + b"".join(b"x,%s\n" % line for line in LINES.split())),
    "gzip": ("application/gzip", gzip.compress(LINES, mtime=0)),
    "octets": ("application/octet-stream", LINES),
}


@pytest.mark.parametrize("kind", list(BODIES))
def test_every_form_of_body_is_ranked_alike(api: str, expected: list[str], kind: str) -> None:
    content_type, body = BODIES[kind]
    reply = _post(f"{api}/rank?threshold=-100", data=body, headers={"Content-Type": content_type})
    assert _ranked(reply) == expected


@pytest.mark.parametrize("content", [LINES, gzip.compress(LINES, mtime=0)], ids=["text", "binary"])
def test_an_uploaded_file_is_ranked_alike(api: str, expected: list[str], content: bytes) -> None:
    reply = _post(f"{api}/rank?threshold=-100", files={"input_file": ("sequences", content)})
    assert _ranked(reply) == expected


@pytest.mark.parametrize("path", ["/file_data", "/upload_file"])
def test_the_old_contract_answers_lines(api: str, expected: list[str], path: str) -> None:
    reply = _post(f"{api}{path}?threshold=-100", files={"input_file": ("sequences.txt", LINES)})
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert reply.text.split() == expected


def test_bytes_that_are_not_text_are_rejected_line_by_line(api: str) -> None:
    reply = _post(f"{api}/rank", data=LINES + b"\xff" * 50 + b"\n", headers={"Content-Type": "text/plain"})
    assert reply.status_code == 200
    assert [(each["line"], each["reason"]) for each in reply.json()["rejected"]] == [(len(SEQUENCES) + 1, "encoding")]


def test_a_browser_at_the_old_address_is_sent_to_the_form(api: str) -> None:
    reply = requests.get(f"{api}/upload_file", timeout=SECONDS, allow_redirects=False)
    assert reply.status_code in {301, 302, 303, 307, 308}
    assert reply.headers["Location"].endswith("upload")


def test_four_megabytes_are_answered(api: str) -> None:
    body = LINES * (4_000_000 // len(LINES))
    reply = _post(f"{api}/rank", data=body, headers={"Content-Type": "application/octet-stream"})
    assert reply.status_code == 200
    counts = reply.json()["counts"]
    assert counts["received"] == len(body) // 51
    assert counts["received"] == counts["scored"] + counts["rejected"] + counts["duplicates"]


def test_seven_megabytes_are_sent_to_presigned_uploads(api: str) -> None:
    body = LINES * (7_000_000 // len(LINES))
    reply = _post(f"{api}/rank", data=body, headers={"Content-Type": "application/octet-stream"})
    assert reply.status_code == 413, reply.text
    assert "POST /uploads" in reply.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/classify", "/models/arxiv-archives/classify"])
def test_an_abstract_is_classified(api: str, path: str) -> None:
    reply = _post(f"{api}{path}", json={"abstract": ABSTRACT})
    assert reply.status_code == 200
    assert reply.json()["model"]["name"] == "arxiv-archives"
    assert reply.json()["results"][0]["scores"]["hep-ph"] > 0


def test_an_uploaded_abstract_is_classified(api: str) -> None:
    reply = _post(f"{api}/classify", files={"input_file": ("abstract.txt", ABSTRACT.encode())})
    assert reply.status_code == 200, reply.text


def test_a_pdf_reaches_the_classifier_unharmed(api: str) -> None:
    # A PDF's second line is bytes that are no text; what is refused must be refused for what the file is.
    reply = _post(f"{api}/classify", data=b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", headers={"Content-Type": "application/pdf"})
    assert 400 <= reply.status_code < 500
    assert set(reply.json()["error"]) == {"code", "message", "details"}


@pytest.mark.parametrize("path", ["/predict", "/predict/", "/api/predict", "/api/predict/"])
def test_the_old_classifier_answers(api: str, path: str) -> None:
    reply = _post(f"{api}{path}", json={"abstract": ABSTRACT})
    assert reply.status_code == 200, reply.text
    [scores] = reply.json()["predictions"]
    assert len(scores) == 18


def test_every_page_answers(api: str, declared: stack.Stack) -> None:
    paths = [route.path for route in declared.routes if route.method == "GET" and "{" not in route.path]
    for path in paths:
        reply = requests.get(api + path, timeout=SECONDS, allow_redirects=False)
        assert reply.status_code < 500, f"{path}: {reply.text}"
        assert reply.status_code < 400 or path == "/jobs", f"{path}: {reply.text}"


def test_an_unknown_job_is_not_found(api: str) -> None:
    reply = requests.get(f"{api}/jobs/none-such", timeout=SECONDS)
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "not_found"


def test_uploads_are_presigned(api: str) -> None:
    reply = _post(f"{api}/uploads", json={"filename": "sequences.txt", "kind": "rank"})
    assert reply.status_code in {200, 201}, reply.text
    assert json.dumps(reply.json()).count("rank/")
