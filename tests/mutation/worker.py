"""`python -m tests.mutation.worker`: runs tests for mutants of the tree that it stands in, each in a separate fork.

The fork begins with what the tests import from outside of the tree, which takes longer than most tests do. A request
is a line of JSON on standard input, its answer one on standard output. Needs the environment of the tests.
"""

import json
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

_MEMORY: Final = 8 << 30
_NONE_FAILED: Final = 0
_ARGUMENTS: Final = ("-q", "-x", "-n", "0", "-p", "no:cacheprovider", "--hypothesis-profile=repeatable")
_TREE: Final = Path.cwd()


def main() -> None:
    """Answer requests until there are no more."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_trace(**asked) if "modules" in asked else _try(**asked)), file=answers, flush=True)


def _trace(tests: Sequence[str], modules: Sequence[str]) -> Mapping[str, Any] | None:
    """Run tests as they are; return their seconds and those that reach each line, None where one failed."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        fork = _fork(_run_traced, tests, modules, report)
        fork.join()
        if fork.exitcode != _NONE_FAILED:
            return None
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    for name in found.pop("imported"):
        with suppress(Exception):
            import_module(name)
    return found


def _run_traced(tests: Sequence[str], modules: Sequence[str], report: Path) -> None:
    from tests.mutation.reaching import Reaching

    reaching = Reaching(_TREE, modules)
    before = set(sys.modules)
    status = _pytest(tests, reaching)
    imported = [name for name in sys.modules if name not in before and _is_foreign(name)]
    found = {"tests": reaching.tests, "reached": reaching.reached, "imported": imported}
    report.write_text(json.dumps(found), "utf-8")
    _end(status)


def _is_foreign(name: str) -> bool:
    """Whether a module is a package's or Python's, and of no use to pytest before it begins."""
    file = getattr(sys.modules[name], "__file__", None)
    own = name.startswith(("_pytest", "pytest", "xdist"))
    return file is not None and not Path(file).is_relative_to(_TREE) and not own


def _try(tests: Sequence[str], module: str, text: str, cpu: int, seconds: float) -> bool:
    """Run tests with another text in a module, in this order; return whether all passed within both times."""
    with _changed(_TREE / module, text):
        fork = _fork(_run, tests, cpu)
        fork.join(seconds)
        passed = fork.exitcode == _NONE_FAILED
        with suppress(ProcessLookupError):
            os.killpg(fork.pid or 0, signal.SIGKILL)
        fork.join()
    return passed


@contextmanager
def _changed(path: Path, text: str) -> Iterator[None]:
    before = path.read_text("utf-8")
    try:
        _write(path, text)
        yield
    finally:
        _write(path, before)


def _write(path: Path, text: str) -> None:
    """Write a module; what was compiled of another text of the same size and second would be taken for it."""
    path.write_text(text, "utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _run(tests: Sequence[str], cpu: int) -> None:
    from tests.mutation.reaching import Chosen

    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    files = sorted({test.partition("::")[0] for test in tests})
    _end(_pytest(files, Chosen(tests)))


def _pytest(tests: Sequence[str], plugin: object) -> int:
    import pytest

    return int(pytest.main([*_ARGUMENTS, *tests], plugins=[plugin]))


def _fork(target: Any, *given: object) -> BaseProcess:
    fork = multiprocessing.get_context("fork").Process(target=_begin, args=(target, *given))
    fork.start()
    return fork


def _begin(target: Any, *given: object) -> None:
    """Join a new process group, silent."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    target(*given)


def _end(status: int) -> None:
    """End without waiting for threads that a mutant left."""
    os._exit(status)


if __name__ == "__main__":
    main()
