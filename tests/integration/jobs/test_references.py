"""What a score means, by every path: the same for a request in any form, a file, its shards and all its scores."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.conftest import Aws
from tests.events import Context, post
from tests.integration.drops import GOOD, OTHER, Drop
from tests.references import EVENT, publish_reference

SAID = ("probability", "percentile", "notice")
ROWS = [GOOD, OTHER, "A" * 50, "ACGT" * 12 + "AC", OTHER[:20] + "WYWYWYWYWY" + OTHER[30:], "MKV"]
BODY = (
    "id,sequence,note,probability\n" + "".join(f"{at},{text},n{at},mine\n" for at, text in enumerate(ROWS))
).encode()
OPEN = {"gate": "off"}
Rows = list[dict[str, Any]]


@pytest.fixture
def known(drop: Drop, tmp_path: Path) -> Drop:
    """Drop files that are ranked by a model whose scores have a meaning."""
    from rank.services import services

    publish_reference(drop.aws, tmp_path / "published")
    services.cache_clear()
    return drop


def asked(accept: str = "application/json") -> dict[str, Any]:
    from rank.api import handler

    event = post("/rank", BODY, "text/csv", OPEN)
    event["headers"]["Accept"] = accept
    reply = handler(event, Context())
    assert reply["statusCode"] == 200, reply["body"]
    return reply


def said(rows: Rows) -> list[tuple[Any, ...]]:
    """Return of each row what it is and what its score means, as text."""
    return [(row["sequence"], *(str(row.get(name) or "") for name in SAID)) for row in rows]


def read_csv(text: str) -> Rows:
    return [*csv.DictReader(io.StringIO(text))]


def test_every_path_says_the_same(known: Drop, cut: Callable[..., None]) -> None:
    body = json.loads(asked()["body"])
    expected = said(body["ranked"])
    assert {row[3] for row in expected} == {"", "looks_like_dna", "low_complexity", "unlike_training"}
    assert all(0 <= float(row[1]) <= 1 and 0 <= float(row[2]) <= 100 for row in expected)
    text = asked("text/csv")["body"]
    assert said(read_csv(text)) == expected
    assert said([json.loads(line) for line in asked("application/x-ndjson")["body"].splitlines()]) == expected
    whole = known.done("rank/a.csv", BODY, **OPEN)
    assert known.text(whole, "ranking.csv") == text
    cut(120)
    parts = known.done("rank/b.csv", BODY, output="all", **OPEN)
    assert known.job(parts).shards == 3
    assert known.text(parts, "ranking.csv") == text
    assert known.summary(parts)["notices"] == body["notices"]
    assert sorted(said(all_scores(known, parts))) == sorted(expected)


def all_scores(drop: Drop, job_id: str) -> Rows:
    """Return the rows of all score files, those of CSV, which Parquet's equal."""
    found: Rows = []
    for part in json.loads(drop.text(job_id, "scores/manifest.json"))["parts"]:
        names = {form: part[form].removeprefix(f"results/{job_id}/") for form in ("csv", "parquet")}
        text = gzip.decompress(drop.result(job_id, names["csv"])).decode()
        table = pq.read_table(io.BytesIO(drop.result(job_id, names["parquet"])))
        assert table.column_names == text.partition("\n")[0].split(",")
        assert table.column_names[-4:] == ["input_probability", *SAID]
        assert said(table.to_pylist()) == said(read_csv(text))
        found += read_csv(text)
    return found


def test_codes_of_rows_are_counted_and_columns_of_the_same_name_kept(known: Drop) -> None:
    body = json.loads(asked()["body"])
    counted = {each["code"]: each["count"] for each in body["notices"] if each["lines"]}
    codes = [row["notice"] for row in body["ranked"] if "notice" in row]
    assert counted == {code: codes.count(code) for code in codes}
    assert all(row["columns"]["input_probability"] == "mine" for row in body["ranked"])


def test_a_model_without_a_reference_replies_as_ever(drop: Drop) -> None:
    for row in json.loads(asked()["body"])["ranked"]:
        assert {*row} == {"rank", "sequence", "score", "gate", "line", "id", "columns"}
    job_id = drop.done("rank/a.csv", BODY, output="all", **OPEN)
    assert drop.text(job_id, "ranking.csv").startswith("rank,sequence,score,gate,line,id,note,input_probability\n")


def test_the_portal_tells_what_the_scores_mean(
    aws: Aws, environment: Callable[[str, str], None], tmp_path: Path
) -> None:
    from portal.app import handler
    from portal.services import services

    def listed() -> dict[str, Any]:
        services.cache_clear()
        reply = handler(post("/models", b"") | {"httpMethod": "GET"}, Context())
        services.cache_clear()
        return {each["name"]: each for each in json.loads(reply["body"])["models"]}

    aws.publish("tiny-index", "tiny-text")
    assert all("reference" not in each for each in listed().values())
    publish_reference(aws, tmp_path)
    found = listed()["tiny-index"]["reference"]
    assert found["calibration"]["event"] == EVENT
    assert [each["name"] for each in found["sets"]] == ["windows", "designs"]
    aws.s3.put_object(Bucket="models", Key="models/tiny-index/2/reference.json", Body=b"{}")
    assert "reference" not in listed()["tiny-index"]
