"""The workflow of docs/models.md: its last step, run against the local service, makes a bundle serve."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.running import ROOT, SECONDS, Service

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("make"), reason="needs make")]


def test_the_last_step_publishes_the_newest_bundle(service: Service, tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(name: publish.*?)```", (ROOT / "docs" / "models.md").read_text("utf-8"), re.DOTALL)
    workflow: dict[str, Any] = yaml.safe_load(block)
    step = str(workflow["jobs"]["publish"]["steps"][-1]["run"])
    newest = max((ROOT / "models" / "stability-trypsin").glob("*/manifest.json")).parent
    for version in ("9", "10"):
        folder = tmp_path / "models" / "my-score" / version
        shutil.copytree(newest, folder)
        manifest = (folder / "manifest.json").read_text("utf-8")
        renamed = re.sub(r'"version": "[^"]+"', f'"version": "{version}"', manifest, count=1)
        (folder / "manifest.json").write_text(renamed.replace('"stability-trypsin"', '"my-score"', 1), "utf-8")
    command = step.replace("make ", f"make -f {ROOT}/Makefile -o .venv/.local PY={sys.executable} ")
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "any")
    paths = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/assay/python", "."))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{command} ENDPOINT={service.endpoint}"],
        cwd=tmp_path, env={**os.environ, **keys, "PYTHONPATH": paths, "NO_PROXY": "127.0.0.1"},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    reply = service.post("/rank", params={"score_model": "my-score"}, json={"sequences": ["A" * 50]}).json()
    assert reply["models"]["score"] == {"name": "my-score", "version": "10"}
