"""Checks of a stack's monitoring: alarms, the dashboard, and logs without users' texts."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from tools.check.ground import Ground
from tools.check.promises import Check, Untried, hold

ALARMS: Final = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
TYPES: Final = ("MetricAlarm", "CompositeAlarm")
LOG_SECONDS: Final = 30.0
"""How long lines may take to reach the log."""
MOST_PAGES: Final = 20


def check_alarms(ground: Ground) -> str:
    """Hold that every alarm of the stack is there; those that are on are named."""
    names = ground.held.of(*ALARMS)
    hold(names, "the stack has no alarm")
    found = {alarm["AlarmName"]: alarm["StateValue"] for alarm in _alarms(ground.held.client("cloudwatch"), names)}
    missing = [name for name in names if name not in found]
    hold(not missing, f"{len(missing)} of {len(names)} alarms are missing: {', '.join(missing[:3])}")
    ringing = sorted(name for name, state in found.items() if state == "ALARM")
    return f"{len(names)} alarms" + (f"; on now: {', '.join(ringing)}" if ringing else ", none on")


def check_dashboard(ground: Ground) -> str:
    """Hold that the stack's dashboard is there and shows something."""
    names = ground.held.of("AWS::CloudWatch::Dashboard")
    if not names:
        raise Untried("the stack has no dashboard")
    body = ground.held.client("cloudwatch").get_dashboard(DashboardName=names[0])["DashboardBody"]
    widgets = json.loads(body)["widgets"]
    hold(widgets, f"the dashboard {names[0]} is empty")
    return f"{names[0]}, {len(widgets)} widgets"


def check_log(ground: Ground) -> str:
    """Hold that the functions logged this run, and neither a sequence, nor a text, nor the key of it."""
    groups = ground.held.of("AWS::Logs::LogGroup")
    hold(groups, "the stack has no log groups")
    logs = ground.held.client("logs")
    _await_lines(logs, groups, ground.started)
    secrets = [ground.specimens.mark, ground.specimens.sequences[0], *filter(None, [ground.wire.key])]
    for word in secrets:
        for group in groups:
            lines = [line for line in _lines(logs, group, ground.started, f'"{word}"') if word in line]
            hold(not lines, f"{group} holds what a user sent: {lines[0][:120] if lines else ''}")
    return f"{len(groups)} groups"


def _await_lines(logs: Any, groups: list[str], started: float) -> None:
    deadline = time.monotonic() + LOG_SECONDS
    while not any(next(_lines(logs, group, started), None) for group in groups):
        hold(time.monotonic() < deadline, f"no function logged anything within {LOG_SECONDS:.0f} s of this run")
        time.sleep(2)


def _lines(logs: Any, group: str, started: float, pattern: str = "") -> Iterator[str]:
    """Yield the lines of a log group since the run began that have the pattern."""
    asked = {"logGroupName": group, "startTime": int(started * 1000), **({"filterPattern": pattern} if pattern else {})}
    for _ in range(MOST_PAGES):
        page = logs.filter_log_events(**asked)
        yield from (event["message"] for event in page.get("events", ()))
        if not page.get("nextToken"):
            return
        asked["nextToken"] = page["nextToken"]


def _alarms(cloudwatch: Any, names: list[str]) -> Iterator[dict[str, Any]]:
    for at in range(0, len(names), 100):
        found = cloudwatch.describe_alarms(AlarmNames=names[at : at + 100], AlarmTypes=list(TYPES), MaxRecords=100)
        yield from (*found.get("MetricAlarms", ()), *found.get("CompositeAlarms", ()))


CHECKS: Final = (
    Check("alarms", "every alarm is there", check_alarms),
    Check("dashboard", "the dashboard is there", check_dashboard),
    Check("log", "the log holds no user's text and no key", check_log),
)


OURS: Final = ("results", "partials")


def check_cleaning(ground: Ground) -> str:
    """Stop what still runs, remove what the run made, and hold that nothing of it is left."""
    for job in ground.jobs:
        ground.wire.post(f"/jobs/{job}/cancel")  # one that has ended says 409
    s3 = ground.held.client("s3")
    removed = sum(_empty(s3, *place) for place in _places(ground))
    left = [key for place in _places(ground) for key, _ in _versions(s3, *place)]
    hold(not left, f"{len(left)} objects could not be removed, such as {left[:1]}")
    return f"{removed} objects; records of jobs expire by themselves"


def _places(ground: Ground) -> Iterator[tuple[str, str]]:
    """Yield bucket and prefix of everything that the run made."""
    held = ground.held
    yield from ((held.uploads, key) for key in sorted(ground.uploads))
    yield from ((held.results, f"by-upload/{key}.json") for key in sorted(ground.uploads))
    yield from ((held.results, f"{folder}/{job}/") for job in sorted(ground.jobs) for folder in OURS)


def _versions(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield key and version of what lies under a prefix, marks of deletion too."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            yield each["Key"], each["VersionId"]


def _empty(s3: Any, bucket: str, prefix: str) -> int:
    found = [*_versions(s3, bucket, prefix)]
    for key, version in found:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    return len(found)


CLEANING_CHECKS: Final = (Check("cleaning", "what this run made is taken away", check_cleaning),)
