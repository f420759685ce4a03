"""A file dropped under rank/ becomes results, through the handler and a tiny model."""

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import unquote_plus

import pytest
from botocore.exceptions import ClientError

from assay.errors import ModelUnavailable
from tests import events
from tests.conftest import delete_objects
from tests.events import Context, post
from tests.integration.drops import GOOD, OTHER, Drop


def test_the_recorded_event_gives_ranking_rejects_summary_and_pointer(drop: Drop) -> None:
    recorded = events.load("s3_put")["Records"][0]["s3"]["object"]
    key = unquote_plus(recorded["key"])
    assert {" ", "+", "ä"} <= set(key)
    event = drop.put(key, events.body_of("rank_lines"), **{"threshold": "-1000000"})
    assert event["Records"][0]["s3"]["object"]["eTag"] == recorded["eTag"]
    (job_id,) = drop(event)
    summary = drop.summary(job_id)
    counts = summary["counts"]
    assert summary["state"] == "SUCCEEDED"
    assert counts["received"] == counts["scored"] + counts["rejected"] == 13
    assert len(drop.rows(job_id, "ranking.csv")) == counts["returned"]
    assert [row["reason"] for row in drop.rows(job_id, "rejected.csv")] == ["length", "residue", "empty"]
    assert drop.job(job_id).state == "SUCCEEDED"
    pointer = drop.aws.results.get(f"by-upload/{key}.json", limit=1000)
    assert pointer is not None
    assert json.loads(pointer[0])["job_id"] == job_id


def test_a_file_is_ranked_as_the_api_ranks_it(drop: Drop) -> None:
    from rank.api import handler

    query = {"threshold": "-1000000"}
    body = json.loads(handler(post("/rank", events.body_of("rank_lines"), "text/plain", query), Context())["body"])
    (job_id,) = drop(drop.put("rank/a.txt", events.body_of("rank_lines"), **query))
    expected = [(str(row["rank"]), row["sequence"], str(row["score"]), str(row["gate"])) for row in body["ranked"]]
    found = drop.rows(job_id, "ranking.csv")
    assert [(row["rank"], row["sequence"], row["score"], row["gate"]) for row in found] == expected


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("rank/a.txt", f"{GOOD}\n{OTHER}\n".encode()),
        ("rank/a.txt.gz", gzip.compress(f"{GOOD}\n{OTHER}".encode(), mtime=0)),
        ("rank/deep/er/a.fasta", f">a\n{GOOD}\n>b\n{OTHER}\n".encode()),
        ("rank/a.csv", f"sequence,n\n{GOOD},1\n{OTHER},2\n".encode()),
    ],
)
def test_every_format_can_be_dropped(drop: Drop, name: str, body: bytes) -> None:
    (job_id,) = drop(drop.put(name, body, **{"top-k": "1", "threshold": "-1000000"}))
    counts = drop.summary(job_id)["counts"]
    assert (counts["scored"], counts["returned"], counts["rejected"]) == (2, 1, 0)


def test_carried_columns_stand_behind_ours(drop: Drop) -> None:
    body = f"sequence,note\n{GOOD},=1+1\n".encode()
    (job_id,) = drop(drop.put("rank/a.csv", body, threshold="-1000000"))
    assert drop.text(job_id, "ranking.csv").startswith("rank,sequence,score,gate,line,id,note\n")
    assert drop.rows(job_id, "ranking.csv")[0]["note"] == "'=1+1"


@pytest.mark.parametrize("body", [b"", b"M", b"MKV\n" * 5, b"\n\n\n"])
def test_a_readable_file_without_good_lines_succeeds_with_an_empty_ranking(drop: Drop, body: bytes) -> None:
    (job_id,) = drop(drop.put("rank/bad.txt", body))
    summary = drop.summary(job_id)
    assert summary["state"] == "SUCCEEDED"
    assert drop.rows(job_id, "ranking.csv") == []
    assert len(drop.rows(job_id, "rejected.csv")) == summary["counts"]["rejected"] == summary["counts"]["received"]


