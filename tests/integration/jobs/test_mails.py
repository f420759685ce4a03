"""The end of a file's job is told to a topic, once, whether it is small, failed, or told in vain."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from assay.aws.clients import client
from assay.jobs.announcements import announce_jobs
from assay.settings import Settings
from tests.conftest import TABLE, Aws
from tests.integration.drops import Drop

LINES = b"MKKLEELLKKAEELLKRGDEEALRRALELAKRALELAEELGDPELLARAL\n"
Told = Callable[[], list[str]]


@pytest.fixture
def told(aws: Aws, environment: Callable[[str, str], None]) -> Told:
    """What a topic's subscriber was told, one text a notice."""
    topic = client("sns").create_topic(Name="jobs")["TopicArn"]
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    environment("ASSAY_JOB_TOPIC", topic)
    environment("ASSAY_PAGE_URL", "https://lab.example.org/prod")

    def read() -> list[str]:
        found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["Message"] for message in found]

    return read


@pytest.fixture
def drop(told: Told, drop: Drop) -> Drop:
    """Drop files where jobs are told of."""
    return drop


def settings(**changes: str) -> Settings:
    return Settings.from_environ({"ASSAY_STATE_TABLE": TABLE, **changes})


def test_a_file_that_was_ranked_is_told_with_its_counts(drop: Drop, told: Told) -> None:
    event = drop.put("rank/designs.txt", LINES)
    [job_id] = drop(event)
    drop(event, "again")
    [text] = told()
    assert f"The job {job_id} (rank) has succeeded." in text
    assert "scored 1" in text
    assert f"https://lab.example.org/prod/?job={job_id}" in text


def test_a_file_of_several_shards_is_told_when_they_are_joined(
    drop: Drop, cut: Callable[..., None], told: Told
) -> None:
    cut(100)
    job_id = drop.done("rank/designs.txt", LINES * 7)
    assert drop.machine.executions()
    [text] = told()
    assert f"The job {job_id} (rank) has succeeded." in text


def test_a_file_that_cannot_be_read_is_told_with_its_reason(drop: Drop, told: Told) -> None:
    [job_id] = drop(drop.put("rank/designs.txt.gz", b"\x1f\x8b damaged"))
    [text] = told()
    assert f"The job {job_id} (rank) has failed." in text
    assert "Reason: " in text


def test_a_job_ends_once(aws: Aws, told: Told) -> None:
    jobs = announce_jobs(settings(ASSAY_JOB_TOPIC=client("sns").list_topics()["Topics"][0]["TopicArn"]))
    job = jobs.enqueue("rank/x.txt", "rank")
    assert jobs.start(job.id, {})
    assert jobs.conclude(job.id)
    assert told() == []
    assert jobs.fail(job.id, "cancelled")
    assert not jobs.succeed(job.id, {}, {})
    assert len(told()) == 1


def test_a_topic_that_is_gone_fails_no_job(aws: Aws) -> None:
    jobs = announce_jobs(settings(ASSAY_JOB_TOPIC="arn:aws:sns:us-east-1:123456789012:gone"))
    job: Any = jobs.enqueue("rank/x.txt", "rank")
    assert jobs.fail(job.id, "cancelled")
    found: Any = jobs.get(job.id)
    assert found.state == "FAILED"


def test_without_a_topic_no_client_is_made_for_it(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(name: Any) -> Any:
        made.append(name)
        return client(name)

    monkeypatch.setattr("assay.jobs.announcements.client", counted)
    announce_jobs(settings()).enqueue("rank/x.txt", "rank")
    assert made == ["dynamodb"]
