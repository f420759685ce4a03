"""Copies of the tree in which mutants are tried, each with a process that runs tests there."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from tests.mutation.mutants import Mutant, code

ROOT: Final = Path(__file__).resolve().parents[2]
_SPARE_SECONDS: Final = 10


@dataclass(frozen=True)
class Reach:
    """Seconds of the processor by test, the quickest first, and the tests that reach each line (`module:line`)."""

    tests: Mapping[str, float]
    reached: Mapping[str, Sequence[str]]


class Tree:
    """A copy of the tree and the process that stands in it."""

    def __init__(self, folder: Path, python: Path) -> None:
        """Copy the tree; start the process, which waits."""
        self._folder = _copy(folder)
        path = os.pathsep.join(str(folder / each) for each in ("functions", "layers/assay/python", "."))
        self._process = subprocess.Popen(
            [str(python), "-m", "tests.mutation.worker"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def trace(self, tests: Sequence[str], modules: Sequence[str]) -> Reach | None:
        """Run tests without a mutant; return what they reach, None where one failed."""
        found = self._ask(tests=tests, modules=modules)
        return found and Reach(**found)

    def kills(self, mutant: Mutant, reach: Reach) -> bool:
        """Whether a test notices a mutant: those that reach its line, then all, for a cached value has one caller."""
        text = code(self._folder, mutant)
        nearest = reach.reached.get(f"{mutant.module}:{mutant.line}", [])
        return text is not None and any(
            not self._passes(mutant.module, text, tests, reach) for tests in (nearest, list(reach.tests)) if tests
        )

    def _passes(self, module: str, text: str, tests: Sequence[str], reach: Reach) -> bool:
        cpu = round(3 * sum(reach.tests[test] for test in tests)) + _SPARE_SECONDS
        return bool(self._ask(tests=tests, module=module, text=text, cpu=cpu, seconds=4 * cpu))

    def _ask(self, **asked: object) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


class Trees:
    """So many trees, lent to one thread at a time."""

    def __init__(self, folder: Path, count: int, python: Path) -> None:
        """Make them."""
        self._all = [Tree(folder / str(number), python) for number in range(count)]
        self._free: SimpleQueue[Tree] = SimpleQueue()
        for tree in self._all:
            self._free.put(tree)

    @contextmanager
    def lend(self) -> Iterator[Tree]:
        """Lend a tree; wait for one that is free."""
        tree = self._free.get()
        try:
            yield tree
        finally:
            self._free.put(tree)

    def close(self) -> None:
        """End their processes."""
        for tree in self._all:
            tree.close()


def _copy(target: Path) -> Path:
    """Copy what git knows of the tree, changes included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    return target
