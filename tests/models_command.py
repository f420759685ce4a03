"""`assay models`, called as a shell does."""

from collections.abc import Sequence

from tools.cli.main import main as assay


def main(arguments: Sequence[str]) -> int:
    """Run a command of `assay models`; return its exit status."""
    return assay(["models", *arguments])
