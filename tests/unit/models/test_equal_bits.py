"""The same bits on every processor: the shipped models natively and on processors that QEMU emulates."""

import os
import platform
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tools.models.shipped import newest
from tools.paths import ROOT

QEMU = shutil.which("qemu-x86_64") or ""
PROCESSORS = ("Haswell", "Skylake-Client", "max")
RANKING = ("stability-chymotrypsin", "stability-trypsin")
CLASSIFIER = "arxiv-archives"
SCAN = "scan"
CLOSE = 0.01
"""Probabilities of a classifier may differ by so much between processors."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="emulates x86-64 processors on one"),
    pytest.mark.skipif(not QEMU, reason="qemu-x86_64 is not installed: apt-get install qemu-user"),
]


def files() -> dict[str, str]:
    """Return the file of each shipped model, and those that scan windows."""
    shipped = {name: newest(ROOT / "models", name) for name in (*RANKING, CLASSIFIER)}
    scans = [*(folder / "scan.tflite" for folder in shipped.values()), ROOT / "tests/data/tiny-scan/1/scan.tflite"]
    named = {f"{SCAN} {path.parent.parent.name}": str(path) for path in scans if path.exists()}
    return {name: str(folder / "model.tflite") for name, folder in shipped.items()} | named


@cache
def outputs(processor: str) -> dict[str, bytes]:
    """Return what each file answers, on an emulated processor or, where it has no name, on this one."""
    emulator = [QEMU, "-cpu", processor] if processor else []
    command = [*emulator, str(Path(sys.executable)), "-m", "tests.score_bits", *files().values()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=300)
    return dict(zip(files(), map(bytes.fromhex, done.stdout.split()), strict=True))


def probabilities(content: bytes) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.frombuffer(content, np.float32).astype(np.float64))))


@pytest.mark.parametrize("name", RANKING)
@pytest.mark.parametrize("processor", PROCESSORS)
def test_a_rank_model_scores_with_the_same_bits_on(processor: str, name: str) -> None:
    here = outputs("")[name]
    assert len(np.unique(np.frombuffer(here, np.float32))) > 200
    assert outputs(processor)[name] == here


@pytest.mark.parametrize("name", [name for name in files() if name.startswith(SCAN)])
@pytest.mark.parametrize("processor", PROCESSORS)
def test_windows_are_scanned_with_the_same_bits_on(processor: str, name: str) -> None:
    here = outputs("")[name]
    assert len(np.unique(np.frombuffer(here, np.float32))) > 40
    assert outputs(processor)[name] == here


@pytest.mark.parametrize("processor", PROCESSORS)
def test_the_classifier_gives_nearly_the_same_probabilities_on(processor: str) -> None:
    here, there = (probabilities(outputs(each)[CLASSIFIER]) for each in ("", processor))
    np.testing.assert_allclose(there, here, rtol=0, atol=CLOSE)
