"""Events that say of objects that they arrived: S3's own, and EventBridge's of S3; every record is taken by itself."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus

from assay.errors import MalformedBody
from assay.files.desk import Desk
from assay.files.merging import Join
from assay.files.planning import Kind
from assay.files.steps import Work
from assay.files.taking import take
from assay.telemetry import logger

_BRIDGE: Final = "aws.s3"
_CREATED: Final = "Object Created"
_NAMES: Final = {"version-id": "versionId", "etag": "eTag", "sequencer": "sequencer", "size": "size"}


def take_all(desk: Desk, kind: Kind, event: Mapping[str, Any], owner: str, work: Work, join: Join) -> list[str]:
    """Begin the job of each object of an event; return the ids of those that were ours to do.

    A record that fails stops none behind it; once all were tried the first failure is raised, so that the event comes
    again: what was begun is claimed by then. Raises as `take` and `list_records` do.
    """
    begun: list[str | None] = []
    failed: list[Exception] = []
    for record in list_records(event):
        try:
            begun.append(take(desk, kind, record, owner, work, join))
        except Exception as error:  # raised below, when those behind it have had their turn
            logger.error("a record of an event failed", reason=f"{type(error).__name__}: {error}")
            failed.append(error)
    if failed:
        raise failed[0]
    return [job_id for job_id in begun if job_id]


def list_records(event: Mapping[str, Any]) -> list[Any]:
    """Return the records of an event in the shape of S3's own; none of a test event. Raises MalformedBody."""
    if event.get("source") == _BRIDGE:
        return [_bridged(event)] if event.get("detail-type") == _CREATED else []
    records = event.get("Records") or []
    if not isinstance(records, list):
        raise MalformedBody("the event's \"Records\" are no list: it is not S3's")
    if not records:
        logger.info("an event without records", event_name=str(event.get("Event", "")))
    return records


def _bridged(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return EventBridge's event as a record: there keys are not URL-encoded, and names are spelled otherwise."""
    try:
        bucket, entity = event["detail"]["bucket"], event["detail"]["object"]
        named = {ours: entity[theirs] for theirs, ours in _NAMES.items() if theirs in entity}
        return {"s3": {"bucket": {"name": bucket["name"]}, "object": {"key": quote_plus(entity["key"]), **named}}}
    except (KeyError, TypeError, UnicodeEncodeError) as error:
        raise MalformedBody("EventBridge's event names no bucket and object") from error
