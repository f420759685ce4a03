"""Logs as JSON lines, metrics in CloudWatch's embedded format, traces if asked for; none carries what a user sent.

CloudWatch bills every byte that is logged, so what a call measures is written as one line at its end, with its ids and
its seconds: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import functools
import json
import os
import secrets
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, TextIO, TypeVar

LEVELS: Final[Mapping[str, int]] = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_CALLER: Final = 2
"""Frames from where a line is made to where it was asked for."""


def write_line(text: str, stream: TextIO | None = None) -> None:
    """Write a line to standard output in one piece, so that those of several threads stay apart."""
    target = stream or sys.stdout
    target.write(f"{text}\n")
    target.flush()


class JsonLogger:
    """Lines of level, place, message, time and service, with the keys that were appended and those of the line.

    The level is that of POWERTOOLS_LOG_LEVEL, else Lambda's own, else INFO.
    """

    def __init__(self, service: str, stream: TextIO | None = None) -> None:
        self.service, self.stream = service, stream
        self.keys: dict[str, object] = {}
        self.set_level(os.environ.get("POWERTOOLS_LOG_LEVEL") or os.environ.get("AWS_LAMBDA_LOG_LEVEL") or "INFO")

    def set_level(self, name: str) -> None:
        """Write lines of this level and those above; INFO if there is no such level."""
        self.level = LEVELS.get(name.upper(), LEVELS["INFO"])

    def append_keys(self, **keys: object) -> None:
        """Have each line from now on carry these too."""
        self.keys |= keys

    def debug(self, message: str, **about: object) -> None:
        """Write a line that helps to find a fault."""
        if self.level <= LEVELS["DEBUG"]:
            self._write("DEBUG", message, about)

    def info(self, message: str, **about: object) -> None:
        """Write a line for the record."""
        if self.level <= LEVELS["INFO"]:
            self._write("INFO", message, about)

    def warning(self, message: str, **about: object) -> None:
        """Write a line of what did not go as it should."""
        if self.level <= LEVELS["WARNING"]:
            self._write("WARNING", message, about)

    def error(self, message: str, **about: object) -> None:
        """Write a line of what failed."""
        if self.level <= LEVELS["ERROR"]:
            self._write("ERROR", message, about)

    def _write(self, level: str, message: str, about: Mapping[str, Any]) -> None:
        frame, now = sys._getframe(_CALLER), time.time()
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
        line = {
            "level": level,
            "location": f"{frame.f_code.co_name}:{frame.f_lineno}",
            "message": message,
            "timestamp": f"{clock},{int(now % 1 * 1000):03d}+0000",
            "service": self.service,
            **self.keys,
            **about,
        }
        write_line(json.dumps(line, separators=(",", ":"), default=str), self.stream)


_HEADER: Final = b'{"format":"json","version":1}\n'
_TRACE: Final = "_X_AMZN_TRACE_ID"
_DAEMON: Final = "AWS_XRAY_DAEMON_ADDRESS"


def span(name: str, seconds: float, annotations: Mapping[str, str] | None = None) -> None:
    """Send a subsegment of so many seconds that ends now; nothing where the invocation is not traced."""
    trace = _trace(os.environ.get(_TRACE, ""))
    daemon = os.environ.get(_DAEMON, "")
    if trace.get("Sampled") != "1" or not {"Root", "Parent"} <= trace.keys() or ":" not in daemon:
        return
    ended = time.time()
    segment = {
        "type": "subsegment",
        "name": name,
        "id": secrets.token_hex(8),
        "trace_id": trace["Root"],
        "parent_id": trace["Parent"],
        "start_time": ended - seconds,
        "end_time": ended,
        "annotations": dict(annotations or {}),
    }
    _send(_HEADER + json.dumps(segment).encode(), daemon)


def _trace(header: str) -> dict[str, str]:
    """Return the parts of a trace header: `Root=1-...;Parent=...;Sampled=1`."""
    return dict(part.strip().split("=", 1) for part in header.split(";") if "=" in part)


def _send(datagram: bytes, daemon: str) -> None:
    host, _, port = daemon.rpartition(":")
    try:
        _socket().sendto(datagram, (host, int(port)))
    except (OSError, ValueError):
        return  # a trace is not worth a failure


@cache
def _socket() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.setblocking(False)
    return found


_SERVICE: Final = "POWERTOOLS_SERVICE_NAME"
ALARMED: Final = frozenset({"ModelRefused", "ModelRefreshFailed", "UnexpectedErrors"})
"""Metrics that alarms watch: these are emitted at once, for a call may die, and without dimensions too, for an alarm
can't search for dimensions."""
_UNCOUNTED: Final = frozenset({"job-sweep"})
"""Whose cold starts are no metric, for each is a custom one, which costs: a schedule calls it though nobody asks."""
_MOST_VALUES: Final = 100
"""Values of one metric that a line may hold."""

_IDS: Final = ("function_request_id", "request_id", "job_id")

Unit = Literal["Count", "Seconds", "Bytes"]
Result = TypeVar("Result")

logger = JsonLogger(os.environ.get(_SERVICE, "assay"))
_fresh = True


