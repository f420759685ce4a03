"""Files dropped in the uploads bucket, as a user with boto3 does."""

import csv
import gzip
import io

import pytest
from boto3.s3.transfer import TransferConfig

from tests.e2e.running import Service
from tests.e2e.samples import CSV, DESIGN, FASTA, LINES, OTHER, POOR, SHORT

OPTIONS = {"threshold": "-1000"}


def rows(service: Service, job_id: str, name: str) -> list[dict[str, str]]:
    body = service.result(f"results/{job_id}/{name}")
    assert body is not None
    return list(csv.DictReader(io.StringIO(body.decode("utf-8"))))


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("rank/lines.txt", LINES),
        ("rank/with blank + sign ü.fasta", FASTA),
        ("rank/deep/er/designs.csv", CSV),
        ("rank/lines.txt.gz", gzip.compress(LINES, mtime=0)),
    ],
)
def test_results_of_a_drop(service: Service, order: list[str], key: str, body: bytes) -> None:
    summary = service.drop(key, body, **OPTIONS)
    assert summary["state"] == "SUCCEEDED"
    counts = summary["counts"]
    assert (counts["received"], counts["scored"], counts["rejected"], counts["duplicates"]) == (4, 3, 1, 0)
    ranking = rows(service, summary["job_id"], "ranking.csv")
    assert list(ranking[0])[:6] == ["rank", "sequence", "score", "gate", "line", "id"]
    assert [row["sequence"] for row in ranking] == order
    (reject,) = rows(service, summary["job_id"], "rejected.csv")
    assert (reject["reason"], reject["detail"]) == ("length", "3 residues, expected 50")


def test_columns_of_a_csv_are_carried(service: Service) -> None:
    summary = service.drop("rank/carried.csv", CSV, **OPTIONS)
    carried = {row["sequence"]: row["note"] for row in rows(service, summary["job_id"], "ranking.csv")}
    assert carried == {OTHER: "b", DESIGN: "a", POOR: "c"}


def test_http_and_drop_agree(service: Service) -> None:
    summary = service.drop("rank/agree.fasta", FASTA, **OPTIONS)
    posted = service.post("/rank?threshold=-1000", data=FASTA, headers={"Content-Type": "text/x-fasta"}).json()
    dropped = rows(service, summary["job_id"], "ranking.csv")
    for ours, theirs in zip(dropped, posted["ranked"], strict=True):
        theirs |= theirs.pop("columns")
        assert ours == {"notice": ""} | {key: str(value) for key, value in theirs.items()}


def test_options_come_as_metadata(service: Service) -> None:
    summary = service.drop("rank/best.txt", LINES, **OPTIONS, **{"top-k": "1"})
    assert summary["counts"]["returned"] == 1
    assert summary["counts"]["passed"] == 3


def test_each_sequence_appears_once_though_every_line_is_scored(service: Service) -> None:
    summary = service.drop("rank/twice.txt", f"{DESIGN}\n{OTHER}\n{DESIGN}\n".encode(), **OPTIONS)
    assert summary["counts"]["scored"] == 3
    assert {row["line"] for row in rows(service, summary["job_id"], "ranking.csv")} == {"1", "2"}


def test_only_bad_lines_succeed_with_an_empty_ranking(service: Service) -> None:
    summary = service.drop("rank/bad-lines.txt", b"X\n\nB\n")
    assert summary["state"] == "SUCCEEDED"
    assert rows(service, summary["job_id"], "ranking.csv") == []
    assert [row["line"] for row in rows(service, summary["job_id"], "rejected.csv")] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("key", "body", "options"),
    [
        ("rank/truncated.txt.gz", gzip.compress(LINES * 100, mtime=0)[:-9], {}),
        ("rank/no-column.csv", b"name,note\na,b\n", {}),
        ("rank/no-such-column.csv", CSV, {"column": "peptide"}),
        ("rank/bad-option.txt", LINES, {"top-k": "many"}),
    ],
)
def test_what_cannot_be_read_fails_with_its_reason(
    service: Service, key: str, body: bytes, options: dict[str, str]
) -> None:
    summary = service.drop(key, body, **options)
    assert summary["state"] == "FAILED"
    assert summary["error"]["code"]
    assert summary["error"]["message"]


def test_the_same_file_again_is_a_new_job(service: Service) -> None:
    first = service.drop("rank/again.txt", LINES, **OPTIONS)["job_id"]
    service.s3.delete_object(Bucket=service.results, Key="by-upload/rank/again.txt.json")
    assert service.drop("rank/again.txt", LINES, **OPTIONS)["job_id"] != first


def test_folder_markers_are_not_jobs(service: Service) -> None:
    service.s3.put_object(Bucket=service.uploads, Key="rank/folder/")
    service.drop("rank/folder/file.txt", LINES)  # handled after the marker, by the same function
    assert service.result("by-upload/rank/folder/.json") is None


def test_a_multipart_upload_is_one_job(service: Service) -> None:
    body = io.BytesIO(f"{DESIGN}\n".encode() * 105_000)
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, use_threads=False)
    service.s3.upload_fileobj(body, service.uploads, "rank/large.txt", Config=parts)
    summary = service.summary("rank/large.txt")
    assert summary["counts"]["scored"] == 105_000
    assert summary["state"] == "SUCCEEDED"
    machines = service.client("stepfunctions").list_state_machines()["stateMachines"]
    executions = [
        (each["name"], each["status"])
        for machine in machines
        for each in service.client("stepfunctions").list_executions(stateMachineArn=machine["stateMachineArn"])[
            "executions"
        ]
    ]
    assert (summary["job_id"], "SUCCEEDED") in executions or (summary["job_id"], "RUNNING") in executions


def test_a_large_file_is_ranked_by_the_state_machine_as_a_small_one_is(service: Service) -> None:
    names = [f">{at}\n{(DESIGN, OTHER, POOR, SHORT)[at % 4]}\n" for at in range(90_000)]
    summary = service.drop("rank/large.fasta", "".join(names).encode(), **OPTIONS, output="all")
    assert summary["counts"] | {"rejected": 22_500, "scored": 67_500, "returned": 3} == summary["counts"]
    job = service.get(f"/jobs/{summary['job_id']}").json()
    assert job["shards"]["done"] == job["shards"]["total"] > 3
    ranking = rows(service, summary["job_id"], "ranking.csv")
    assert {(row["line"], row["id"]) for row in ranking} == {("1", "0"), ("3", "1"), ("5", "2")}
    assert rows(service, summary["job_id"], "rejected.csv")[-1]["line"] == str(2 * 89_999 + 1)


def test_a_large_job_can_be_cancelled(service: Service) -> None:
    body = f"{DESIGN}\n".encode() * 400_000
    offer = service.post("/uploads", json={"filename": "cancelled.txt"}).json()
    service.s3.put_object(Bucket=service.uploads, Key=offer["key"], Body=body)
    reply = service.post(f"/jobs/{offer['job_id']}/cancel")
    assert (reply.status_code, reply.json()["state"], reply.json()["reason"]) == (202, "FAILED", "cancelled")
    assert service.summary(offer["key"])["error"]["code"] == "cancelled"
