"""The stand-in for AWS is in no process but the local service's: neither in a command nor in its workers."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tools.paths import ROOT

STAND_IN = {"moto", "flask", "werkzeug"}
# Python runs this first in every process that is begun; a line each for the process and for what it looks for.
WATCH = """
import os, sys
def note(*words):
    with open(os.environ["WATCHED"], "a") as file:
        print(*words, file=file)
class Watch:
    def find_spec(name, path=None, target=None):
        if "." not in name:
            note("imports", name)
sys.meta_path.insert(0, Watch)
note("begins", *sys.orig_argv[1:3])
"""


def _watched(folder: Path, *command: str) -> list[str]:
    (folder / "sitecustomize.py").write_text(WATCH)
    log = folder / "watched"
    paths = os.pathsep.join(map(str, (folder, ROOT / "functions", ROOT / "layers/assay/python", ROOT)))
    environment = {**os.environ, "PYTHONPATH": paths, "WATCHED": str(log)}
    subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, check=True, capture_output=True, timeout=300
    )
    return log.read_text().splitlines()


def _imports(lines: list[str]) -> set[str]:
    return {line.removeprefix("imports ") for line in lines if line.startswith("imports ")}


def test_the_command_and_its_workers_rank_without_the_stand_in(tmp_path: Path) -> None:
    chance = random.Random(1)
    good = ["".join(chance.choices("ACDEFGHIKLMNPQRSTVWY", k=50)) for _ in range(50)]
    bad = "A" * 9999  # few lines in many bytes: two shards of 4 MiB
    lines = [*good, *[bad] * 500]
    (tmp_path / "designs.txt").write_text("\n".join(lines) + "\n")
    seen = _watched(tmp_path, "-m", "tools", "rank", "designs.txt", "--threshold=-1e9", "--processes", "2")
    assert seen.count("begins -m tools") == 1
    assert seen.count("begins -m tools.batch.worker") == 2
    assert _imports(seen) >= {"assay", "tools", "numpy"}
    assert _imports(seen) & STAND_IN == set()


def test_the_command_classifies_without_the_stand_in(tmp_path: Path) -> None:
    (tmp_path / "abstract.txt").write_text("We measure the folding of a helical bundle by temperature jumps.")
    seen = _imports(_watched(tmp_path, "-m", "tools", "classify", "abstract.txt"))
    assert seen >= {"classify", "tokenizers"}
    assert seen & STAND_IN == set()


@pytest.mark.parametrize("command", ["jobs", "check", "models"])
def test_a_command_for_a_deployment_starts_without_the_stand_in(command: str, tmp_path: Path) -> None:
    seen = _imports(_watched(tmp_path, "-m", "tools", command, "--help"))
    assert "boto3" in seen
    assert seen & STAND_IN == set()


def test_the_local_service_is_where_it_is(tmp_path: Path) -> None:
    assert _imports(_watched(tmp_path, "-c", "import tools.cli.up")) >= STAND_IN


def test_the_version_is_told_without_what_the_commands_need(tmp_path: Path) -> None:
    assert _imports(_watched(tmp_path, "-m", "tools", "--version")) & {"numpy", "boto3", "requests", "assay"} == set()
