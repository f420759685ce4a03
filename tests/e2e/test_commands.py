"""The `assay` command, as a user types it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.running import ROOT, Service, command
from tests.e2e.samples import ABSTRACT, CSV, DESIGN, FASTA


def assay(*arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command(*arguments), cwd=ROOT, input=text, capture_output=True, text=True, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def fasta(tmp_path: Path) -> str:
    path = tmp_path / "designs.fasta"
    path.write_bytes(FASTA)
    return str(path)


def test_a_ranking_without_rows_has_the_same_columns_here_and_by_a_service(service: Service, fasta: str) -> None:
    here = assay("rank", fasta, "--threshold", "1000", "--csv")
    there = assay("rank", fasta, "--threshold", "1000", "--csv", "--url", service.url)
    assert there.stdout.strip().split(",")[-3:] == ["probability", "percentile", "notice"]
    assert here.stdout.strip().split(",")[-3:] == ["probability", "percentile", "notice"]


def test_rank_here_and_by_a_service_agree(service: Service, order: list[str], fasta: str) -> None:
    here = assay("rank", fasta, "--threshold", "-1000", "--csv")
    there = assay("rank", fasta, "--threshold", "-1000", "--csv", "--url", service.url)
    assert here.returncode == there.returncode == 0
    assert here.stdout.splitlines() == there.stdout.splitlines()
    assert [line.split(",")[1] for line in here.stdout.splitlines()] == ["sequence", *order]
    assert "3 residues, expected 50" in here.stderr


@pytest.mark.parametrize("words", [("rank", "--csv"), ("jobs", "list", "--endpoint"), ("models", "list", "--endpoint")])
def test_who_reads_no_further_had_enough(service: Service, fasta: str, words: tuple[str, ...]) -> None:
    last = fasta if words[0] == "rank" else service.endpoint
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(command(*words, last), cwd=ROOT, stdout=closed, stderr=subprocess.PIPE, check=False)
    assert b"ipe" not in done.stderr
    assert done.returncode == 0


def test_rank_reads_standard_input() -> None:
    done = assay("rank", "-", text=f"{DESIGN}\n")
    assert done.returncode == 0
    assert DESIGN in done.stdout


def test_rank_strict_fails(fasta: str) -> None:
    assert assay("rank", fasta, "--strict").returncode == 1


def test_rank_takes_a_column(tmp_path: Path) -> None:
    path = tmp_path / "designs.csv"
    path.write_bytes(CSV.replace(b"sequence", b"peptide"))
    done = assay("rank", str(path), "--column", "peptide", "--threshold", "-1000", "--csv")
    assert done.stdout.splitlines()[0].endswith(",note,probability,percentile,notice")


def test_what_a_service_ranked_is_the_csv_that_is_written_here(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "designs.csv"
    path.write_bytes(CSV.replace(b",a\n", b',"a, b"\n'))
    here = assay("rank", str(path), "--threshold", "-1000", "--csv")
    there = assay("rank", str(path), "--threshold", "-1000", "--csv", "--url", service.url)
    assert '"a, b"' in here.stdout
    assert here.stdout == there.stdout


def test_a_services_refusal_is_its_message(service: Service) -> None:
    done = assay("rank", "-", "--top-k", "0", "--url", service.url, text=DESIGN)
    assert done.returncode == 1
    assert done.stderr.endswith("error: 400: top_k must be an integer in 1..10000\n")


@pytest.mark.parametrize("url", [False, True])
def test_an_abstract_that_is_not_text_is_refused(service: Service, tmp_path: Path, url: bool) -> None:
    path = tmp_path / "abstract"
    path.write_bytes(b"caf\xe9 " * 30)
    done = assay("classify", str(path), *(("--url", service.url) if url else ()))
    assert done.returncode == 1
    assert "not UTF-8" in done.stderr


def test_models_says_which_bucket_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_MODELS_BUCKET", raising=False)
    done = assay("models", "list")
    assert done.returncode == 1
    assert "--bucket" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("rank", "/no/such/file"),
        ("rank", "-", "--top-k", "0"),
        ("rank", "-", "--url", "http://127.0.0.1:9"),
        ("rank", "-", "--models", "/no/such/folder"),
        ("classify", "-"),
    ],
)
def test_failures_are_one_line(arguments: tuple[str, ...]) -> None:
    done = assay(*arguments, text="short")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_classify_here_and_by_a_service_agree(service: Service) -> None:
    here = assay("classify", "-", "--json", text=ABSTRACT)
    there = assay("classify", "-", "--json", "--url", service.url, text=ABSTRACT)
    assert here.returncode == there.returncode == 0
    first, second = json.loads(here.stdout), json.loads(there.stdout)
    assert first["results"][0]["scores"] == pytest.approx(second["results"][0]["scores"], abs=1e-5)


def test_help_names_every_command() -> None:
    done = assay("--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("up", "demo", "rank", "classify", "models"))


def test_the_demo_ends_as_expected(tmp_path: Path) -> None:
    done = assay("demo", "--results", str(tmp_path / "results"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All as expected" in done.stdout
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"ranking.csv", "rejected.csv", "ranking.json"}
