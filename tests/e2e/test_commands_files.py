"""What a command line may name: several files, patterns, pipes, negative numbers; and how a command ends."""

import csv
import io
import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.running import ROOT, Service, command
from tests.e2e.samples import ABSTRACT, DESIGN, FASTA, LINES, OTHER
from tests.e2e.test_commands import assay
from tools.cli.main import join_negatives, main

pytestmark = pytest.mark.slow

OPEN = "--threshold=-1000"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    content = {"a.fasta": FASTA, "b.txt": LINES, "c.csv": f"sequence,note\n{DESIGN},mine\n".encode()}
    for name, body in content.items():
        (tmp_path / name).write_bytes(body)
    return [str(tmp_path / name) for name in content]


def bash(line: str) -> "subprocess.CompletedProcess[str]":
    script = line.replace("assay ", " ".join(command()) + " ", 1)
    return subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_files_are_ranked_each_by_itself(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", *files, OPEN, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    for file in files:
        assert main(["rank", file, OPEN, "--csv"]) == 0
        alone = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        columns = alone[0].keys()
        assert [{name: row[name] for name in columns} for row in rows if row["file"] == file] == alone
    assert main(["rank", *files, OPEN, "--format", "json"]) == 0
    assert [each["file"] for each in json.loads(capsys.readouterr().out)] == files
    assert main(["rank", *files, OPEN]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("/")] == files


def test_several_files_have_a_folder_each(files: list[str], tmp_path: Path, service: Service) -> None:
    twin = tmp_path / "other" / "a.fasta"
    twin.parent.mkdir()
    twin.write_bytes(FASTA)
    for where, out in (((), "here"), (("--url", service.url), "there")):
        done = assay("rank", *files, str(twin), OPEN, "--out", str(tmp_path / out), *where)
        assert done.returncode == 0, done.stderr
        assert {path.name for path in (tmp_path / out).iterdir()} == {"a.fasta", "b.txt", "c.csv", "a.fasta-2"}
        assert all((path / "ranking.csv").exists() for path in (tmp_path / out).iterdir())


def test_one_that_cannot_be_read_stops_no_other(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", files[0], "/no/such/file", files[1], OPEN, "--csv"]) == 1
    out, err = capsys.readouterr()
    assert {row["file"] for row in csv.DictReader(io.StringIO(out))} == {files[0], files[1]}
    assert "error: /no/such/file: " in err


def test_a_pattern_that_no_shell_replaced_is_replaced(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rank", str(tmp_path / "*.[ft]*"), OPEN, "--csv"]) == 0
    found = {row["file"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert found == {files[0], files[1]}
    assert main(["rank", str(tmp_path / "*.none")]) == 1
    assert "no file fits" in capsys.readouterr().err


def test_a_name_with_brackets_is_no_pattern_where_there_is_such_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plate[1].txt"
    path.write_bytes(LINES)
    assert main(["rank", str(path), OPEN, "--csv"]) == 0
    assert DESIGN in capsys.readouterr().out


def test_abstracts_of_several_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(f"{ABSTRACT} {name}")
    assert main(["classify", str(tmp_path / "*.txt"), "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [Path(each["file"]).name for each in answers] == ["a.txt", "b.txt"]
    assert main(["classify", str(tmp_path / "a.txt"), str(tmp_path / "b.txt"), "--top-k", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [len(lines), lines[0], lines[3]] == [6, f"{tmp_path / 'a.txt'}:", f"{tmp_path / 'b.txt'}:"]


@pytest.mark.parametrize("top_k", [1, 3, 18])
def test_the_table_has_as_many_labels_as_were_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], top_k: int
) -> None:
    path = tmp_path / "abstract.txt"
    path.write_text(ABSTRACT)
    assert main(["classify", str(path), "--top-k", str(top_k)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == top_k


@pytest.mark.parametrize("url", [False, True])
def test_pipes_are_read_as_files_are(service: Service, files: list[str], url: bool) -> None:
    where = f" --url {service.url}" if url else ""
    expected = bash(f"assay rank {files[1]} {OPEN} --csv{where}").stdout
    assert DESIGN in expected
    assert bash(f"assay rank <(cat {files[1]}) {OPEN} --csv{where}").stdout == expected
    assert bash(f"cat {files[1]} | assay rank /dev/stdin {OPEN} --csv{where}").stdout == expected
    assert bash(f"assay rank <(gzip -c {files[1]}) {OPEN} --csv{where}").stdout == expected
    assert bash(f"assay classify <(echo '{ABSTRACT}') --json{where}").returncode == 0


@pytest.mark.parametrize("number", ["-1e-3", "-5.", "-1E2", "-.5", "-0.5", "-3", "-1e+2"])
def test_a_negative_number_is_its_options(number: str, files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rank", files[1], "--threshold", number, "--csv"]) == 0
    apart = capsys.readouterr().out
    assert main(["rank", files[1], f"--threshold={number}", "--csv"]) == 0
    assert capsys.readouterr().out == apart


def test_what_is_no_number_stays_as_it_is() -> None:
    given = ["rank", "-", "--threshold", "-x", "-1", "--", "-2", "--csv", "-inf", "--out=a", "-3"]
    assert join_negatives(given) == ["rank", "-", "--threshold", "-x", "-1", "--", "-2", "--csv=-inf", "--out=a", "-3"]


def test_the_version_is_told() -> None:
    done = assay("--version")
    assert (done.returncode, done.stdout) == (0, "assay 0.3.0\n")


@pytest.mark.parametrize(("body", "said"), [("", "nothing in it"), ("MKV\nXX\n", "no record of 2")])
@pytest.mark.parametrize("url", [False, True])
def test_a_file_of_which_nothing_could_be_read_is_a_failure(
    service: Service, tmp_path: Path, body: str, said: str, url: bool
) -> None:
    path = tmp_path / "designs.txt"
    path.write_text(body)
    done = assay("rank", str(path), *(("--url", service.url) if url else ()))
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr


def test_a_file_without_a_good_abstract_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "abstracts.jsonl"
    path.write_text('{"abstract": "short"}\n')
    assert main(["classify", str(path)]) == 1
    assert "no abstract of 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rank", "/no/such/file"), "/no/such/file: No such file or directory"),
        (("rank", "/"), "/: Is a directory"),
        (("classify", "/no/such.pdf"), "/no/such.pdf: No such file or directory"),
        (("rank", "-", "--url", "http://127.0.0.1:9"), "nothing answers at http://127.0.0.1:9/rank"),
        (("jobs", "show", "x", "--url", "http://127.0.0.1:9"), "nothing answers at http://127.0.0.1:9/jobs/x"),
    ],
)
def test_errors_are_words(arguments: tuple[str, ...], said: str) -> None:
    done = assay(*arguments, text=f"{DESIGN}\n")
    assert done.returncode == 1
    assert said in done.stderr.splitlines()[-1]
    assert not any(word in done.stderr for word in ("Errno", "Error", "HTTPConnectionPool"))


def test_runtimes_greet_nobody(files: list[str], tmp_path: Path) -> None:
    path = tmp_path / "abstract.txt"
    path.write_text(ABSTRACT)
    for words in (("rank", files[1], OPEN), ("classify", str(path))):
        assert "INFO" not in assay(*words).stderr


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_results_have_the_mode_that_the_umask_says(files: list[str], tmp_path: Path, umask: int) -> None:
    out = tmp_path / f"out-{umask:o}"
    assert bash(f"umask {umask:o}; assay rank {files[1]} {OPEN} --output all --out {out}").returncode == 0
    written = [path for path in out.rglob("*") if path.is_file()]
    assert len(written) >= 5
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o666 & ~umask}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_command_that_is_ended_leaves_nothing_behind(tmp_path: Path, number: int, status: int) -> None:
    path, out = tmp_path / "many.txt", tmp_path / "out"
    path.write_text(f"{DESIGN}\n{OTHER}\n" * 400_000)
    process = subprocess.Popen(
        command("rank", str(path), "--processes", "2", "--out", str(out)),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not _children(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    children = _children(process.pid)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()[-1]) == (status, "stopped")
    assert "Traceback" not in err
    assert list(out.iterdir()) == []
    assert children
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children):  # one just begun sees its end by itself
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def test_a_bar_on_a_terminal_without_width_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.transfers import width

    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((0, 0)))
    assert width() == 80
    monkeypatch.setenv("COLUMNS", "120")
    assert width() == 120
