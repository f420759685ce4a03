"""What was logged and measured, in tests that capture it."""

import json
from typing import Any

import pytest


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines written since the last call: log lines and metrics, each one JSON object."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the last value of each metric among lines, by name."""
    last: dict[str, Any] = {}
    for line in found:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            for name in (each["Name"] for each in directive["Metrics"]):
                last[name] = line[name][-1] if isinstance(line[name], list) else line[name]
    return last
