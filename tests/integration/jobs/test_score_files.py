"""All scores of a file, as CSV.gz and Parquet, and the gate opened."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest

from assay.errors import InvalidOption
from assay.options import RANKING
from tests.integration.drops import GOOD, OTHER, Drop

Cut = Callable[..., None]
ROWS = [GOOD, OTHER, "MKV", GOOD, OTHER[1:] + "A"] * 4
BODY = ("id,sequence,note\n" + "".join(f"{at},{text},=n{at}\n" for at, text in enumerate(ROWS))).encode()


def parts(drop: Drop, job_id: str) -> list[dict[str, Any]]:
    """Return the list of score files."""
    found: list[dict[str, Any]] = json.loads(drop.result(job_id, "scores/manifest.json"))["parts"]
    return found


def rows(drop: Drop, job_id: str, part: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of a part's CSV, after comparing them with its Parquet."""
    name = part["csv"].removeprefix(f"results/{job_id}/")
    text = gzip.decompress(drop.result(job_id, name)).decode()
    found = list(csv.DictReader(io.StringIO(text)))
    table = pq.read_table(io.BytesIO(drop.result(job_id, part["parquet"].removeprefix(f"results/{job_id}/"))))
    columns = text.partition("\n")[0].split(",")
    assert table.num_rows == len(found) == part["rows"]
    if found:
        assert table.column_names == columns
        assert [str(value) for value in table["sequence"].to_pylist()] == [row["sequence"] for row in found]
        assert table["part_line"].to_pylist() == [int(row["part_line"]) for row in found]
        assert [float(row["score"]) for row in found] == pytest.approx(table["score"].to_pylist())
    return found


@pytest.mark.parametrize("shard_bytes", [300, 1 << 20])
def test_all_scores_are_written_in_parts(drop: Drop, cut: Cut, shard_bytes: int) -> None:
    cut(shard_bytes)
    options = {"output": "all", "gate": "off", "top-k": "2"}
    job_id = drop.done("rank/a.csv", BODY, **options)
    summary = drop.summary(job_id)
    assert summary["results"]["scores"] == f"results/{job_id}/scores/manifest.json"
    assert (summary["counts"]["passed"], summary["counts"]["returned"]) == (16, 2)
    listed = parts(drop, job_id)
    assert len(listed) == -(-len(BODY) // shard_bytes)
    found = [
        (part["first_line"] + int(row["part_line"]) - 1, row["sequence"], row["id"], row["note"])
        for part in listed
        for row in rows(drop, job_id, part)
    ]
    assert found == [(at + 2, text, str(at), f"'=n{at}") for at, text in enumerate(ROWS) if len(text) == 50]
    best = drop.rows(job_id, "ranking.csv")[0]
    line = next(each for each in found if each[0] == int(best["line"]))
    assert line[1] == best["sequence"]


def test_what_the_gate_holds_back_is_not_among_the_scores(drop: Drop) -> None:
    open_id = drop.done("rank/a.csv", BODY, **{"output": "all", "gate": "off"})
    gates = sorted(float(row["gate"]) for row in rows(drop, open_id, parts(drop, open_id)[0]))
    middle = gates[len(gates) // 2]
    held_id = drop.done("rank/b.csv", BODY, output="all", threshold=str(middle))
    held = rows(drop, held_id, parts(drop, held_id)[0])
    assert all(float(row["gate"]) > middle for row in held)
    assert len(held) == drop.summary(held_id)["counts"]["passed"] < len(gates)


def test_a_file_without_good_lines_has_empty_score_files(drop: Drop) -> None:
    job_id = drop.done("rank/a.txt", b"MKV\n", output="all")
    (part,) = parts(drop, job_id)
    assert rows(drop, job_id, part) == []


@pytest.mark.parametrize(("name", "value"), [("output", "some"), ("gate", "ajar")])
def test_unknown_words_are_refused(drop: Drop, name: str, value: str) -> None:
    with pytest.raises(InvalidOption, match=name):
        RANKING[name].read(value, name)
    job_id = drop.done("rank/a.csv", BODY, **{name: value})
    assert drop.summary(job_id)["error"]["code"] == "invalid_option"


def test_a_shard_that_fails_leaves_no_score_files(drop: Drop, cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.jobs.workspace import Workspace

    cut(300)

    def broken(*_: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(Workspace, "save", broken)
    job_id = drop.done("rank/a.csv", BODY, output="all", gate="off")
    assert drop.job(job_id).state == "FAILED"
    assert "scores/manifest.json" not in drop.names(job_id)


def test_columns_of_one_name_are_two_in_every_file(drop: Drop) -> None:
    body = f"id,sequence,note,Note,score,input_score,\n1,{GOOD},a,b,c,d,e\n2,{OTHER},f\n".encode()
    job_id = drop.done("rank/a.csv", body, output="all", gate="off")
    [part] = parts(drop, job_id)
    assert len(rows(drop, job_id, part)) == 2
    table = pq.read_table(io.BytesIO(drop.result(job_id, part["parquet"].removeprefix(f"results/{job_id}/"))))
    carried = table.column_names[5:]
    assert carried == ["note", "Note.1", "input_score.1", "input_score", "column_7"]
    assert sorted(table[name].to_pylist() for name in carried) == [
        ["a", "f"],
        ["b", ""],
        ["c", ""],
        ["d", ""],
        ["e", ""],
    ]
    assert (
        drop.text(job_id, "ranking.csv").partition("\n")[0] == f"rank,sequence,score,gate,line,id,{','.join(carried)}"
    )
    assert [each["code"] for each in drop.summary(job_id)["notices"]] == ["duplicate_columns"]
