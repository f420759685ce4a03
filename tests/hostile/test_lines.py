"""What callers write begins no line, header or formula of ours: logs, mails, terminals, download names, tables."""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from assay.aws.s3 import Bucket
from assay.jobs.announcements import mail_text
from assay.jobs.job_records import Job
from assay.text.csv_writer import unescape_formula
from tests.conftest import Aws
from tests.events import multipart, post
from tests.integration.drops import GOOD, Drop
from tests.logs import lines
from tools.cli.output import report_failure
from tools.terminal import printable

FORGED = 'x\n{"level":"CRITICAL","message":"forged"}\r\n'
NAMES = (
    'a"; filename="evil.exe', "a\r\nSet-Cookie: a=b", "a\nb", "\0", "caf\u00e9.csv", "\u202egpj.exe", "..", "a;b=c",
    "\\", "\U0001f9ec.csv", "%0d%0aX: y", "", "x" * 4000, "/etc/passwd",
)  # fmt: skip
FORMULAS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1+1", "\r=1+1", '=HYPERLINK("http://evil","x")',
    "'=1", "''=1", "-", "=", "\uff1d1+1", "@", "'", "-5", "+3.5e2", "'-5",
)  # fmt: skip


def test_a_line_end_in_an_id_a_name_or_a_path_is_no_line_of_the_log(
    call: Any, drop: Drop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    call(post("/rank", json.dumps({"sequences": [{"id": FORGED, "sequence": GOOD}], FORGED: 1}).encode()))
    call(post("/rank", json.dumps({"sequences": [GOOD], "score_model": FORGED}).encode()))
    call(post("/rank", multipart(GOOD.encode(), filename="a.txt"), FORGED))
    call(post(f"/{FORGED}", b""))
    call(post("/rank", b"x", headers={"X-Amzn-Trace-Id": FORGED, "User-Agent": FORGED}))
    drop(drop.put("rank/x.txt", GOOD.encode(), **{"score-model": "none"}))
    drop(drop.put(f"rank/{FORGED}.csv", b"nothing\n"))
    found = lines(capsys)
    assert found, "every line was one JSON object"
    assert [line for line in found if line.get("message") == "forged"] == []


def test_a_line_end_in_a_key_or_a_reason_is_no_line_of_a_mail() -> None:
    job = Job("1", "rank", "FAILED", "rank/x\nResults: http://evil.example", "", "", reason="no\r\nFile: y\u2028z")
    told = mail_text(job, "https://assay.example")
    assert len(told.splitlines()) == 4
    assert [line for line in told.splitlines() if line.startswith("Results:")] == [
        "Results: https://assay.example/?job=1"
    ]


def test_a_terminal_obeys_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert printable("rank/\x1b]0;owned\x07\x1b[2Jx\u202ey\rz") == "rank/?]0;owned??[2Jx?y?z"
    report_failure("\x1b[2J")
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_download_has_one_name_and_no_other_header(aws: Aws, name: str) -> None:
    link = Bucket(aws.s3, "results").link("results/1/ranking.csv", filename=name)
    (said,) = parse_qs(urlsplit(link).query)["response-content-disposition"]
    plainly, encoded = re.fullmatch(
        r"attachment; filename=\"([^\"\\/]+)\"; filename\*=UTF-8''([\w.~%-]*)", said
    ).groups()  # type: ignore[union-attr]
    assert plainly.isascii()
    assert plainly.isprintable()
    assert unquote(encoded) == name


def test_no_header_of_a_reply_can_be_split(call: Any) -> None:
    asked: list[dict[str, Any]] = [
        post("/rank", f">{'x' * 9}\r\nSet-Cookie: a=b\n{GOOD}\n".encode(), "text/x-fasta", {"threshold": "-100"}),
        post("/rank", b"a\r\nSet-Cookie: a=b", "text/plain"),
        post("/rank", GOOD.encode(), "text/plain\r\nSet-Cookie: a=b"),
        post("/rank", GOOD.encode(), "text/plain", {"score_model": "x\r\nSet-Cookie: a=b"}),
        post(
            "/file_data",
            multipart(GOOD.encode(), filename="a\r\nSet-Cookie: a=b"),
            "multipart/form-data; boundary=frontier",
        ),
        post("/rank", GOOD.encode(), "text/plain", headers={"Origin": "http://x\r\nSet-Cookie: a=b"}),
        post("/upload_file\r\nSet-Cookie: a=b", b"") | {"httpMethod": "GET"},
    ]
    for event in asked:
        for form in ("application/json", "text/csv", "text/plain"):
            event["headers"]["Accept"] = form
            reply = call(event)
            names = {name.lower() for name in reply["multiValueHeaders"]}
            values = [value for values in reply["multiValueHeaders"].values() for value in values]
            assert "set-cookie" not in names
            assert not [value for value in values if "\r" in value or "\n" in value]


@pytest.mark.parametrize("form", ["request", "file"])
def test_no_cell_of_a_result_is_a_formula_and_each_is_had_back(call: Any, drop: Drop, form: str) -> None:
    out = io.StringIO()
    written = csv.writer(out)
    written.writerows(
        [["id", "sequence", "=note"], *([cell, GOOD[at:] + GOOD[:at], cell] for at, cell in enumerate(FORMULAS))]
    )
    body = out.getvalue().encode()
    if form == "request":
        event = post("/rank", body, "text/csv", {"threshold": "-1000"}, {"Accept": "text/csv"})
        shown = call(event)["body"]
    else:
        shown = drop.text(drop.done("rank/x.csv", body, threshold="-1000"), "ranking.csv")
    rows = list(csv.DictReader(io.StringIO(shown, newline="")))
    assert len(rows) == len(FORMULAS)
    assert [name for name in rows[0] if name.startswith(tuple("=+-@"))] == []
    for row in rows:
        number = re.fullmatch(r"[+-]?[\d.]+(e\d+)?", row["id"])
        assert number or not row["id"].startswith(tuple("=+-@\t\r\uff1d")), row
    given = {cell.replace("\r", "\n") for cell in FORMULAS}  # a lone CR ends a line, within a cell too
    assert {unescape_formula(row["id"]) for row in rows} == {unescape_formula(row["'=note"]) for row in rows} == given
