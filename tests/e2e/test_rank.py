"""POST /rank and /file_data over real HTTP."""

import gzip
from typing import Any

import pytest

from tests.e2e.running import Service
from tests.e2e.samples import CSV, DESIGN, FASTA, GZIP, LINES, OPEN, OTHER, POOR, SHORT


def ranked(service: Service, **body: Any) -> dict[str, Any]:
    reply = service.post("/rank", params=OPEN, **body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def text(kind: str) -> dict[str, str]:
    return {"Content-Type": kind}


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"sequences": [OTHER, DESIGN, POOR, SHORT]}},
        {"data": LINES, "headers": text("text/plain")},
        {"data": FASTA, "headers": text("text/x-fasta")},
        {"data": CSV, "headers": text("text/csv")},
        {"data": GZIP, "headers": text("application/gzip")},
        {"data": gzip.compress(FASTA, mtime=0), "headers": text("application/x-gzip")},
        {"files": {"input_file": ("designs.txt", LINES)}},
        {"files": {"input_file": ("designs.fasta", FASTA)}},
        {"files": {"input_file": ("designs.csv", CSV, "text/csv")}},
        {"files": {"input_file": ("designs.txt.gz", GZIP)}},
    ],
    ids=["json", "lines", "fasta", "csv", "gzip", "fasta.gz", "form-lines", "form-fasta", "form-csv", "form-gzip"],
)
def test_every_form_gives_the_same_ranking(service: Service, order: list[str], body: dict[str, Any]) -> None:
    answer = ranked(service, **body)
    assert [row["sequence"] for row in answer["ranked"]] == order
    assert [row["rank"] for row in answer["ranked"]] == [1, 2, 3]
    assert answer["counts"] == {
        "received": 4,
        "scored": 3,
        "passed": 3,
        "returned": 3,
        "rejected": 1,
        "duplicates": 0,
    }
    assert [reject["reason"] for reject in answer["rejected"]] == ["length"]


def test_rows_rejects_and_models_are_as_the_contract_says(service: Service) -> None:
    answer = ranked(service, data=FASTA, headers=text("text/x-fasta"))
    always = {"rank", "sequence", "score", "gate", "line", "id", "columns"}
    assert {*answer["ranked"][0]} - {"notice"} == always | {"probability", "percentile"}
    assert {row["columns"]["description"] for row in answer["ranked"]} == {"other", "design", "poor"}
    assert {(row["id"], row["line"]) for row in answer["ranked"]} == {("other", 1), ("design", 3), ("poor", 6)}
    assert answer["rejected"] == [{"line": 8, "reason": "length", "detail": "3 residues, expected 50"}]
    assert answer["models"]["score"]["name"] == "stability-trypsin"
    assert answer["models"]["gate"]["name"] == "stability-chymotrypsin"
    assert answer["models"]["gate"]["version"]


def test_duplicates_are_counted_once(service: Service) -> None:
    answer = ranked(service, json={"sequences": [DESIGN, DESIGN.lower(), OTHER]})
    assert answer["counts"]["duplicates"] == 1
    assert {row["line"] for row in answer["ranked"]} == {1, 3}


def test_options_in_the_body_and_in_the_query(service: Service) -> None:
    body = {"sequences": [DESIGN, OTHER], "top_k": 1, "threshold": -1000}
    by_body = service.post("/rank", json=body).json()
    by_query = service.post("/rank?top_k=1&threshold=-1000", json={"sequences": [DESIGN, OTHER]}).json()
    assert by_body["ranked"] == by_query["ranked"]
    assert by_body["counts"]["passed"] == 2
    assert by_body["counts"]["returned"] == 1


def test_the_gate_is_strict(service: Service) -> None:
    gate = ranked(service, json={"sequences": [DESIGN]})["ranked"][0]["gate"]
    at = service.post("/rank", json={"sequences": [DESIGN], "threshold": gate}).json()
    assert at["counts"]["passed"] == 0


@pytest.mark.parametrize("path", ["/rank/", "/prod/rank", "/prod/rank/"])
def test_trailing_slash_and_stage(service: Service, path: str) -> None:
    assert service.post(path, json={"sequences": [DESIGN]}).status_code == 200


