"""The files that a command names: expand patterns, and process each file by itself."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from glob import glob, has_magic
from pathlib import Path
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from assay.errors import AssayError
from tools.batch.workers import Lost
from tools.cli.output import report_failure
from tools.terminal import explain

Found = TypeVar("Found")


def expand(names: Sequence[str]) -> list[str]:
    """Return the names with the patterns among them (`*.pdf`, where no shell has done it) replaced by what fits."""
    found: list[str] = []
    for name in names:
        pattern = has_magic(name) and "://" not in name and not Path(name).exists()
        fits = sorted(glob(name, recursive=True)) if pattern else [name]
        if not fits:
            raise FileNotFoundError(f"no file fits {name}")
        found += fits
    return found


def each_alone(
    options: argparse.Namespace, names: Sequence[str], do: Callable[[argparse.Namespace], Found]
) -> Iterator[tuple[str, Found | None]]:
    """Do each file with the same options; yield what came of it, None where it failed, which is told.

    With several, results that are files lie in a folder of `--out` for each, named like its file.
    """
    for name, folder in zip(names, _folders(names), strict=True):
        alone = copy(options)
        alone.file = name
        alone.out = options.out / folder if options.out and len(names) > 1 else options.out
        try:
            yield name, do(alone)
        except (BrokenPipeError, KeyboardInterrupt):
            raise
        except known_errors() as error:
            report_failure(explain(error) if len(names) == 1 else f"{name}: {explain(error)}")
            yield name, None


def known_errors() -> tuple[type[Exception], ...]:
    """Return the errors that a command tells in one line."""
    return (AssayError, OSError, BotoCoreError, ClientError, RuntimeError, Lost)


def _folders(names: Sequence[str]) -> Iterator[str]:
    """Yield a folder's name for each file, like its own, and different from those before."""
    taken: set[str] = set()
    for name in names:
        plain = Path(name).name or "input"
        folder, at = plain, 1
        while folder in taken:
            at += 1
            folder = f"{plain}-{at}"
        taken.add(folder)
        yield folder
