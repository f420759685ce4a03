"""The snippets of docs/api.md, run word by word against the service."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.running import ROOT, SECONDS, Service
from tests.e2e.samples import DESIGN, FASTA

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:3000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "designs.fasta").write_bytes(FASTA)
    return tmp_path


def run(arguments: list[str], folder: Path) -> str:
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "KEY": ""}
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")
def test_curl(service: Service, folder: Path) -> None:
    [block] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    run(["bash", "-euo", "pipefail", "-c", block.replace(ADDRESS, service.url).replace("curl", "curl -sSf")], folder)
    rows = (folder / "ranking.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "rank,sequence,score,gate,line,id,description,probability,percentile,notice"
    assert DESIGN in rows[1] + rows[2]


def test_python(service: Service, folder: Path) -> None:
    program = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)).replace(ADDRESS, service.url)
    lines = run([sys.executable, "-c", program], folder).splitlines()
    assert lines[0].split()[:2] in (["1", "design"], ["1", "other"])
    assert lines[-1].startswith("SUCCEEDED")
    assert "ranking.csv" in lines[-1]
