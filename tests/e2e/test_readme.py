"""The blocks of README.md and docs/usage.md that call the local service or the command line, run word by word."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import ROOT, SECONDS, Service

SHOWN = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/usage.md"))
BLOCKS = re.findall(r"```sh\n(.*?)```", SHOWN, re.DOTALL)
SOURCES = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/assay/python", "."))
ADDRESS = "http://127.0.0.1:3000"

pytestmark = pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")


def run(block: str, folder: Path, service: Service) -> list[str]:
    """Run a block against the service on its own port; return what each line of it printed, in order."""
    script = block.replace(ADDRESS, service.url).replace(".venv/bin/assay", f"{sys.executable} -m tools")
    script = re.sub(r"^curl ", "curl -sS --fail-with-body -w '\\\\n' ", script, flags=re.MULTILINE)
    environment = {**os.environ, "PYTHONPATH": SOURCES, "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()


def block_with(text: str) -> str:
    """Return the one block that holds a text."""
    (found,) = [block for block in BLOCKS if text in block]
    return str(found)


def shape(value: Any) -> Any:
    """Return JSON with its numbers to three places: processors differ in the last ones."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, float):
        return round(value, 3)
    return [shape(each) for each in value] if isinstance(value, list) else value


def test_one_request_for_each_job(service: Service, tmp_path: Path) -> None:
    ranking, classification = map(json.loads, run(block_with('{"sequences"'), tmp_path, service))
    assert ranking["counts"]["passed"] == 1
    assert classification["results"][0]["labels"]


def test_a_file_is_answered_as_shown(service: Service, tmp_path: Path) -> None:
    (line,) = run(block_with("cat > designs.fasta"), tmp_path, service)
    (shown,) = re.findall(r"```json\n(.*?)```", SHOWN, re.DOTALL)
    found = json.loads(line)
    assert len(found.pop("histograms")) == 3  # which would fill a screen
    assert shape(found) == shape(json.loads(shown))


def test_the_old_contracts_and_the_command_line(service: Service, tmp_path: Path) -> None:
    made = block_with("cat > designs.fasta").partition("curl")[0]
    sequence, _, scores = run(made + block_with("/file_data"), tmp_path, service)
    assert sequence in made
    assert len(json.loads(scores)["predictions"][0]) == 18
    printed = "\n".join(run(block_with("assay rank designs.fasta --top-k"), tmp_path, service))
    assert sequence in printed
    assert "█" in printed or "#" in printed


def test_the_command_line_and_a_service_agree(service: Service, tmp_path: Path) -> None:
    made = block_with("cat > designs.fasta").partition("curl")[0]
    here = run(made + block_with("--out results"), tmp_path, service)
    there = run(block_with("--out by-service"), tmp_path, service)
    assert there[0] == "rank,sequence,score,gate,line,id,description,probability,percentile,notice"
    assert there[1].split(",")[1] in "".join(here)
    assert {path.name for path in (tmp_path / "by-service").iterdir()} == {
        "ranking.csv",
        "rejected.csv",
        "ranking.json",
    }
    assert here[-18:] == there[-18:]


def test_python_asks_for_both_jobs(service: Service, tmp_path: Path) -> None:
    run(block_with("cat > designs.fasta").partition("curl")[0], tmp_path, service)
    (snippet,) = re.findall(r"```python\n(.*?)```", SHOWN, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", snippet.replace(ADDRESS, service.url)],
        cwd=tmp_path, env={**os.environ, "NO_PROXY": "127.0.0.1", "PYTHONPATH": SOURCES},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ranked, labels = done.stdout.strip().splitlines()
    assert "'design'" in ranked
    assert labels.startswith("[")
