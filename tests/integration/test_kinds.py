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
