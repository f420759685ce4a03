"""Every benchmark at its smallest size, without its peers, so that each keeps working."""

import os
import subprocess
import sys

import pytest

from benchmarks.__main__ import PROGRAMS
from benchmarks.contest import contest_environment
from benchmarks.rank import GATE
from tests.e2e.running import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "models" / GATE).is_dir(), reason="needs the default models"),
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_benchmark_runs_without_its_peers(program: str) -> None:
    variables = {**contest_environment(2), "ASSAY_PEERS_PYTHON": sys.executable}
    command = [sys.executable, "-m", f"benchmarks.{program}", "--size", "smoke"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "| --- |" in done.stdout
