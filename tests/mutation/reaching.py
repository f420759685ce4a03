"""Plugins of pytest: which lines of some modules each test reaches, and some tests in a given order."""

import sys
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest


class Reaching:
    """Notes the tests that reach each line: `reached["module:line"]` are node ids, the quickest first."""

    def __init__(self, root: Path, modules: Sequence[str]) -> None:
        """Watch modules, relative to the root."""
        self._names = {str(root / module): module for module in modules}
        self._seen: set[tuple[str, int]] = set()
        self._found: list[tuple[float, str, set[tuple[str, int]]]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Trace a test with its fixtures."""
        self._seen, began = set(), time.process_time()
        threading.settrace(self._call)
        sys.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self._found.append((time.process_time() - began, item.nodeid, self._seen))

    def _call(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename in self._names else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        self._seen.add((self._names[frame.f_code.co_filename], frame.f_lineno))
        return self._line

    @property
    def tests(self) -> dict[str, float]:
        """Seconds of the processor by test, the quickest first."""
        return {name: seconds for seconds, name, _ in sorted(self._found, key=lambda each: each[:2])}

    @property
    def reached(self) -> dict[str, list[str]]:
        """Node ids by line."""
        found: dict[str, list[str]] = {}
        for _, name, lines in sorted(self._found, key=lambda each: each[:2]):
            for module, line in lines:
                found.setdefault(f"{module}:{line}", []).append(name)
        return found


class Chosen:
    """Runs these tests alone, in their order."""

    def __init__(self, tests: Sequence[str]) -> None:
        """Take node ids."""
        self._places = {test: at for at, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._places), key=lambda item: self._places[item.nodeid]
        )
