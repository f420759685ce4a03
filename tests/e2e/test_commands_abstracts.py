"""`assay classify` with files of abstracts, here and by a service."""

import bz2
import json
import re
from pathlib import Path

import pytest

from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT
from tests.e2e.test_commands import assay
from tests.papers.disturbed import DISTURBED
from tests.papers.texts import ABSTRACT as PAPER
from tools.cli.main import main


@pytest.fixture
def abstracts(tmp_path: Path) -> Path:
    path = tmp_path / "abstracts.jsonl"
    texts = {"a": ABSTRACT, "b": "short", "c": ABSTRACT[::2]}
    records = [{"id": name, "abstract": text} for name, text in texts.items()]
    path.write_text("".join(json.dumps(each) + "\n" for each in [*records, *records[:1] * 3]))
    return path


def test_a_file_of_abstracts_is_classified_here_and_by_a_service_alike(
    service: Service, abstracts: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, where in ((here, ()), (there, ("--url", service.url))):
        done = assay("classify", str(abstracts), "--top-k", "2", "--threshold", "0", "--out", str(folder), *where)
        assert done.returncode == 0, done.stderr
        assert "6 received, 5 classified, 1 rejected" in done.stderr
        assert re.search(r"^line 2: \w+: .*\b50\b", done.stderr, re.MULTILINE), "why it was rejected"
        assert {path.name for path in folder.iterdir()} == {
            "classification.jsonl", "rejected.csv", "classification.json"
        }  # fmt: skip
    for name in ("classification.jsonl", "rejected.csv"):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    first = json.loads((here / "classification.jsonl").read_text().splitlines()[0])
    assert (first["line"], first["id"], len(first["labels"])) == (1, "a", 2)


def test_abstracts_cut_into_shards_give_what_one_pass_gives(
    abstracts: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(abstracts), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    monkeypatch.setattr("tools.batch.classify_file.SHARD_BYTES", 150)
    assert main(["classify", str(abstracts), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == whole
    assert main(["classify", str(abstracts)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[:2] for line in shown] == [["1", "a"], ["3", "c"], ["4", "a"], ["5", "a"], ["6", "a"]]


def test_forms_of_many_abstracts_give_the_same_lines_here_and_by_a_service(service: Service, tmp_path: Path) -> None:
    records = [{"id": "a", "abstract": ABSTRACT}, {"id": "b", "abstract": ABSTRACT[::2]}]
    forms = {
        "array.json": json.dumps(records, indent=1).encode(),
        "lines": "".join(json.dumps(each) + "\n" for each in records).encode(),
        "table.tsv.bz2": bz2.compress(f"id\tabstract\na\t{ABSTRACT}\nb\t{ABSTRACT[::2]}\n".encode()),
    }
    for name, body in forms.items():
        (tmp_path / name).write_bytes(body)
    files = [str(tmp_path / name) for name in forms]
    here, there = assay("classify", *files), assay("classify", *files, "--url", service.url)
    assert here.returncode == there.returncode == 0, here.stderr + there.stderr
    assert here.stdout == there.stdout
    shown = [[line for line in part.splitlines() if "\t" in line] for part in here.stdout.split(str(tmp_path))[1:]]
    assert [len(each) for each in shown] == [2, 2, 2]
    assert [line.split("\t")[1:] for line in shown[0]] == [line.split("\t")[1:] for line in shown[2]]
    piped = assay("classify", "-", text=forms["lines"].decode())
    assert [line.split("\t")[:2] for line in piped.stdout.splitlines()] == [["1", "a"], ["2", "b"]]


def test_a_file_of_abstracts_says_what_it_lacks(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(f'title,summary\nx,"{ABSTRACT}"\n')
    for where in ((), ("--url", service.url)):
        done = assay("classify", str(path), *where)
        assert done.returncode == 1
        assert "no column" in done.stderr.splitlines()[-1]
        assert assay("classify", str(path), "--column", "summary", *where).returncode == 0


def test_a_paper_says_which_text_was_taken_and_what_else_it_might_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(DISTURBED["two_languages"]().pdf())
    assert main(["classify", str(path)]) == 0
    first, other, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("the abstract: We measure the spectrum")
    assert first.endswith("(page 1 of 1, heading, confidence 0.95)")
    assert "heading, confidence 0.75: Wir messen" in other
    assert main(["classify", str(path), "--json", "--threshold", "1"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["results"][0]["source"]["text"] == PAPER
    assert [each["code"] for each in answer["notices"]] == ["no_label"]
