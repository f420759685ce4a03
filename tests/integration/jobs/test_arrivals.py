"""Events that say of objects that they arrived: odd ones, several records, EventBridge's; and whose a job is."""

import json
from typing import Any
from urllib.parse import unquote_plus

import pytest

from assay.errors import MalformedBody
from assay.jobs.job_records import Jobs
from assay.jobs.steps import list_records
from tests import events
from tests.conftest import TABLE
from tests.integration.drops import GOOD, Drop

LINE = f"{GOOD}\n".encode()


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": None},
        {"Records": []},
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads"},
        {"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}},
    ],
)
def test_events_without_objects_start_nothing(drop: Drop, event: dict[str, Any]) -> None:
    assert drop(event) == []


@pytest.mark.parametrize(
    "event",
    [
        {"Records": "x"},
        {"Records": {"a": 1}},
        {"Records": [None]},
        {"Records": [{"s3": {}}]},
        {"Records": [{"eventSource": "aws:sqs", "body": "{}"}]},
        {"source": "aws.s3", "detail-type": "Object Created"},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {"bucket": {"name": "uploads"}, "object": {}}},
    ],
)
def test_events_that_are_not_s3s_are_refused_with_a_word(drop: Drop, event: dict[str, Any]) -> None:
    with pytest.raises(MalformedBody, match=r"S3's|EventBridge's"):
        drop(event)


@pytest.mark.parametrize("bad_at", [0, 1, 2])
def test_a_bad_record_stops_none_beside_it(drop: Drop, bad_at: int) -> None:
    good = [drop.put(f"rank/{name}.txt", LINE)["Records"][0] for name in "ab"]
    records: list[Any] = [*good]
    records.insert(bad_at, {"s3": "nothing"})
    with pytest.raises(MalformedBody):
        drop({"Records": records})
    jobs = Jobs(drop.aws.dynamodb, TABLE)
    found = [jobs.by_upload(f"rank/{name}.txt") for name in "ab"]
    assert [job.state if job else None for job in found] == ["SUCCEEDED", "SUCCEEDED"]
    with pytest.raises(MalformedBody):  # S3's next try repeats nothing
        drop({"Records": records}, "two")
    assert [jobs.by_upload(f"rank/{name}.txt") for name in "ab"] == found


@pytest.mark.parametrize("key", ["rank/plain.txt", "rank/a b+c%2Fd \u00e9&=.txt", "rank/%41.txt"])
def test_eventbridges_event_begins_the_same_job(drop: Drop, key: str) -> None:
    record = drop.put(key, LINE)["Records"][0]["s3"]
    entity = {"key": key, "size": len(LINE), "etag": record["object"]["eTag"], "sequencer": "00A1"}
    detail = {"bucket": {"name": "uploads"}, "object": entity}
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": json.loads(json.dumps(detail))}
    (job_id,) = drop(event)
    assert drop.job(job_id).upload == key
    assert drop.summary(job_id)["counts"]["scored"] == 1
    [said] = list_records(event)
    assert unquote_plus(said["s3"]["object"]["key"]) == key


def test_an_event_of_another_bucket_starts_nothing(drop: Drop) -> None:
    drop.aws.s3.create_bucket(Bucket="elsewhere")
    drop.aws.s3.put_object(Bucket="elsewhere", Key="rank/a.txt", Body=LINE)
    event = events.load("s3_put")
    event["Records"][0]["s3"]["bucket"]["name"] = "elsewhere"
    event["Records"][0]["s3"]["object"]["key"] = "rank/a.txt"
    assert drop(event) == []
    assert Jobs(drop.aws.dynamodb, TABLE).by_upload("rank/a.txt") is None


def test_a_form_that_is_used_twice_makes_jobs_of_one_caller(drop: Drop) -> None:
    jobs = Jobs(drop.aws.dynamodb, TABLE)
    promised = jobs.enqueue("rank/5f/designs.txt", "rank", "key:one")
    (first,) = drop(drop.put("rank/5f/designs.txt", LINE))
    (second,) = drop(drop.put("rank/5f/designs.txt", LINE * 2), "two")
    assert first == promised.id != second
    assert [drop.job(each).owner for each in (first, second)] == ["key:one", "key:one"]
    assert not drop.job(second).belongs("key:two")


def test_a_file_that_was_dropped_stays_everybodys(drop: Drop) -> None:
    (job_id,) = drop(drop.put("rank/dropped.txt", LINE))
    assert drop.job(job_id).belongs("key:any")
