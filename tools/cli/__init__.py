"""The command line: `assay`, or `python -m tools`."""

from tools.cli.main import main

__all__ = ["main"]
