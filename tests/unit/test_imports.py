"""What a cold start imports: a budget of modules for each function, and nothing that its first request may not need.

Modules are counted instead of seconds, which a busy machine decides. A module more costs a cold start 0.3 to 0.6 ms.
"""

import os
import subprocess
import sys

import pytest

from tests.unit.templates import ROOT, functions, handler

LATER = {
    "ai_edge_litert", "awscrt", "multipart", "pyarrow", "pydantic", "pypdfium2", "sklearn", "tensorflow", "tokenizers",
    "torch", "transformers", "unittest", "yaml",
}  # fmt: skip
BUDGET = 780
"""712 with Python 3.11 for the two APIs; other Pythons split their own modules otherwise."""
ENVIRONMENT = {f"ASSAY_{name}": "x" for name in ("MODELS_BUCKET", "RESULTS_BUCKET", "UPLOADS_BUCKET", "STATE_TABLE")}


@pytest.mark.parametrize("module", sorted({handler(each).rpartition(".")[0] for each in functions().values()}))
def test_a_function_imports_no_more_than_its_first_request_needs(module: str) -> None:
    paths = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/assay/python"))
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        env={**os.environ, **ENVIRONMENT, "ASSAY_PRELOAD": "0", "PYTHONPATH": paths},
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout.split()  # fmt: skip
    assert {name.partition(".")[0] for name in found} & LATER == set()
    assert len(found) <= BUDGET
    if module.startswith("portal"):
        assert "numpy" not in found
