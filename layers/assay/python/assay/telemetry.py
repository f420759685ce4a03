"""Logs as JSON lines, metrics in CloudWatch's embedded format, traces if asked for; none carries what a user sent."""

import functools
import json
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeVar

from aws_lambda_powertools import Logger

from assay import tracing

_SERVICE: Final = "POWERTOOLS_SERVICE_NAME"
ALARMED: Final = frozenset({"ModelRefused", "ModelRefreshFailed", "UnexpectedErrors"})
"""Metrics that alarms watch: these are emitted without dimensions too, for an alarm can't search for dimensions."""

Unit = Literal["Count", "Seconds", "Bytes"]
Result = TypeVar("Result")

logger = Logger(service=os.environ.get(_SERVICE, "assay"))
_fresh = True


def measure(name: str, value: float, unit: Unit = "Count", **dimensions: str) -> None:
    """Emit one metric at once, outside of an invocation too; POWERTOOLS_METRICS_DISABLED silences it."""
    if os.environ.get("POWERTOOLS_METRICS_DISABLED", "").lower() in {"1", "true"}:
        return
    named = {"service": os.environ.get(_SERVICE, "assay"), **dimensions}
    directive = {
        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Assay"),
        "Dimensions": [[*named], *([[]] if name in ALARMED else [])],
        "Metrics": [{"Name": name, "Unit": unit}],
    }
    emitted = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    print(json.dumps({"_aws": emitted, **named, name: value}, separators=(",", ":")), flush=True)


def record(name: str, seconds: float, **dimensions: str) -> None:
    """Log, emit and trace how long a phase took that ends now: `record("fetch", 0.4)` is the metric FetchSeconds."""
    logger.info("phase", extra={"phase": name, "seconds": round(seconds, 4), **dimensions})
    measure(f"{name.title()}Seconds", seconds, "Seconds", **dimensions)
    tracing.span(name, seconds, dimensions)


@contextmanager
def phase(name: str, **dimensions: str) -> Iterator[None]:
    """Time what happens inside and record it, also when it fails."""
    started = time.perf_counter()
    try:
        yield
    finally:
        record(name, time.perf_counter() - started, **dimensions)


def scored(sequences: int) -> None:
    """Count sequences that were scored."""
    measure("SequencesScored", sequences)


def rejected(reasons: Mapping[str, int]) -> None:
    """Count records that were rejected, by reason."""
    for reason, count in reasons.items():
        measure("RecordsRejected", count, reason=reason)


def failure(message: str, error: BaseException) -> None:
    """Log an error that nobody foresaw by its kind and place. Its own words may quote the input, so they stay out."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    logger.error(message, kind=type(error).__name__, places=places[-8:])


def observed(
    handler: Callable[[dict[str, Any], Any], Result],
) -> Callable[[dict[str, Any], Any], Result]:
    """Wrap a Lambda handler: its log lines carry the ids of function call, API request and job, its calls are timed."""

    @functools.wraps(handler)
    def wrapper(event: dict[str, Any], context: Any) -> Result:
        logger.append_keys(**_ids(event))
        _count_cold_start()
        with phase("invocation"):
            return handler(event, context)

    return logger.inject_lambda_context(wrapper, clear_state=True)


def _ids(event: Mapping[str, Any]) -> dict[str, str]:
    request = (event.get("requestContext") or {}).get("requestId")
    found = {"request_id": request, "job_id": event.get("job_id")}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _count_cold_start() -> None:
    global _fresh  # an environment is fresh once, whatever is made or dropped in it
    if _fresh:
        _fresh = False
        measure("ColdStarts", 1)