def test_strict_refuses_any_reject(service: Service) -> None:
    reply = service.post("/rank", json={"sequences": [DESIGN, SHORT], "strict": True})
    assert reply.status_code == 422
    assert reply.json()["error"]["code"] == "rejected_records"


def test_only_bad_lines_is_an_empty_ranking(service: Service) -> None:
    answer = ranked(service, data=b"X\n\nB\n", headers=text("text/plain"))
    assert answer["ranked"] == []
    assert answer["counts"]["received"] == answer["counts"]["rejected"] == 3


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1, 2]", "application/json", 400),
        (b'{"sequences": "ACD"}', "application/json", 400),
        (b'{"sequences": [], "top_k": 0}', "application/json", 400),
        (b'{"sequences": [], "top_k": 10001}', "application/json", 400),
        (b'{"sequences": [], "threshold": NaN}', "application/json", 400),
        (b"--x\r\n", "multipart/form-data", 400),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x", 400),
        (GZIP[:-9], "application/gzip", 400),
        (b"\x1f\x8b garbage", "application/gzip", 400),
        (gzip.compress(b"A" * 50_000_000, mtime=0), "application/gzip", 400),
        (LINES, "image/png", 415),
        (b"name,note\na,b\n", "text/csv", 400),
    ],
)
def test_what_cannot_be_read_is_the_callers_error(service: Service, body: bytes, kind: str, status: int) -> None:
    reply = service.post("/rank", data=body, headers=text(kind))
    assert 400 <= reply.status_code < 500, reply.text
    assert reply.status_code in (status, 413, 422)
    error = reply.json()["error"]
    assert error["code"]
    assert error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"\xef\xbb\xbf" + DESIGN.encode(),
        DESIGN.encode() + b"\r\n" + OTHER.encode() + b"\r",
        b"\x00\n",
        b"\xff" * 50,
    ],
    ids=["empty", "blank", "bom", "line-ends", "nul", "not-utf8"],
)
def test_odd_bytes_are_never_the_services_error(service: Service, body: bytes) -> None:
    reply = service.post("/rank", params=OPEN, data=body, headers=text("text/plain"))
    assert reply.status_code < 500
    if reply.ok:
        counts = reply.json()["counts"]
        assert counts["received"] == counts["scored"] + counts["rejected"] + counts["duplicates"]


def test_many_bad_lines_are_capped_and_counted(service: Service) -> None:
    reply = service.post("/rank", data=b"X\n" * 1_000_000, headers=text("text/plain"))
    assert reply.status_code == 200
    answer = reply.json()
    assert answer["counts"]["rejected"] == 1_000_000
    assert len(answer["rejected"]) < 10_000


def test_a_body_too_large_names_uploads(service: Service) -> None:
    reply = service.post("/rank", data=b"X\n" * 3_500_000, headers=text("text/plain"))
    assert reply.status_code == 413
    assert "POST /uploads" in reply.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/file_data", "/file_data/", "/upload_file", "/prod/file_data"])
def test_the_old_contract(service: Service, order: list[str], path: str) -> None:
    reply = service.post(path, params=OPEN, files={"input_file": ("sequences.txt", LINES)})
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"].startswith("text/plain")
    assert reply.text.splitlines() == order
    assert reply.headers["X-Assay-Rejected"] == "1"


def test_the_old_contract_without_rejects(service: Service) -> None:
    reply = service.post("/file_data", files={"input_file": ("s.txt", DESIGN.encode())})
    assert reply.status_code == 200
    assert "X-Assay-Rejected" not in reply.headers


def test_the_old_contract_without_its_field(service: Service) -> None:
    reply = service.post("/file_data", files={"something": ("s.txt", LINES)})
    assert 400 <= reply.status_code < 500
    assert "input_file" in reply.json()["error"]["message"]


def test_upload_file_by_hand_leads_to_the_form(service: Service) -> None:
    reply = service.get("/upload_file")
    assert reply.status_code in (301, 302, 303, 307, 308)
    assert reply.headers["Location"].endswith("upload")
