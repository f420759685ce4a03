"""Lines of JSON: of the level asked for, with keys and time, and each in one piece beside other writers."""

import json
from datetime import datetime
from typing import Any

import pytest

from assay.telemetry import LEVELS, JsonLogger


class Pieces:
    """A stream that keeps what each write gave it."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


def make(level: str) -> tuple[JsonLogger, list[str]]:
    stream: Any = Pieces()
    logger = JsonLogger("s", stream)
    logger.set_level(level)
    return logger, stream.written


@pytest.mark.parametrize("level", [*LEVELS, "nonsense", "debug"])
def test_only_lines_of_the_level_and_above_are_written(level: str) -> None:
    logger, written = make(level)
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)("m")
    least = LEVELS.get(level.upper(), LEVELS["INFO"])
    assert [json.loads(each)["level"] for each in written] == [
        name for name in ("DEBUG", "INFO", "WARNING", "ERROR") if LEVELS[name] >= least
    ]


def test_a_line_says_who_where_when_and_what_in_one_piece() -> None:
    logger, written = make("INFO")
    logger.append_keys(request_id="r")
    logger.info("a\nb", place={1, 2}, odd=b"x")
    [line] = written
    assert line.endswith("\n")
    assert line.count("\n") == 1
    found = json.loads(line)
    assert (found["service"], found["message"], found["request_id"]) == ("s", "a\nb", "r")
    assert found["location"].startswith("test_a_line_says_who_where_when_and_what_in_one_piece:")
    assert datetime.strptime(found["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z").tzinfo


def test_the_environment_says_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "ERROR")
    monkeypatch.delenv("POWERTOOLS_LOG_LEVEL", raising=False)
    assert JsonLogger("s").level == LEVELS["ERROR"]
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "debug")
    assert JsonLogger("s").level == LEVELS["DEBUG"]
