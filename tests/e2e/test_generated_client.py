"""A Python client made from the description by openapi-python-client: every module imports, and its calls work.

Skipped where `make test-clients` has not installed the generator, which has a separate environment.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.running import ROOT, Service
from tests.e2e.samples import OTHER

VENV = ROOT / ".venv-clients" / "bin"
CALLS = Path(__file__).parent / "generated_calls.py"

pytestmark = pytest.mark.skipif(not (VENV / "openapi-python-client").exists(), reason="needs `make test-clients`")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a generated client."""
    folder = tmp_path_factory.mktemp("generated") / "client"
    description = ROOT / "functions" / "portal" / "openapi.json"
    done = subprocess.run(
        [str(VENV / "openapi-python-client"), "generate", "--path", str(description), "--output-path", str(folder)],
        env={**os.environ, "PATH": f"{VENV}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_generated_client_imports_whole_and_its_calls_work(generated: Path, service: Service) -> None:
    done = subprocess.run(
        [str(VENV / "python"), str(CALLS), str(generated), service.url],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("modules") > 100
    good = {"health": "ok", "ranked": OTHER, "labels": 18, "infer": "stability-trypsin"}
    assert found == {**good, "missing": "not_found", "upload": True}
