"""`make mutants`: break one thing at a time, run the nearest tests, and list what none of them noticed.

Each mutant is tried in a copy of the tree. A survivor that changes nothing that can be seen is listed in
`equivalents.txt` with its reason; any other is a test that is missing. The exit status is 1 below 95% killed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant, code, sample
from tests.mutation.subjects import SUBJECTS, Subject

_ROOT = Path(__file__).resolve().parents[2]
_EQUIVALENTS = Path(__file__).with_name("equivalents.txt")
_WANTED = 0.95
_SPARE_SECONDS = 30.0


@dataclass(frozen=True)
class Tried:
    """A mutant and whether a test noticed; `text` is the line that was changed."""

    mutant: Mutant
    killed: bool
    text: str

    @property
    def key(self) -> str:
        """The name under which an equivalent mutant is listed."""
        return f"{self.mutant.module} | {self.mutant.operator.partition('/')[2]} | {self.text}"


class Trees:
    """Copies of the tree, one a worker, in which mutants are tried."""

    def __init__(self, folder: Path, count: int, python: Path) -> None:
        self._python = python
        self._free: SimpleQueue[Path] = SimpleQueue()
        for number in range(count):
            self._free.put(_copy(folder / str(number)))

    def run(self, tests: tuple[str, ...], seconds: float | None, mutant: Mutant | None = None) -> bool:
        """Run tests in a tree, with a mutant in it; whether all passed within the time."""
        tree = self._free.get()
        try:
            if mutant is None:
                return self._passes(tree, tests, seconds)
            module = tree / mutant.module
            before = module.read_text("utf-8")
            module.write_text(code(tree, mutant) or before, "utf-8")
            try:
                return self._passes(tree, tests, seconds)
            finally:
                module.write_text(before, "utf-8")
        finally:
            self._free.put(tree)

    def _passes(self, tree: Path, tests: tuple[str, ...], seconds: float | None) -> bool:
        path = os.pathsep.join(str(tree / each) for each in ("functions", "layers/assay/python", "."))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [str(self._python), "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests]
        try:
            done = subprocess.run(
                command,
                cwd=tree,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def main() -> int:
    """Try so many mutants of each subject; print a table and the survivors."""
    parser = argparse.ArgumentParser(prog="make mutants", description="mutation testing")
    parser.add_argument("--mutants", type=int, default=12, help="of each subject (default 12)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--subject", choices=SUBJECTS, action="append", help="default: all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--python", type=Path, default=Path(".venv/bin/python"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trees = Trees(Path(folder), asked.workers, asked.python.absolute())
        tried = [
            each
            for name in asked.subject or SUBJECTS
            for each in _try_subject(trees, name, SUBJECTS[name], asked.mutants, asked.seed, asked.workers)
        ]
    return _conclude(tried)


def _try_subject(trees: Trees, name: str, subject: Subject, count: int, seed: int, workers: int) -> Iterator[Tried]:
    began = time.monotonic()
    if not trees.run(subject.tests, None):
        raise SystemExit(f"{name}: its tests fail without a mutant")
    limit = 5 * (time.monotonic() - began) + _SPARE_SECONDS
    mutants = sample(_ROOT, subject.modules, count, seed)
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(lambda mutant: _try(trees, subject, limit, mutant), mutants))
    killed = sum(each.killed for each in found)
    print(f"{name:10} {len(found):4} mutants, {killed:4} killed, {time.monotonic() - began:5.0f} s", flush=True)
    yield from found


def _try(trees: Trees, subject: Subject, limit: float, mutant: Mutant) -> Tried:
    lines = (_ROOT / mutant.module).read_text("utf-8").splitlines()
    return Tried(mutant, not trees.run(subject.tests, limit, mutant), lines[mutant.line - 1].strip())


def _conclude(tried: list[Tried]) -> int:
    listed = {line.rpartition(" | ")[0] for line in _EQUIVALENTS.read_text("utf-8").splitlines() if " | " in line}
    survivors = [each for each in tried if not each.killed]
    excused = [each for each in survivors if each.key in listed]
    share = (len(tried) - len(survivors)) / max(1, len(tried) - len(excused))
    for each in survivors:
        word = "equivalent" if each in excused else "SURVIVED"
        print(f"  {word}  {each.mutant.module}:{each.mutant.line}  {each.mutant.operator}  {each.text}")
    print(f"{len(tried)} mutants, {len(survivors)} survived, {len(excused)} of them equivalent: {share:.1%} killed")
    return 0 if share >= _WANTED else 1


def _copy(target: Path) -> Path:
    """Copy what git knows of the tree, changes included."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    for name in names:
        if name and (_ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(_ROOT / name, target / name)
    return target


if __name__ == "__main__":
    sys.exit(main())
