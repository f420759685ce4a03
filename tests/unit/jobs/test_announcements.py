from typing import Any

import pytest
from botocore.exceptions import ClientError

from assay.jobs.announcements import Notices, mail_text
from assay.jobs.job_records import Job, State
from tests.logs import lines

TIME = "2026-01-01T00:00:00+00:00"


class Topic:
    """An SNS client that keeps what it is told, or refuses it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.told: list[dict[str, str]] = []
        self._broken = broken

    def publish(self, **notice: str) -> None:
        if self._broken:
            raise ClientError({"Error": {"Code": "NotFound"}}, "Publish")
        self.told.append(notice)


def job(state: State = "SUCCEEDED", **changes: Any) -> Job:
    return Job("0b8e", "rank", state, "rank/designs.fasta", TIME, TIME, **changes)


def test_the_end_of_a_job_is_told_once_and_briefly() -> None:
    topic: Any = Topic()
    Notices(topic, "arn:topic", "https://lab.example.org/prod/").announce(
        job(counts={"received": 1200, "scored": 1000})
    )
    [told] = topic.told
    assert told["TopicArn"] == "arn:topic"
    assert told["Subject"] == "Assay: a rank job has succeeded"
    assert told["Message"].splitlines() == [
        "The job 0b8e (rank) has succeeded.",
        "File: rank/designs.fasta",
        "Counts: received 1,200, scored 1,000",
        "Results: https://lab.example.org/prod/?job=0b8e",
    ]


def test_a_failed_job_says_why_and_where_to_look_without_a_page() -> None:
    lines = mail_text(job("FAILED", reason="no column sequence")).splitlines()
    assert lines[0] == "The job 0b8e (rank) has failed."
    assert lines[2:] == ["Reason: no column sequence", "Results: GET /jobs/0b8e"]


def test_without_a_topic_nobody_is_told() -> None:
    topic: Any = Topic()
    Notices(topic, "").announce(job())
    assert topic.told == []


def test_a_notice_that_cannot_be_sent_is_logged_and_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    topic: Any = Topic(broken=True)
    Notices(topic, "arn:topic").announce(job())
    assert [line["message"] for line in lines(capsys) if "message" in line] == ["notice not sent"]
