"""What people send is read, or refused in the same words, by request and by file."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from tests.events import multipart, post
from tests.integration.drops import GOOD, OTHER, Drop
from tests.workbooks import workbook

OPEN = {"threshold": "-1000000"}
FORM = "multipart/form-data; boundary=frontier"
Call = Callable[[dict[str, Any]], dict[str, Any]]
ITEMS = [{"id": "a", "sequence": GOOD, "note": "x"}, {"id": "b", "sequence": OTHER, "note": "y"}]
TABLE = f"id,sequence,note\na,{GOOD},x\nb,{OTHER},y\n".encode()
WIDE = ",".join([*(f"annotation_number_{at}" for at in range(2000)), "sequence"]) + "\n"


def zipped(data: bytes, name: str = "a.csv") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return held.getvalue()


BODIES = {
    "a.csv.bz2": bz2.compress(TABLE),
    "a.csv.xz": lzma.compress(TABLE),
    "a.zip": zipped(TABLE),
    "utf16.csv": TABLE.decode().encode("utf-16"),
    "utf16.csv.gz": gzip.compress(TABLE.decode().encode("utf-16-le")),
    "a.json": json.dumps(ITEMS).encode(),
    "pretty.json": json.dumps({"sequences": ITEMS}, indent=2).encode(),
    "a.jsonl": "".join(f"{json.dumps(item)}\n" for item in ITEMS).encode(),
    "none": "\n".join(json.dumps(item, indent=1) for item in ITEMS).encode(),
    "a.xlsx": workbook([["id", "sequence", "note"], ["a", GOOD, "x"], ["b", OTHER, "y"]]),
    "a.json.gz": gzip.compress(json.dumps(ITEMS).encode()),
}


def answered(call: Call, body: bytes, name: str) -> dict[str, Any]:
    form = multipart(body, filename=name).replace(b"text/plain", b"application/octet-stream")
    reply: dict[str, Any] = json.loads(call(post("/rank", form, FORM, query=OPEN))["body"])
    return reply


@pytest.mark.parametrize("name", BODIES)
def test_a_request_and_a_file_are_the_same_records(call: Call, drop: Drop, name: str) -> None:
    reply = answered(call, BODIES[name], name)
    job = drop.done(f"rank/{name}", BODIES[name], **OPEN)
    rows = drop.rows(job, "ranking.csv")
    found = [(row["sequence"], str(row["line"]), row["id"], row["columns"]["note"]) for row in reply["ranked"]]
    assert found == [(row["sequence"], row["line"], row["id"], row["note"]) for row in rows]
    assert sorted(row[2:] for row in found) == [("a", "x"), ("b", "y")]
    assert reply["counts"]["rejected"] == drop.summary(job)["counts"]["rejected"] == 0


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("two.zip", zipped(zipped(TABLE), "b.zip")),
        ("sheet.csv", zipped(b"<xml/>", "visio/document.xml").replace(b"visio/document", b"_rels/document")),
        ("a.fasta", b"%PDF-1.7\n"),
        ("a.gz", gzip.compress(bz2.compress(TABLE))),
        ("a.txt", b"<!DOCTYPE html>\n<html></html>"),
        ("a.csv", b"SQLite format 3\0" + bytes(100)),
        ("a.json", b'[{"sequence": "AC"}, '),
    ],
    ids=["nested zip", "office", "pdf", "nested gzip", "html", "sqlite", "json"],
)
def test_what_is_not_read_is_refused_in_the_same_words(call: Call, drop: Drop, name: str, body: bytes) -> None:
    error = answered(call, body, name)["error"]
    job = drop.done(f"rank/{name}", body)
    said = drop.summary(job)
    assert said["state"] == "FAILED"
    if name != "a.json":
        assert (error["code"], error["message"]) == (said["error"]["code"], said["error"]["message"])


@pytest.mark.parametrize(
    "body",
    [WIDE.encode() + b",".join([b"1"] * 2000) + b"," + GOOD.encode(), b"\n" * 5000 + b">a\n" + GOOD.encode()],
    ids=["wide", "blank"],
)
def test_the_beginning_that_is_looked_at_is_of_one_size(call: Call, drop: Drop, body: bytes) -> None:
    for packed in (body, gzip.compress(body)):
        reply = answered(call, packed, "noname")
        counts = drop.summary(drop.done("rank/noname", packed, **OPEN))["counts"]
        assert (
            (reply["counts"]["received"], reply["counts"]["scored"]) == (counts["received"], counts["scored"]) == (1, 1)
        )


def test_json_lines_in_shards_are_those_of_one(drop: Drop, cut: Callable[..., None]) -> None:
    cut(1 << 20)
    lines = [{"id": at, "sequence": "A" * (at % 50) + GOOD[at % 50 :], "k": at} for at in range(60)]
    body = "\n".join([*map(json.dumps, lines), "nonsense", ""]).encode()
    whole = drop.done("rank/whole.jsonl", body, **OPEN)
    cut(700)
    parts = drop.done("rank/parts.jsonl", body, **OPEN)
    assert drop.job(parts).shards > 3
    for name in ("ranking.csv", "rejected.csv"):
        assert drop.result(whole, name) == drop.result(parts, name)
    assert [row["line"] for row in drop.rows(parts, "rejected.csv")] == ["61"]


FLAT = {
    "a.fastq.gz": gzip.compress(f"@a\n{GOOD}\n+\n{'I' * 50}\n@b\n{OTHER}\n+\n{'@' * 50}\n".encode()),
    "a.sto": f"# STOCKHOLM 1.0\na {GOOD[:20]}\nb {OTHER[:30]}\n\na {GOOD[20:]}-\nb {OTHER[30:]}\n//\n".encode(),
    "a.dat": f"ID   a   50 AA.\nSQ   X\n     {GOOD}\n//\nID   b   50 AA.\nSQ   X\n     {OTHER}\n//\n".encode(),
}


@pytest.mark.parametrize("name", FLAT)
def test_flat_files_are_the_same_records_in_a_request_and_a_file(call: Call, drop: Drop, name: str) -> None:
    reply = answered(call, FLAT[name], name)
    job = drop.done(f"rank/{name}", FLAT[name], **OPEN)
    rows = drop.rows(job, "ranking.csv")
    assert [(row["id"], str(row["line"])) for row in reply["ranked"]] == [(row["id"], row["line"]) for row in rows]
    assert {row["id"] for row in rows} == {"a", "b"}
    assert reply["notices"] == drop.summary(job)["notices"]


def test_wrapped_lines_are_the_same_sequences_in_a_request_and_a_file(
    call: Call, drop: Drop, cut: Callable[..., None]
) -> None:
    body = "".join(f"{text[:40]}\n{text[40:]}\n" for text in (GOOD, OTHER)).encode()
    cut(50)
    for packed in (body, gzip.compress(body)):
        reply = answered(call, packed, "a.txt")
        job = drop.done("rank/a.txt", packed, **OPEN)
        rows = drop.rows(job, "ranking.csv")
        assert [(row["sequence"], str(row["line"])) for row in reply["ranked"]] == [
            (row["sequence"], row["line"]) for row in rows
        ]
        assert {row["line"] for row in rows} == {"1", "3"}
        assert [each["code"] for each in reply["notices"]] == ["wrapped_lines"]
        assert reply["notices"] == drop.summary(job)["notices"]


def test_notices_of_a_request_are_those_of_its_file_however_it_is_cut(
    call: Call, drop: Drop, cut: Callable[..., None]
) -> None:
    body = b"\n".join(bytes(f"{'ACGT' * 12}{'ACGTN'[at % 5]}{'ACGTN'[at // 5]}", "ascii") for at in range(20))
    reply = answered(call, body, "a.txt")
    cut(200)
    job = drop.done("rank/a.txt", body, **OPEN)
    assert drop.job(job).shards > 3
    assert [each["code"] for each in reply["notices"]] == ["looks_like_dna", "low_complexity"]
    assert reply["notices"] == drop.summary(job)["notices"]


def test_a_column_is_a_table_in_a_request_and_in_a_file(call: Call, drop: Drop) -> None:
    table = f"name,aa_seq\na,{GOOD}\n".encode()
    for body, code in ((table, ""), (f"{GOOD}\n".encode(), "unreadable_input"), (b">a\nACD\n", "invalid_option")):
        reply = json.loads(call(post("/rank", body, "text/plain", query={**OPEN, "column": "aa_seq"}))["body"])
        said = drop.summary(drop.done("rank/a.txt", body, **OPEN, column="aa_seq"))
        if code:
            assert reply["error"]["code"] == said["error"]["code"] == code
            assert reply["error"]["message"] == said["error"]["message"]
        else:
            assert (reply["counts"]["scored"], said["counts"]["scored"]) == (1, 1)


ABSTRACT = "The quantum field theory of galaxies is studied with neural networks and a great deal of patience."
PAPERS = [{"id": "p1", "abstract": ABSTRACT, "year": 2020}, {"id": "p2", "abstract": "short"}]
SHEET = [["id", "abstract"], ["p1", ABSTRACT], ["p2", "short"]]
OF_ABSTRACTS = {
    "a.json": json.dumps(PAPERS, indent=2).encode(),
    "b.json": json.dumps({"abstracts": PAPERS}).encode(),
    "none": "\n".join(map(json.dumps, PAPERS)).encode(),
    "a.json.xz": lzma.compress(json.dumps(PAPERS).encode()),
    "a.xlsx": workbook(SHEET),
    "utf16.csv": "\n".join(",".join(row) for row in SHEET).encode("utf-16"),
    "a.zip": zipped("\n".join("\t".join(row) for row in SHEET).encode(), "a.tsv"),
}


@pytest.mark.parametrize("name", OF_ABSTRACTS)
def test_files_of_abstracts_are_read_in_every_layout(paper_drop: Drop, name: str) -> None:
    job = paper_drop.done(f"classify/{name}", OF_ABSTRACTS[name])
    assert paper_drop.summary(job)["counts"] == {"received": 2, "classified": 1, "rejected": 1}
    [line] = map(json.loads, paper_drop.result(job, "classification.jsonl").splitlines())
    assert line["id"] == "p1"
    if "json" in name or name == "none":
        assert line["columns"] == {"year": 2020}
    [reject] = paper_drop.rows(job, "rejected.csv")
    assert reject["reason"] == "length"


BOMB = bytes(64 << 20)
HOSTILE = {
    "gzip bomb": gzip.compress(BOMB),
    "bzip2 bomb": bz2.compress(BOMB),
    "xz bomb": lzma.compress(BOMB),
    "zip bomb": zipped(BOMB),
    "bomb in a bomb": gzip.compress(gzip.compress(BOMB)),
    "truncated": lzma.compress(TABLE)[:-9],
    "with garbage": bz2.compress(TABLE) + b"garbage",
    "two files": zipped(TABLE)[:-22] + zipped(TABLE, "b.csv"),
    "a workbook that is none": zipped(b"<x/>", "xl/workbook.xml"),
    "a workbook in gzip": gzip.compress(workbook([["sequence"], [GOOD]])),
    "deep JSON": b'{"sequences": ' + b"[" * 100_000,
    "JSON without end": b'["' + b"A" * (2 << 20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_container_is_the_services_fault(call: Call, drop: Drop, name: str) -> None:
    reply = call(post("/rank", HOSTILE[name], "application/octet-stream", query=OPEN))
    assert reply["statusCode"] in (400, 413, 422)
    said = drop.summary(drop.done("rank/noname", HOSTILE[name]))
    assert said["state"] == "FAILED"
    assert said["error"]["code"] in ("unreadable_input", "too_large")
