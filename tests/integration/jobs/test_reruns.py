"""A job's file again with other options: the results are those of a fresh drop with them, and nothing is uploaded."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from assay.jobs.job_records import Jobs
from tests.conftest import TABLE, Aws, delete_objects
from tests.events import Context, post
from tests.integration.drops import GOOD, OTHER, Drop

BODY = "".join(f"{GOOD[at:]}{GOOD[:at]}\n" for at in range(12)).encode() + f"{OTHER}\nMKV\n".encode()
OPEN = {"threshold": "-1000000", "top-k": "5"}
Rerun = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def rerun(drop: Drop) -> Rerun:
    """Return what asks for a rerun, waits for its execution, and gives status and reply."""
    from portal.app import handler
    from portal.services import services

    services.cache_clear()

    def send(job_id: str, **options: Any) -> tuple[int, dict[str, Any]]:
        reply: Any = handler(post(f"/jobs/{job_id}/rerun", json.dumps(options).encode()), Context())
        said = json.loads(reply["body"])
        if reply["statusCode"] == 202:
            drop.machine.wait(said["job_id"])
        return reply["statusCode"], said

    return send


@pytest.mark.parametrize("shard_bytes", [200, 1 << 20])
def test_a_rerun_is_a_fresh_drop_with_those_options(
    drop: Drop, rerun: Rerun, cut: Callable[[int], None], shard_bytes: int
) -> None:
    cut(shard_bytes)
    first = drop.done("rank/a.txt", BODY, **OPEN)
    status, said = rerun(first, top_k=3, threshold=0)
    fresh = drop.done("rank/b.txt", BODY, **{"threshold": "0", "top-k": "3"})
    assert (status, said["rerun_of"]) == (202, first)
    job, other = drop.job(said["job_id"]), drop.job(fresh)
    assert (job.state, job.counts, job.histograms, job.options) == (
        "SUCCEEDED",
        other.counts,
        other.histograms,
        other.options,
    )
    assert job.models == drop.job(first).models
    assert drop.result(job.id, "ranking.csv") == drop.result(fresh, "ranking.csv")
    assert drop.result(job.id, "rejected.csv") == drop.result(fresh, "rejected.csv")


def test_what_is_not_given_stays_and_null_is_the_default(drop: Drop, rerun: Rerun) -> None:
    first = drop.done("rank/a.txt", BODY, **OPEN)
    kept = drop.job(rerun(first, gate="off")[1]["job_id"]).options
    assert (kept["threshold"], kept["top_k"], kept["gate"]) == (-1_000_000, 5, "off")
    assert drop.job(rerun(first, top_k=None)[1]["job_id"]).options["top_k"] == 100


def test_the_same_request_is_the_same_job_and_another_is_another(drop: Drop, rerun: Rerun, aws: Aws) -> None:
    first = drop.done("rank/a.txt", BODY, **OPEN)
    again = [rerun(first, top_k=2)[1]["job_id"] for _ in range(3)]
    assert len({*again, first, rerun(first, top_k=4)[1]["job_id"]}) == 3
    assert Jobs(aws.dynamodb, TABLE).by_upload("rank/a.txt") == drop.job(first)
    pointer, _ = aws.results.get("by-upload/rank/a.txt.json", limit=1000) or (b"{}", "")
    assert json.loads(pointer)["job_id"] == first


def test_a_rerun_that_failed_runs_again_with_its_own_options(drop: Drop, rerun: Rerun) -> None:
    first = drop.done("rank/a.txt", BODY, **OPEN)
    status, said = rerun(first, strict=True)
    assert drop.job(said["job_id"]).state == "FAILED"
    assert (status, rerun(first, strict=True)[1]["job_id"]) == (202, said["job_id"])
    job = drop.job(said["job_id"])
    drop.machine.wait(f"{job.id}-{job.runs}")
    assert (drop.job(job.id).state, job.runs, job.options["strict"]) == ("FAILED", 2, True)
    assert "strict" in drop.job(job.id).reason


def test_a_rerun_of_a_rerun_names_the_one_before(drop: Drop, rerun: Rerun) -> None:
    first = drop.done("rank/a.txt", BODY, **OPEN)
    second = rerun(first, top_k=2)[1]["job_id"]
    third = rerun(second, threshold=0.5)[1]
    assert (third["rerun_of"], third["options"]["top_k"], third["options"]["threshold"]) == (second, 2, 0.5)


def test_what_cannot_be_run_again_says_why(drop: Drop, rerun: Rerun, aws: Aws) -> None:
    first = drop.done("rank/a.txt", BODY, **OPEN)
    assert rerun("none-such")[0] == 404
    for wrong in ({"top_k": 0}, {"threshold": "high"}, {"filename": "b.txt"}, {"step": 2}):
        status, said = rerun(first, **wrong)
        assert (status, said["error"]["code"]) == (400, "invalid_option"), wrong
    promised = Jobs(aws.dynamodb, TABLE).enqueue("rank/none.txt", "rank")
    assert rerun(promised.id)[0] == 409
    delete_objects(aws.uploads, "rank/a.txt")
    status, said = rerun(first)
    assert (status, said["error"]["code"]) == (404, "not_found")
    assert "POST /uploads" in said["error"]["message"]


def test_a_file_that_was_replaced_is_another(drop: Drop, rerun: Rerun) -> None:
    first = drop.done("rank/a.txt", BODY, **OPEN)
    drop.put("rank/a.txt", BODY * 2)
    assert rerun(first)[0] == 404
