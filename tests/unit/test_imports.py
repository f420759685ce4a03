"""What a cold start imports: a budget of modules for each function, and nothing that its first request may not need.

Modules are counted instead of seconds, which a busy machine decides. A module more costs a cold start 0.3 to 0.6 ms.
"""

import os
import subprocess
import sys

import pytest

from tests.unit.templates import ROOT, functions, handler

LATER = {
    "ai_edge_litert", "awscrt", "boto3", "multipart", "pyarrow", "pydantic", "pypdfium2", "sklearn", "tensorflow",
    "tokenizers", "torch", "transformers", "unittest", "yaml",
}  # fmt: skip
API_LATER = {"assay.jobs.environment", "assay.papers.abstract", "aws_lambda_powertools", "urllib3", "asyncio"}
"""What the first answer of an API that scores does without."""
BUDGET = {"rank.api": 350, "classify.api": 350}
"""317 and 318 with Python 3.11; other Pythons split their own modules otherwise."""
OTHERS = 610
ENVIRONMENT = {f"ASSAY_{name}": "x" for name in ("MODELS_BUCKET", "RESULTS_BUCKET", "UPLOADS_BUCKET", "STATE_TABLE")}


@pytest.mark.parametrize("module", sorted({handler(each).rpartition(".")[0] for each in functions().values()}))
def test_a_function_imports_no_more_than_its_first_request_needs(module: str) -> None:
    paths = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/assay/python"))
    found = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        env={**os.environ, **ENVIRONMENT, "ASSAY_PRELOAD": "0", "PYTHONPATH": paths},
        capture_output=True, text=True, check=True, timeout=120,
    ).stdout.split()  # fmt: skip
    later = LATER if module in BUDGET else LATER - {"boto3"}
    assert {name.partition(".")[0] for name in found} & later == set()
    assert len(found) <= BUDGET.get(module, OTHERS)
    if module in BUDGET:
        assert set(found) & API_LATER == set()
    if module.startswith("portal"):
        assert "numpy" not in found
