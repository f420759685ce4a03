"""`assay` against a running service: files as jobs, and the commands for jobs."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from assay.client import Assay, Refused, conversation
from assay.client.sources import Content
from tests.e2e.running import Service, wait_for
from tests.e2e.samples import CSV, FASTA, LINES, SHORT
from tests.e2e.test_commands import assay
from tools.cli import remote
from tools.cli.main import main

pytestmark = pytest.mark.slow

NAMES = {"ranking.csv", "rejected.csv", "ranking.json"}


def redrive(service: Service, *arguments: str) -> Any:
    return assay("jobs", "redrive", *arguments, "--endpoint", service.endpoint)


def failed(service: Service, key: str = "rank/strict.txt") -> str:
    """Drop a file that `strict` refuses; return its job."""
    job_id: str = service.drop(key, LINES, strict="true")["job_id"]
    return job_id


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "designs.csv"
    path.write_bytes(CSV)
    return path


def test_results_in_a_folder_are_the_same_here_and_by_a_service(service: Service, file: Path, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, where in ((here, ()), (there, ("--url", service.url))):
        done = assay("rank", str(file), "--threshold", "-1000", "--out", str(folder), *where)
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        assert {path.name for path in folder.iterdir()} == NAMES
    for name in ("ranking.csv", "rejected.csv"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    (job_id,) = re.findall(rf"{service.url}/\?job=(\w+)$", done.stderr, re.MULTILINE)
    assert service.get(f"/jobs/{job_id}").json()["state"] == "SUCCEEDED"
    counts = [json.loads((folder / "ranking.json").read_text())["counts"] for folder in (here, there)]
    assert counts[0] == counts[1]


def test_a_file_over_one_request_is_uploaded_and_followed(
    service: Service, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(remote, "SMALL", 1)
    monkeypatch.setattr(conversation, "FIRST_WAIT", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert main(["rank", str(file), "--threshold", "-1000", "--format", "json", "--url", service.url]) == 0
    sent = json.loads(capsys.readouterr().out)
    assert main(["rank", str(file), "--threshold", "-1000", "--format", "json", "--processes", "1"]) == 0
    assert sent == json.loads(capsys.readouterr().out)
    assert [row["columns"] for row in sent["ranked"]] != []
    assert sent["rejected"][0]["line"] == 5


def test_a_failed_job_is_told_with_its_reason(service: Service, file: Path, tmp_path: Path) -> None:
    done = assay("rank", str(file), "--strict", "--url", service.url, "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "strict allows none" in done.stderr.splitlines()[-1]
    assert "to share" not in done.stderr
    assert "rejected.csv" in {path.name for path in (tmp_path / "out").iterdir()}
    here = assay("rank", str(file), "--strict", "--out", str(tmp_path / "here"))
    assert here.returncode == 1
    assert "strict allows none" in here.stderr.splitlines()[-1]


def test_windows_and_gate_travel_to_a_service(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "protein.fasta"
    path.write_bytes(FASTA.replace(SHORT.encode(), SHORT.encode() * 30))
    chosen = ("rank", str(path), "--window", "50", "--step", "20", "--gate", "off", "--csv")
    here, there = assay(*chosen), assay(*chosen, "--url", service.url)
    assert here.returncode == there.returncode == 0
    assert here.stdout == there.stdout
    assert len(here.stdout.splitlines()) > 5


def test_all_scores_want_a_folder() -> None:
    done = assay("rank", "-", "--output", "all", text=LINES.decode())
    assert done.returncode == 1
    assert "--out DIR" in done.stderr


def test_a_file_that_shrinks_while_it_is_sent_is_told(service: Service, file: Path) -> None:
    with remote.open_input(str(file)) as (stream, size), Assay(service.url) as client:
        longer = Content(file.name, size + 1, stream)
        with pytest.raises(Refused, match="became shorter"):
            client._run(client.talk.submit(longer, "rank", {}))


def test_what_lies_in_s3_is_not_sent_through_a_service(service: Service) -> None:
    done = assay("rank", "s3://bucket/key", "--url", service.url)
    assert done.returncode == 1
    assert "copy it under rank/" in done.stderr


def test_an_address_that_is_not_assays_is_told(service: Service) -> None:
    done = assay("rank", "-", "--url", service.url + "/docs", text=LINES.decode())
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_a_job_is_shown_and_listed(service: Service) -> None:
    job_id = service.drop("rank/shown.txt", LINES)["job_id"]
    by_id, by_key = (assay("jobs", "show", name, "--url", service.url) for name in (job_id, "rank/shown.txt"))
    assert json.loads(by_id.stdout)["job_id"] == json.loads(by_key.stdout)["job_id"] == job_id
    followed = assay("jobs", "follow", job_id, "--url", service.url)
    assert (followed.returncode, json.loads(followed.stdout)["work"]["phase"]) == (0, "done")
    listed = assay("jobs", "list", "--endpoint", service.endpoint)
    assert listed.returncode == 0, listed.stderr
    assert any(job_id in line and "rank/shown.txt" in line for line in listed.stdout.splitlines())
    assert job_id not in assay("jobs", "list", "--state", "FAILED", "--endpoint", service.endpoint).stdout


def test_a_job_that_ended_cannot_be_cancelled(service: Service) -> None:
    job_id = service.drop("rank/ended.txt", LINES)["job_id"]
    done = assay("jobs", "cancel", job_id, "--url", service.url)
    assert done.returncode == 1
    assert "SUCCEEDED already" in done.stderr


def test_a_failed_job_is_redriven_and_another_is_not(service: Service) -> None:
    job_id = failed(service)
    done = redrive(service, job_id)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"runs again as {job_id}-2" in done.stdout
    wait_for(lambda: service.get(f"/jobs/{job_id}").json()["state"] == "FAILED" or None, "the end of the redriven job")
    fine = service.drop("rank/fine.txt", LINES)["job_id"]
    refused = redrive(service, fine)
    assert refused.returncode == 1
    assert "only FAILED jobs" in refused.stdout
    assert "no such job" in redrive(service, "unknown").stdout


def test_dead_letters_are_begun_again_once_and_taken_off_the_queue(service: Service) -> None:
    queue = f"{service.endpoint}/123456789012/assay-local-UploadsDeadLetterQueue"
    sqs = service.client("sqs")
    job_id, other = failed(service, "rank/one.txt"), failed(service, "rank/given up.txt")
    buried = {"job_id": job_id, "bury": True, "reason": "x"}
    keys = ("rank/new+one.txt", "classify/new.txt", "rank/given+up.txt")
    events = [{"requestPayload": {"Records": [record(service, key)]}} for key in keys]
    for body in (buried, buried, *events):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    sqs.send_message(QueueUrl=queue, MessageBody="hello")
    done = redrive(service, "--dead-letters")
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert told.count(f"{job_id}: runs again") == told.count(f"rank/given up.txt: {other}: runs again") == 1
    assert "rank/new one.txt: its event was sent to assay-local-RankUploadFunction" in told
    assert "classify/new.txt: its event was sent to assay-local-ClassifyUploadFunction" in told
    assert "not Assay's was left" in told
    left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert int(left["ApproximateNumberOfMessagesNotVisible"]) + int(left["ApproximateNumberOfMessages"]) == 2
    sqs.purge_queue(QueueUrl=queue)


def record(service: Service, key: str) -> dict[str, Any]:
    """Return S3's word of an object that was dropped."""
    entity = {"key": key, "sequencer": "1"}
    return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": service.uploads}, "object": entity}}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("jobs", "show", "x"), "--url"),
        (("jobs", "follow", "x"), "--url"),
        (("jobs", "redrive", "x"), "--stack"),
        (("jobs", "redrive"), "--dead-letters"),
        (("jobs", "list"), "--stack"),
    ],
)
def test_jobs_says_what_it_wants(arguments: tuple[str, ...], told: str) -> None:
    done = assay(*arguments)
    assert done.returncode == 1
    assert told in done.stderr


def test_a_key_from_the_environment_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_API_KEY", "secret-from-here")
    seen: dict[str, str] = {}

    def stream(*_: Any, headers: dict[str, str], **__: Any) -> Any:
        seen.update(headers)
        raise OSError("no network")

    monkeypatch.setattr(httpx2.Client, "stream", stream)
    assert main(["jobs", "show", "x", "--url", "http://127.0.0.1:9"]) == 1
    assert seen["x-api-key"] == "secret-from-here"
    done = assay("jobs", "show", "x", "--url", "http://127.0.0.1:9")
    assert "secret" not in done.stdout + done.stderr


def test_an_object_in_s3_is_ranked_here(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from assay.aws.clients import forget

    service.s3.put_object(Bucket=service.results, Key="shared/designs.txt", Body=LINES)
    environment = {"AWS_ENDPOINT_URL": service.endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in {**environment, "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    forget()
    try:
        given = ["rank", f"s3://{service.results}/shared/designs.txt", "--threshold", "-1000", "--csv"]
        assert main(given) == 0
        assert len(capsys.readouterr().out.splitlines()) == 4
        assert main(["rank", f"s3://{service.results}/none.txt"]) == 1
        assert "there is no none.txt" in capsys.readouterr().err
    finally:
        forget()
