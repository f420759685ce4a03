"""The process that an importer works in: what it answers, and what it can't do."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assay.errors import UnreadableInput
from tests.conftest import DATA
from tools.models import import_process
from tools.models.import_process import convert_apart
from tools.models.importers.result import ImportRequest
from tools.models.importing import convert_here, make_bundle

PICKLE = sorted((DATA / "sklearn" / "1.7.2").glob("*.pkl"))[0]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Landlock is Linux's")
CONFINED = """
import os, pathlib, socket, subprocess, sys
from tools.confinement import confine
readable = map(pathlib.Path, [sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64"])
if not confine(readable, [pathlib.Path(sys.argv[1])]):
    sys.exit(77)
def tried(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "done"
inside, outside = pathlib.Path(sys.argv[1]) / "inside", pathlib.Path(sys.argv[2])
print(tried(lambda: inside.write_text("x")), tried(lambda: (outside / "new").write_text("x")))
print(tried((outside / "secret").read_text), tried((outside / "secret").unlink))
print(tried(lambda: (outside / "folder").mkdir()), tried(lambda: os.rename(inside, outside / "moved")))
print(tried(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[3])), 2)))
print(tried(lambda: os.truncate(outside / "secret", 0)))
"""


def test_both_ways_make_the_same_bundle(tmp_path: Path) -> None:
    here = make_bundle(ImportRequest(PICKLE), "sklearn", "mine", "1", "", tmp_path / "here", convert_here)
    apart = make_bundle(ImportRequest(PICKLE), "sklearn", "mine", "1", "", tmp_path / "apart", convert_apart)
    assert here == apart
    assert (tmp_path / "here" / "model.tflite").read_bytes() == (tmp_path / "apart" / "model.tflite").read_bytes()


def test_what_an_importer_refuses_is_refused_in_its_words(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04\x8c\x02os\x8c\x06system\x93.")
    with pytest.raises(UnreadableInput, match=r"os\.system.*nothing of it was run"):
        convert_apart(ImportRequest(path), "sklearn", tmp_path)


def test_a_process_that_dies_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: Any = subprocess.CompletedProcess([], -signal.SIGKILL)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: killed)
    with pytest.raises(UnreadableInput, match=r"signal 9.*more memory"):
        convert_apart(ImportRequest(PICKLE), "sklearn", tmp_path)


def test_no_credentials_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    given = import_process._environment("/tmp/scratch")
    assert "secret" not in given.values()
    assert given["HOME"] == "/tmp/scratch"
    assert {name for name in given if name.startswith("AWS")} == set()


@LINUX
def test_nothing_outside_can_be_read_written_or_called(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
    (outside / "secret").write_text("kept")
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", CONFINED, str(inside), str(outside), str(server.getsockname()[1])]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 77:
        pytest.skip("this kernel has no Landlock")
    assert done.stderr == ""
    first, *others = done.stdout.split()
    assert first == "done"
    assert others
    assert "done" not in others
    assert (outside / "secret").read_text() == "kept"
    assert [path.name for path in outside.iterdir()] == ["secret"]
