"""Ways to do one thing, each in a separate process: they share no libraries, threads or memory.

A process is `python -m benchmarks.peers.contestant WAY FOLDER THREADS`. It says when its first answer is there, then
reads tasks as JSON lines and answers each with its seconds. A note tells of a way whose libraries are not installed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
PEERS: Final = ROOT / ".venv-peers/bin/python"
_PATHS: Final = ("functions", "layers/assay/python", ".")
SETTLE: Final = 0.03
"""Seconds in which the threads of an earlier run stop spinning."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run gave: seconds of the work alone, the output, and the process's peak memory in MB."""

    seconds: float
    output: Any
    megabytes: float


class Missing(Exception):
    """A way that cannot run here; the text says why."""


class Way:
    """One contestant's process; `start_seconds` is from process start to its first answer."""

    def __init__(self, name: str, folder: Path, threads: int, python: str | None = None) -> None:
        command = [python or interpreter(), "-m", "benchmarks.peers.contestant", name, str(folder), str(threads)]
        began = time.perf_counter()
        self.name = name
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=contest_environment(threads),
            cwd=ROOT,
        )
        try:
            self.about = self._read_line()
        except Missing:
            self.close()
            raise
        self.start_seconds = time.perf_counter() - began

    def run(self, task: Mapping[str, Any]) -> RunResult:
        """Do a task once."""
        assert self._process.stdin is not None
        time.sleep(SETTLE)
        print(json.dumps(task), file=self._process.stdin, flush=True)
        return RunResult(**self._read_line())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def _read_line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._said.seek(0)
            raise Missing(f"{self.name} ended with status {status}: {self._said.read()[-500:].strip()}")
        said: dict[str, Any] = json.loads(line)
        if "missing" in said:
            raise Missing(said["missing"])
        return said


def interpreter() -> str:
    """Return the Python of the peers' environment where `make peers` made one, else this one."""
    chosen = os.environ.get("ASSAY_PEERS_PYTHON")
    return chosen or (str(PEERS) if PEERS.exists() else sys.executable)


def contest_environment(threads: int) -> dict[str, str]:
    """Return the variables of a contestant's process: where the sources are, how many threads, no chatter."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in _PATHS),
        "OMP_NUM_THREADS": str(threads),
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
        "POWERTOOLS_METRICS_DISABLED": "true",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_USE_LEGACY_KERAS": "1",
    }


def draw_by_peers(folder: Path, **given: Any) -> bool:
    """Draw a plot into a folder by the peers' Python (see `benchmarks.plots`); False where it has no matplotlib."""
    command = [interpreter(), "-m", "benchmarks.plots", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=contest_environment(1), input=json.dumps(given), text=True, check=False
    )
    return done.returncode == 0


@contextmanager
def start_ways(names: Sequence[str], folder: Path, threads: int) -> Iterator[tuple[dict[str, Way], dict[str, str]]]:
    """Start the ways one after the other; give those that run, and why the others do not."""
    with ExitStack() as stack:
        ways: dict[str, Way] = {}
        absent: dict[str, str] = {}
        for name in names:
            try:
                ways[name] = Way(name, folder, threads)
                stack.callback(ways[name].close)
            except Missing as error:
                absent[name] = str(error)
        yield ways, absent