@pytest.mark.parametrize(
    ("name", "body", "metadata", "code"),
    [
        ("rank/a.gz", gzip.compress(b"MKV\n" * 999, mtime=0)[:-9], {}, "unreadable_input"),
        ("rank/a.gz", b"\x1f\x8bnonsense", {}, "unreadable_input"),
        ("rank/a.gz", gzip.compress(b"A" * (70 << 20), mtime=0), {}, "unreadable_input"),
        ("rank/a.csv", b"a,b\n1,2\n", {}, "unreadable_input"),
        ("rank/a.txt", b"MKV", {"top-k": "lots"}, "invalid_option"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_failed_job_with_its_reason(
    drop: Drop, name: str, body: bytes, metadata: dict[str, str], code: str
) -> None:
    (job_id,) = drop(drop.put(name, body, **metadata))
    summary = drop.summary(job_id)
    assert (summary["state"], summary["error"]["code"]) == ("FAILED", code)
    job = drop.job(job_id)
    assert (job.state, job.reason) == ("FAILED", summary["error"]["message"])


def test_the_longest_key_has_a_pointer_too(drop: Drop) -> None:
    key = "rank/" + "k" * 1019
    (job_id,) = drop(drop.put(key, GOOD.encode()))
    (pointer,) = drop.aws.results.keys("by-upload/")
    assert pointer == f"by-upload/{sha256(key.encode()).hexdigest()}.json"
    assert drop.summary(job_id)["upload"] == key


def test_rejects_of_any_number_are_all_written(drop: Drop) -> None:
    (job_id,) = drop(drop.put("rank/bad.txt", b"MKV\n" * 400_000))
    assert drop.summary(job_id)["counts"]["rejected"] == 400_000
    text = drop.text(job_id, "rejected.csv")
    assert len(text) > 8 << 20
    assert text.endswith('400000,length,"3 residues, expected 50"\n')


def test_strict_fails_a_file_with_rejects(drop: Drop) -> None:
    (job_id,) = drop(drop.put("rank/a.txt", f"{GOOD}\nMKV\n".encode(), strict="true"))
    assert drop.summary(job_id)["error"]["code"] == "rejected_records"
    assert [row["line"] for row in drop.rows(job_id, "rejected.csv")] == ["2"]
    assert list(drop.aws.results.keys(f"results/{job_id}/ranking.csv")) == []
    assert set(drop.job(job_id).results) == {"summary", "rejected"}


def test_an_event_delivered_twice_is_one_job(drop: Drop) -> None:
    event = drop.put("rank/a.txt", GOOD.encode())
    assert len(drop(event, "one")) == 1
    assert drop(event, "two") == []
    assert len(list(drop.aws.results.keys("results/"))) == 3


def test_the_same_file_dropped_again_is_a_new_job(drop: Drop) -> None:
    first = drop.put("rank/a.txt", GOOD.encode())
    again = drop.put("rank/a.txt", GOOD.encode())
    again["Records"][0]["s3"]["object"]["sequencer"] = "0A1B2C3D4E5F678902"
    assert drop(first) != drop(again)


def test_markers_other_prefixes_and_deleted_objects_end_cleanly(drop: Drop) -> None:
    assert drop(drop.put("rank/", b"")) == []
    assert drop(drop.put("rank/folder/", b"")) == []
    assert drop(drop.put("classify/a.txt", b"text")) == []
    event = drop.put("rank/gone.txt", b"MKV")
    delete_objects(drop.aws.uploads, "rank/gone.txt")
    (job_id,) = drop(event)
    assert drop.summary(job_id)["error"]["code"] == "object_missing"


def test_a_file_replaced_before_its_job_began_is_not_mixed(drop: Drop) -> None:
    event = drop.put("rank/a.txt", GOOD.encode())
    drop.put("rank/a.txt", OTHER.encode())
    (job_id,) = drop(event)
    assert drop.summary(job_id)["error"]["code"] == "object_changed"


def test_what_the_file_is_not_to_blame_for_is_raised_and_done_by_the_retry(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = drop.put("rank/a.txt", GOOD.encode())
    broken = ClientError({"Error": {"Code": "InternalError", "Message": ""}}, "PutObject")
    with monkeypatch.context() as patch:
        patch.setattr("assay.aws.s3.Bucket.put", lambda *_: (_ for _ in ()).throw(broken))
        with pytest.raises(ClientError):
            drop(event)
    assert list(drop.aws.results.keys("by-upload/")) == []
    (job_id,) = drop(event)
    assert drop.summary(job_id)["state"] == "SUCCEEDED"


def test_no_model_is_raised_for_a_retry(drop: Drop, environment: Callable[[str, str], None]) -> None:
    from rank.services import services

    environment("ASSAY_GATE_MODEL", "absent")
    services.cache_clear()
    with pytest.raises(ModelUnavailable):
        drop(drop.put("rank/a.txt", GOOD.encode()))