@dataclass(slots=True)
class _Line:
    """Metrics that fit into one line: no name, of a metric or of a dimension, has two meanings in it."""

    dimensions: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, tuple[Unit, tuple[str, ...]]] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    def take(self, name: str, value: float, unit: Unit, dimensions: Mapping[str, str]) -> bool:
        """Add a value, and say whether it fits."""
        said = (unit, tuple(dimensions))
        if any(self.dimensions.get(key, each) != each for key, each in dimensions.items()):
            return False
        if self.metrics.get(name, said) != said or len(self.values.get(name, ())) == _MOST_VALUES:
            return False
        self.dimensions.update(dimensions)
        self.metrics[name] = said
        self.values.setdefault(name, []).append(value)
        return True

    def write(self, **ids: object) -> None:
        """Write it, with what else the line is to say."""
        directives: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for name, (unit, keys) in self.metrics.items():
            directives.setdefault(keys, []).append({"Name": name, "Unit": unit})
        namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Assay")
        emitted = [
            {"Namespace": namespace, "Dimensions": _dimension_sets(keys, metrics), "Metrics": metrics}
            for keys, metrics in directives.items()
        ]
        about = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": emitted}} if emitted else {}
        values = {name: each[0] if len(each) == 1 else each for name, each in self.values.items()}
        write_line(json.dumps({**about, **self.dimensions, **ids, **values}, separators=(",", ":")))


def _dimension_sets(keys: tuple[str, ...], metrics: list[dict[str, str]]) -> list[list[str]]:
    alarmed = any(each["Name"] in ALARMED for each in metrics)
    return [[*keys], *([[]] if alarmed else [])]


_lines: ContextVar[list[_Line] | None] = ContextVar("lines", default=None)
"""What the call that runs has measured so far; None outside of one, and in threads that it began."""


def measure(name: str, value: float, unit: Unit = "Count", **dimensions: str) -> None:
    """Emit one metric: with the others at the end of a call, else at once. POWERTOOLS_METRICS_DISABLED silences it."""
    if _is_silent():
        return
    named = {"service": _service(), **dimensions}
    lines = _lines.get()
    if lines is None or name in ALARMED:
        line = _Line()
        line.take(name, value, unit, named)
        line.write()
    elif not any(line.take(name, value, unit, named) for line in lines):
        lines.append(_Line())
        lines[-1].take(name, value, unit, named)


def _is_silent() -> bool:
    return os.environ.get("POWERTOOLS_METRICS_DISABLED", "").lower() in {"1", "true"}


def _service() -> str:
    return os.environ.get(_SERVICE, "assay")


def record(name: str, seconds: float, **dimensions: str) -> None:
    """Emit and trace how long a phase took that ends now: `record("fetch", 0.4)` is the metric FetchSeconds."""
    logger.debug("phase", phase=name, seconds=round(seconds, 4), **dimensions)
    measure(f"{name.title()}Seconds", round(seconds, 6), "Seconds", **dimensions)
    span(name, seconds, dimensions)


@contextmanager
def phase(name: str, **dimensions: str) -> Iterator[None]:
    """Time what happens inside and record it, also when it fails."""
    started = time.perf_counter()
    try:
        yield
    finally:
        record(name, time.perf_counter() - started, **dimensions)


def count_scored(sequences: int) -> None:
    """Count sequences that were scored."""
    measure("SequencesScored", sequences)


def count_rejected(reasons: Mapping[str, int]) -> None:
    """Count records that were rejected, by reason."""
    for reason, count in reasons.items():
        measure("RecordsRejected", count, reason=reason)


def record_failure(message: str, error: BaseException) -> None:
    """Log an error that nobody foresaw by its kind and place. Its own words may quote the input, so they stay out."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    logger.error(message, kind=type(error).__name__, places=places[-8:])


def observe(
    handler: Callable[[dict[str, Any], Any], Result],
) -> Callable[[dict[str, Any], Any], Result]:
    """Wrap a Lambda handler: its log lines carry the ids of function call, API request and job.

    A line at its end has them too, with the seconds that it took and all that was measured.
    """

    @functools.wraps(handler)
    def wrapper(event: dict[str, Any], context: Any) -> Result:
        logger.keys = {"cold_start": _fresh, **_describe(context), **_ids(event)}
        with _collect():
            _count_cold_start()
            return handler(event, context)

    return wrapper


@contextmanager
def _collect() -> Iterator[None]:
    """Collect what a call measures, and write it at the call's end."""
    lines, started = [_Line({"service": _service()})], time.perf_counter()
    token = _lines.set(lines)
    try:
        yield
    finally:
        _lines.reset(token)
        if not _is_silent():
            ids = {name: logger.keys[name] for name in _IDS if name in logger.keys}
            lines[0].write(**ids, seconds=round(time.perf_counter() - started, 4))
            for each in lines[1:]:
                each.write(**ids)


def _describe(context: Any) -> dict[str, object]:
    """Return what Lambda says of the call, under the names that Powertools gives it."""
    return {
        "function_name": context.function_name,
        "function_memory_size": context.memory_limit_in_mb,
        "function_arn": context.invoked_function_arn,
        "function_request_id": context.aws_request_id,
    }


def _ids(event: Mapping[str, Any]) -> dict[str, str]:
    request = (event.get("requestContext") or {}).get("requestId")
    found = {"request_id": request, "job_id": event.get("job_id")}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _count_cold_start() -> None:
    global _fresh  # an environment is fresh once, whatever is made or dropped in it
    fresh, _fresh = _fresh, False
    if fresh and _service() not in _UNCOUNTED:
        measure("ColdStarts", 1)
