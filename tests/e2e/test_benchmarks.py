"""The benchmarks of large files, with a small one, and of windows, with a few."""

import os
import re
import subprocess
import sys

import pytest

from benchmarks.rank import GATE
from tests.e2e.running import ROOT
from tools.models.shipped import newest

CLASSIFIER = "arxiv-archives"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / "models" / GATE).is_dir(), reason="needs the default models"),
]


def test_windows_by_a_scan_rank_as_one_by_one() -> None:
    path, tiny = os.pathsep.join(str(ROOT / part) for part in ("layers/assay/python", ".")), "tests/data/tiny-scan/1"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.windows", tiny, tiny, "--size", "smoke"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\| (.+?) \|", done.stdout, re.MULTILINE)[2:] == ["shipped pair", "one by one", "scan"]


def test_texts_side_by_side_have_the_bits_of_one_by_one() -> None:
    path, bundle = (
        os.pathsep.join(str(ROOT / part) for part in ("layers/assay/python", ".")),
        newest(ROOT / "models", CLASSIFIER),
    )
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.side_by_side", str(bundle), "--size", "smoke", "--threads", "2"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\| (\d+) \|", done.stdout, re.MULTILINE) == ["8", "16"]


def test_a_file_through_the_machine_is_what_one_pass_gives() -> None:
    path = os.pathsep.join(str(ROOT / part) for part in ("functions", "layers/assay/python", "."))
    given = ("--sequences", "25000", "--shard-megabytes", "1", "--at-once", "2")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.large_file", *given],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "identical: yes" in done.stdout
    calls = dict(re.findall(r"^(Rank\w+Function) +(\d+) ", done.stdout, re.MULTILINE))
    assert list(calls.values()) == ["1", "1", "2", "1"]
    digests = re.findall(r"25,000 .* ([0-9a-f]{16})$", done.stdout, re.MULTILINE)
    assert len(digests) == 2
    assert len(set(digests)) == 1
