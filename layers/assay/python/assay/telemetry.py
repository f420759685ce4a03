"""Logs as JSON lines and metrics in CloudWatch's embedded format; neither ever carries what a user sent."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "Assay"
_SERVICE = "POWERTOOLS_SERVICE_NAME"

logger = Logger(service=os.environ.get(_SERVICE, "assay"))


def measure(name: str, value: float, unit: MetricUnit = MetricUnit.Count, **dimensions: str) -> None:
    """Emit one metric at once, outside of an invocation too; POWERTOOLS_METRICS_DISABLED silences it."""
    if os.environ.get("POWERTOOLS_METRICS_DISABLED", "").lower() in {"1", "true"}:
        return
    with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE) as metric:
        metric.add_dimension("service", os.environ.get(_SERVICE, "assay"))
        for dimension, text in dimensions.items():
            metric.add_dimension(dimension, text)


def record(name: str, seconds: float, **dimensions: str) -> None:
    """Log and emit how long a phase took: `record("fetch", 0.4, model="m")` is the metric FetchSeconds."""
    logger.info("phase", extra={"phase": name, "seconds": round(seconds, 4), **dimensions})
    measure(f"{name.title()}Seconds", seconds, MetricUnit.Seconds, **dimensions)


@contextmanager
def phase(name: str, **dimensions: str) -> Iterator[None]:
    """Time what happens inside and record it, also when it fails."""
    started = time.perf_counter()
    try:
        yield
    finally:
        record(name, time.perf_counter() - started, **dimensions)
