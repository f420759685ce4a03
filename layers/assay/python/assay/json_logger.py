"""A logger that writes JSON lines to standard output, as Powertools' does, whose import takes 0.04 s."""

import json
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Final, TextIO

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
        """Write lines of this level and those above; INFO where there is no such level."""
        self.level = LEVELS.get(name.upper(), LEVELS["INFO"])

    def append_keys(self, **keys: object) -> None:
        """Have each line from now on carry these too."""
        self.keys |= keys

    def debug(self, message: str, **about: object) -> None:
        """Write a line for whoever looks for a fault."""
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
