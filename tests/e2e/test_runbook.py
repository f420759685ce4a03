"""docs/runbook.md on the local service: its commands run as they are written, and print what it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.aws.s3 import Bucket
from tests.conftest import delete_objects
from tests.e2e.running import ROOT, Service, running

PAGE = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"```sh\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
KEPT = "URL WHERE UPLOADS RESULTS MODELS QUEUE KEY JOB AWS_ENDPOINT_URL AWS_DEFAULT_REGION"
AWS_ONLY, KEYS = "**AWS only**", "Rotate an API key"
SECONDS = 300

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl"),
]


class Desk:
    """A shell in a separate folder that remembers the page's variables, at the addresses of a running service."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service, self._folder = service, folder
        (folder / "aws").write_text(f'#!/bin/sh\nexec {sys.executable} -m tests.e2e.aws_line "$@"\n')
        (folder / "aws").chmod(0o755)

    def run(self, block: str) -> str:
        """Run a block and return what it printed."""
        script = block.replace("http://127.0.0.1:3000", self._service.url).replace(
            "http://127.0.0.1:4566", self._service.endpoint
        )
        script = script.replace(".venv/bin/assay", f"{sys.executable} -m tools")
        script = f"[ -f .known ] && . ./.known\n{script}\ndeclare -p {KEPT} > .known 2> /dev/null || true"
        path = f"{self._folder}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder, env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"},
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, block + done.stdout + done.stderr
        return done.stdout

    def walk(self, part: str) -> None:
        """Run the blocks of a part in order; hold each to what it is said to print."""
        for block, expected in BLOCK.findall(part):
            hold(self.run(block), expected)


def hold(printed: str, expected: str) -> None:
    """Hold what a block printed to the lines of the page, in order; `...` stands for anything within a line."""
    rest = printed
    for line in expected.splitlines():
        words = line.strip().removeprefix("... ").removesuffix(" ...").split("...")
        found = re.search(".*?".join(r"\s+".join(map(re.escape, word.split())) or r"\s*" for word in words), rest)
        assert found, f"no {line!r} in\n{rest}\nof\n{printed}"
        rest = rest[found.end() :]


@pytest.fixture
def desk(service: Service, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(service, tmp_path)
    made.walk(PAGE.partition("\n## ")[0])
    yield made
    bucket = Bucket(service.s3, service.models)
    delete_objects(
        bucket, *bucket.keys("models/stability-trypsin/broken/"), *bucket.keys("models/stability-trypsin/practice/")
    )


def test_every_part_is_here() -> None:
    wanted = ["Redrive", "Drain", "Roll back", "Restore", "End a job", "Rotate"]
    assert [name for want in wanted for name in PARTS if name.startswith(want)] == list(PARTS)
    assert all("**Symptoms.**" in part for part in PARTS.values())
    assert [name for name, part in PARTS.items() if AWS_ONLY in part] == [KEYS]


def test_the_page_is_walked_through_as_written(desk: Desk, service: Service) -> None:
    for name, part in PARTS.items():
        if name != KEYS:
            desk.walk(part)
    ranking = service.s3.list_objects_v2(Bucket=service.results, Prefix="results/")["Contents"]
    assert any(each["Key"].endswith("ranking.csv") for each in ranking)


def test_keys_are_changed_while_both_work(tmp_path: Path) -> None:
    local, _, only = PARTS[KEYS].partition(AWS_ONLY)
    both, new = (shlex.split(block)[2:] for block, _ in BLOCK.findall(local))
    (check, expected), *_ = [pair for pair in BLOCK.findall(only) if pair[1]]
    old, fresh = check.splitlines()
    for arguments, refused in ((both, []), (new, [old])):
        with running("--log-level", "ERROR", *arguments) as service:
            (tmp_path / "desk").mkdir(exist_ok=True)
            desk = Desk(service, tmp_path / "desk")
            (tmp_path / "desk" / ".known").write_text(f"URL={service.url}\n")
            if refused:
                hold(desk.run(check), expected)
            else:
                assert all("not_found" in desk.run(each) for each in (old, fresh))
