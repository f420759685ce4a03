"""`python -m tools.models` is `assay models`; it works in a clone without installation."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "layers" / "assay" / "python"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status."""
    if str(SOURCES) not in sys.path:
        sys.path.insert(0, str(SOURCES))
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "ERROR")
    os.environ.setdefault("POWERTOOLS_METRICS_DISABLED", "true")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tools.models.cli import main as run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
