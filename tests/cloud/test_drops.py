"""Every kind of dropped file, under keys as people give them, through S3's notifications to the results."""

import gzip
import json
from typing import Any

import pytest

from tests.cloud.deployment import Deployment, wait_for
from tests.cloud.samples import ABSTRACT, CSV, DESIGN, FASTA, GZIP, LINES, OTHER, POOR, SHORT
from tests.papers.layouts import article

pytestmark = pytest.mark.cloud
OPEN = {"threshold": "-1000"}
KEYS = [
    "rank/plain.txt",
    "rank/with a space.txt",
    "rank/a+b&c=d%20e.txt",
    "rank/ünïcode/∂-蛋白質.txt",
    "rank/deep/er/than?most#files.txt",
    'rank/quote\'s "and" <angles>.txt',
    "rank/" + "x" * 200 + ".txt",
]
ABSTRACTS = [ABSTRACT, "too short", "We study the rate of convergence of sums of independent random variables. " * 3]


def _ranked(cloud: Deployment, job: dict[str, Any]) -> list[str]:
    assert job["state"] == "SUCCEEDED", job
    return [row.split(",")[1] for row in cloud.output(job["job_id"], "ranking.csv").decode().splitlines()[1:]]


def _hold(job: dict[str, Any], received: int, scored: int, rejected: int) -> None:
    assert (job["counts"]["received"], job["counts"]["scored"], job["counts"]["rejected"]) == (
        received, scored, rejected
    )  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_key_may_be_anything(cloud: Deployment, key: str) -> None:
    job = cloud.drop(key, LINES, **OPEN)
    assert set(_ranked(cloud, job)) == {OTHER, DESIGN, POOR}
    _hold(job, 4, 3, 1)
    assert cloud.get("/jobs", params={"upload": key}).status_code in (200, 404)


@pytest.mark.parametrize(
    ("name", "body"),
    [("a.fasta", FASTA), ("a.csv", CSV), ("a.txt.gz", GZIP), ("a.csv.gz", gzip.compress(CSV)), ("a.unknown", FASTA)],
)
def test_every_form_of_sequences_is_ranked_alike(cloud: Deployment, name: str, body: bytes) -> None:
    job = cloud.drop(f"rank/forms/{name}", body, **OPEN)
    assert set(_ranked(cloud, job)) == {OTHER, DESIGN, POOR}
    _hold(job, 4, 3, 1)
    assert b"length" in cloud.output(job["job_id"], "rejected.csv")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.jsonl", "".join(json.dumps({"id": str(n), "abstract": text}) + "\n" for n, text in enumerate(ABSTRACTS))),
        ("a.txt", "".join(f"{text}\n" for text in ABSTRACTS)),
        ("a.csv", "id,abstract\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(ABSTRACTS))),
    ],
)
def test_every_form_of_abstracts_is_classified(cloud: Deployment, name: str, body: str) -> None:
    job = cloud.drop(f"classify/forms/{name}", body.encode())
    assert job["state"] == "SUCCEEDED", job
    lines = cloud.output(job["job_id"], "classification.jsonl").splitlines()
    assert (len(lines), job["counts"]["received"], job["counts"]["rejected"]) == (2, 3, 1)


def test_a_dropped_paper_is_classified(cloud: Deployment) -> None:
    job = cloud.drop("classify/a paper.pdf", article().pdf())
    assert job["state"] == "SUCCEEDED", job
    assert len(cloud.output(job["job_id"], "classification.jsonl").splitlines()) == 1


def test_a_file_dropped_again_is_a_new_job(cloud: Deployment) -> None:
    first = cloud.drop("rank/twice.txt", LINES, **OPEN)["job_id"]
    cloud.put("rank/twice.txt", LINES, **OPEN)
    second = _another(cloud, "rank/twice.txt", first)
    assert cloud.ended(second)["state"] == "SUCCEEDED"
    assert cloud.output(first, "ranking.csv") == cloud.output(second, "ranking.csv")


def _another(cloud: Deployment, key: str, first: str) -> str:
    def other() -> str | None:
        job = cloud.job_of(key)
        return job if job != first else None

    return wait_for(other, f"a second job of {key}")


def test_a_folder_is_no_job(cloud: Deployment) -> None:
    cloud.put("rank/folder/", b"")
    cloud.drop("rank/folder/file.txt", LINES)
    assert cloud.result("by-upload/rank/folder/.json") is None


@pytest.mark.parametrize(
    ("name", "body", "options", "reason"),
    [
        ("strict.txt", LINES, {"strict": "true"}, "reject"),
        ("option.txt", LINES, {"top-k": "none"}, "top"),
        ("column.csv", b"id,note\na,b\n", {"column": "sequence"}, "column"),
        ("broken.gz", b"\x1f\x8b broken", {}, "gzip"),
    ],
)
def test_what_cannot_be_ranked_fails_with_its_reason(
    cloud: Deployment, name: str, body: bytes, options: dict[str, str], reason: str
) -> None:
    job = cloud.drop(f"rank/bad/{name}", body, **options)
    assert job["state"] == "FAILED", job
    assert reason in job["reason"], job["reason"]


def test_a_file_of_bad_lines_alone_succeeds_with_an_empty_ranking(cloud: Deployment) -> None:
    job = cloud.drop("rank/bad.txt", f"{SHORT}\n".encode() * 5)
    assert _ranked(cloud, job) == []
    _hold(job, 5, 0, 5)


def test_all_scores_may_be_asked_for(cloud: Deployment) -> None:
    job = cloud.drop("rank/all.txt", LINES, **OPEN, output="all")
    assert job["state"] == "SUCCEEDED", job
    listed = cloud.s3.list_objects_v2(Bucket=cloud.results, Prefix=f"results/{job['job_id']}/")["Contents"]
    assert any("scores" in each["Key"] for each in listed), listed
