"""The notebooks, run cell after cell against the local service, and kept without outputs.

They run in a plain interpreter, in some seconds. `make test-notebooks` runs them as Jupyter does, in its kernel.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.running import ROOT, SECONDS, Service
from tests.e2e.test_readme import SOURCES

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROMISED = {
    "rank_a_library": [
        "'received': 121",
        "'rejected': 1",
        "of 40 designs rank above their scramble",
        "stability-trypsin",
    ],
    "classify_a_reading_list": ["'classified': 4, 'rejected': 1", "read these yourself:", "the same labels: True"],
}
"""What the output of each must hold."""
JUPYTER = ROOT / ".venv-notebooks" / "bin" / "python"
EXECUTE = "import nbclient, nbformat, sys; nbclient.NotebookClient(nbformat.read(sys.argv[1], 4)).execute()"


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


def environment(service: Service) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": SOURCES, "NO_PROXY": "127.0.0.1", "ASSAY_URL": service.url}


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(PROMISED)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_kept_without_outputs(path: Path) -> None:
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert len({cell["id"] for cell in cells(path)}) == len(cells(path))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_run(path: Path, service: Service, tmp_path: Path) -> None:
    code = "\n".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(service),
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [text for text in PROMISED[path.stem] if text not in done.stdout] == []


@pytest.mark.slow
@pytest.mark.skipif(not JUPYTER.exists(), reason="needs `make test-notebooks`")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_run_in_jupyters_kernel(path: Path, service: Service, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(JUPYTER), "-c", EXECUTE, str(path)], cwd=tmp_path, env=environment(service),
        capture_output=True, text=True, timeout=2 * SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not JUPYTER.exists(), reason="needs `make test-notebooks`")
def test_rows_become_a_real_frame(service: Service, tmp_path: Path) -> None:
    code = (
        "import sys; from assay.client import Assay; from tests.e2e.samples import CSV\n"
        "found = Assay(sys.argv[1]).rank(CSV, threshold=-1000).to_frame()\n"
        "print(*found.columns); print(found.dtypes['score'], len(found), found['score'].is_monotonic_decreasing)"
    )
    done = subprocess.run(
        [str(JUPYTER), "-c", code, service.url], cwd=tmp_path, env=environment(service),
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    columns, kinds = done.stdout.strip().splitlines()
    assert columns.startswith("rank sequence score gate line id")
    assert "note" in columns.split()
    assert kinds == "float64 3 True"
