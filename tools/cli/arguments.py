"""Arguments that several commands share, and the request options that they mean."""

import argparse
from pathlib import Path
from typing import Any, Final

STATUS: Final = "exit status: 0 done; 1 it failed, or nothing could be read; 2 the command line was not understood"


def add_service(command: argparse.ArgumentParser, what: str) -> None:
    """Add --url and --api-key to a command."""
    command.add_argument("--url", help=what)
    key = "its API key, where it wants one (default: the variable ASSAY_API_KEY)"
    command.add_argument("--api-key", "--key", dest="key", metavar="KEY", help=key)


def add_where(command: argparse.ArgumentParser) -> None:
    """Add where a command computes: by a service, or here with a folder of models."""
    add_service(command, "a running service to ask instead, e.g. http://127.0.0.1:3000")
    command.add_argument("--models", type=Path, help="folder of model bundles (default: those that ship)")


def ranking_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the ranking itself by the names that the service has for them; unset ones left out."""
    given = {name: getattr(options, name) for name in RANKING_OPTIONS}
    return {name: value for name, value in given.items() if value is not None}


RANKING_OPTIONS = (
    *("top_k", "threshold", "strict", "column", "window", "step", "output", "gate"),
    *("score_model", "gate_model", "terminator", "gaps", "pad"),
)


def classification_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the classification by the names that the service has for them; unset ones left out."""
    given = {name: getattr(options, name) for name in ("threshold", "top_k", "column", "explain")}
    return {name: value for name, value in given.items() if value is not None}
