"""`make mutants`: break one thing at a time, run the nearest tests, and list what no test noticed.

Each mutant is tried in a copy of the tree. A survivor that changes nothing that can be seen is listed in
`equivalents.txt` with its reason; any other is a test that is missing. The exit status is 1 where fewer than the wanted
share of the others is killed.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.mutation.mutants import Mutant, sample
from tests.mutation.subjects import SUBJECTS
from tests.mutation.trees import ROOT, Reach, Tree, Trees

_EQUIVALENTS = Path(__file__).with_name("equivalents.txt")


@dataclass(frozen=True)
class Tried:
    """A mutant and whether a test noticed."""

    mutant: Mutant
    killed: bool
    seconds: float


def main() -> int:
    """Try so many mutants of each subject; print a table and the survivors."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        trees = Trees(Path(folder), asked.workers, asked.python.absolute())
        try:
            with ThreadPoolExecutor(asked.workers) as pool:
                work = partial(_try_subject, trees, count=asked.mutants, seed=asked.seed)
                tried = [each for found in pool.map(work, asked.subject or SUBJECTS) for each in found]
        finally:
            trees.close()
    return 0 if _conclude(tried) >= asked.wanted else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description="mutation testing")
    parser.add_argument("--mutants", type=int, default=12, help="of each subject (default 12)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wanted", type=float, default=0.95, help="share that must be killed (default 0.95)")
    parser.add_argument("--subject", choices=SUBJECTS, action="append", help="default: all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--python", type=Path, default=Path(".venv/bin/python"))
    return parser.parse_args()


def _try_subject(trees: Trees, name: str, *, count: int, seed: int) -> list[Tried]:
    subject, began = SUBJECTS[name], time.monotonic()
    with trees.lend() as tree:
        reach = tree.trace(subject.tests, subject.modules)
        if reach is None:
            raise SystemExit(f"{name}: its tests fail without a mutant")
        traced = time.monotonic() - began
        tried = [_try(tree, mutant, reach) for mutant in sample(ROOT, subject, count, seed)]
    killed, each = sum(one.killed for one in tried), sum(one.seconds for one in tried) / max(1, len(tried))
    print(
        f"{name:12} {len(tried):4} mutants, {killed:4} killed, {each:5.1f} s each after {traced:3.0f} s; "
        f"tests take {sum(reach.tests.values()):.0f} s",
        *(f"  survived  {_told(one.mutant)}" for one in tried if not one.killed),
        sep="\n",
        flush=True,
    )
    return tried


def _try(tree: Tree, mutant: Mutant, reach: Reach) -> Tried:
    began = time.monotonic()
    killed = tree.kills(mutant, reach)
    return Tried(mutant, killed, time.monotonic() - began)


def _conclude(tried: Sequence[Tried]) -> float:
    """Print the survivors; return the share that is killed of those that are not listed as equivalent."""
    listed = {line.rpartition(" | ")[0] for line in _EQUIVALENTS.read_text("utf-8").splitlines() if " | " in line}
    survivors = [each.mutant for each in tried if not each.killed]
    excused = [mutant for mutant in survivors if mutant.key in listed]
    share = (len(tried) - len(survivors)) / max(1, len(tried) - len(excused))
    for mutant in survivors:
        if mutant not in excused:
            print(f"NO TEST NOTICES  {_told(mutant)}")
    print(f"{len(tried)} mutants, {len(survivors)} survived, {len(excused)} of them equivalent: {share:.1%} killed")
    return share


def _told(mutant: Mutant) -> str:
    return f"{mutant.module}:{mutant.line}  {mutant.operator} {mutant.occurrence}  {mutant.text}"


if __name__ == "__main__":
    sys.exit(main())
