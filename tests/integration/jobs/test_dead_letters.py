"""Dead letters by what they are about: one event of one object, whatever else has the same key."""

import json
from collections.abc import Callable
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from assay.aws.dynamodb import Table
from assay.jobs.job_records import Job, Jobs
from assay.jobs.steps import Letter, read_identity, read_letter
from tests.conftest import TABLE
from tests.integration.drops import GOOD, Drop
from tests.integration.faults import OPEN, desk
from tools.admin.dead_letters import drain
from tools.admin.resources import Deployed

KEY = "rank/daily.txt"
Event = dict[str, Any]


class Outage:
    """A function whose table is away while it is `on`: each event is tried three times, then is a dead letter."""

    def __init__(self, drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on, self.sent = False, list[Event]()
        self._drop, self.queue = drop, drop.machine.queue
        for name in ("put", "set", "item"):
            monkeypatch.setattr(Table, name, self._away(getattr(Table, name)))
        clients: dict[str, Any] = {"lambda": self, "sqs": boto3.client("sqs")}
        monkeypatch.setattr("tools.admin.dead_letters.boto3", SimpleNamespace(client=clients.__getitem__))

    def _away(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def away(*given: Any, **more: Any) -> Any:
            if self.on:
                raise EndpointConnectionError(endpoint_url="https://dynamodb")
            return call(*given, **more)

        return away

    def deliver(self, event: Event) -> None:
        """Hand over an event as Lambda does."""
        for _ in range(3):
            try:
                self._drop(event, "the same call")
            except Exception:
                continue
            return
        body = {"requestContext": {"requestId": "the same call"}, "requestPayload": event}
        boto3.client("sqs").send_message(QueueUrl=self.queue, MessageBody=json.dumps(body))

    def invoke(self, **asked: Any) -> None:
        """Take an event that is sent again, as Lambda's API does; it is delivered later."""
        self.sent.append(json.loads(asked["Payload"]))

    def drain(self) -> list[str]:
        """Drain the queue as the command does, and deliver what was sent again."""
        ids = {
            name: name for name in ("ResultsBucket", "UploadsBucket", "RankUploadFunction", "ClassifyUploadFunction")
        }
        ids = {**ids, "StateTable": TABLE, "RankFileStateMachine": self._drop.machine.arn}
        ids |= {"UploadsBucket": "uploads", "ResultsBucket": "results", "UploadsDeadLetterQueue": self.queue}
        told = list(drain(Deployed(ids)))
        for event in self.sent:
            self.deliver(event)
        self.sent.clear()
        return told

    def left(self) -> int:
        """Return how many messages the queue holds."""
        wanted: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = boto3.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=wanted)["Attributes"]
        return sum(map(int, found.values()))


@pytest.fixture
def outage(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> Outage:
    drop.aws.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    return Outage(drop, monkeypatch)


def version(drop: Drop, number: int) -> Event:
    """Put the key's file of so many lines and return its event."""
    event = drop.put(KEY, f"{GOOD}\n".encode() * number, **OPEN)
    event["Records"][0]["s3"]["object"]["sequencer"] = f"00{number}"
    return event


def job(event: Event) -> Job:
    """Return the job of an event."""
    found = desk().jobs.of(read_identity(event["Records"][0]))
    assert found is not None
    return found


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
@pytest.mark.parametrize("before", [0, 1])
def test_every_file_of_a_key_is_ranked_though_it_was_dropped_thrice_in_an_outage(
    drop: Drop, outage: Outage, order: tuple[int, ...], before: int
) -> None:
    events = {number: version(drop, number) for number in (1, 2, 3)}
    for at, number in enumerate(order):
        outage.on = at >= before
        outage.deliver(events[number])
    outage.on = False
    assert outage.left() == 3 - before
    told = outage.drain()
    assert len(told) == 3 - before
    assert outage.left() == 0
    for number, event in events.items():
        assert (job(event).state, job(event).counts["received"]) == ("SUCCEEDED", number)
    latest = Jobs(drop.aws.dynamodb, TABLE).by_upload(KEY)
    pointer = json.loads((drop.aws.results.get(f"by-upload/{KEY}.json", limit=1 << 20) or (b"", ""))[0])
    assert latest is not None
    assert latest.id == pointer["job_id"] == job(events[3]).id


def test_a_letter_of_a_job_that_succeeded_is_done_with(drop: Drop, outage: Outage) -> None:
    event = version(drop, 1)
    outage.deliver(event)
    body = json.dumps({"requestPayload": event})
    boto3.client("sqs").send_message(QueueUrl=outage.queue, MessageBody=body)
    (line,) = outage.drain()
    assert f"{job(event).id}: is SUCCEEDED" in line
    assert outage.left() == 0


def test_a_letter_of_a_job_that_failed_is_redriven_and_not_the_keys_latest(drop: Drop, outage: Outage) -> None:
    first, second = version(drop, 1), version(drop, 2)
    for event in (first, second):
        outage.deliver(event)
    place = desk()
    place.jobs._table.set(f"job#{job(first).id}", {"state": "FAILED"}, "attribute_exists(#pk)")
    boto3.client("sqs").send_message(QueueUrl=outage.queue, MessageBody=json.dumps({"requestPayload": first}))
    (line,) = outage.drain()
    assert f"{job(first).id}: runs again as {job(first).id}-2" in line
    assert drop.machine.wait(f"{job(first).id}-2") == "SUCCEEDED"
    assert job(first).counts["received"] == 1


def test_a_letter_whose_job_somebody_else_works_on_is_left(drop: Drop, outage: Outage) -> None:
    event = version(drop, 1)
    upload = read_identity(event["Records"][0])
    claim = desk().jobs.claim(upload, "another call", 900)
    body = {"requestContext": {"requestId": "the same call"}, "requestPayload": event}
    boto3.client("sqs").send_message(QueueUrl=outage.queue, MessageBody=json.dumps(body))
    (line,) = outage.drain()
    assert "may be worked on for" in line
    assert (outage.left(), outage.sent) == (1, [])
    assert read_letter(desk(), upload, "another call")[:2] == (Letter.SENT, claim.job_id)
    outage.deliver(event)
    assert job(event).state == "SUCCEEDED"
