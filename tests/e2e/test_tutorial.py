"""The blocks of docs/tutorial.md and docs/client.md, run one after another, word by word, against the local service."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.running import ROOT, SECONDS, Service
from tests.e2e.samples import FASTA
from tests.e2e.test_readme import ADDRESS, SOURCES

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")]

BLOCK = re.compile(r"```(sh|python|r)\n(.*?)```", re.DOTALL)
ELSEWHERE = ("make up", "make wheel")
"""Commands that other tests run: the service that runs here, the wheel of tests/unit/client."""
RUN = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"], "r": ["Rscript", "-e"]}


def blocks(page: str, *languages: str) -> list[tuple[str, str]]:
    """Return the blocks of a page that can be run here, with their language."""
    found = BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))
    return [(kind, text) for kind, text in found if kind in languages and not text.startswith(ELSEWHERE)]


def run(kind: str, block: str, folder: Path, service: Service) -> str:
    """Run a block against the service on its own port; return what it printed."""
    script = block.replace(ADDRESS, service.url).replace(".venv/bin/assay", f"{sys.executable} -m tools")
    environment = {**os.environ, "PYTHONPATH": SOURCES, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [*RUN[kind], script], cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_first_hour(service: Service, tmp_path: Path) -> None:
    printed = [run(kind, block, tmp_path, service) for kind, block in blocks("tutorial.md", "sh", "python")]
    first, windows, files, client, papers = printed
    assert "5 received, 2 scored, 1 passed, 1 returned, 3 rejected" in first
    assert "window=50 ranks each stretch" in first
    assert "'X' at position 31" in first
    assert "ubiquitin/2-51" in windows
    assert files.count("\n") > 3
    assert "['design']" in client
    assert "3 received, 2 classified, 1 rejected" in papers


def test_the_clients_page(service: Service, tmp_path: Path) -> None:
    (tmp_path / "designs.fasta").write_bytes(FASTA)
    first, second = (run(kind, block, tmp_path, service) for kind, block in blocks("client.md", "python"))
    assert first.startswith("1 other ")
    assert first.splitlines()[-1] == "['cs', 'math']"
    assert second.strip() == "[3, 3]"


def test_the_snippet_in_r(service: Service, tmp_path: Path) -> None:
    if (
        not shutil.which("Rscript")
        or subprocess.run(["Rscript", "-e", "library(httr2)"], capture_output=True).returncode
    ):
        pytest.skip("needs R with httr2")
    (tmp_path / "designs.fasta").write_bytes(FASTA)
    [(kind, block)] = blocks("client.md", "r")
    assert "other" in run(kind, block, tmp_path, service)
