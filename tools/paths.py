"""Where this clone lies, and its import path."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("functions", "layers/assay/python")


def add_sources(root: Path) -> None:
    """Put the functions and the shared package on the import path, before anything else."""
    sys.path[:0] = [path for path in (str(root / source) for source in SOURCES) if path not in sys.path]
