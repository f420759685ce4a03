"""`assay demo`: the main job, shown and checked."""

import sys
from pathlib import Path

from tools.demo.checks import DemoFailed
from tools.demo.run import run


def demo(folder: Path) -> int:
    """Run the demo; 0 only if everything came out as expected."""
    try:
        run(folder)
    except DemoFailed as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    return 0
