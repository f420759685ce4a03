"""What the documents say, held to the code: commands, links, routes, variables, columns, codes, dependencies."""

import re
import tomllib
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from assay.abstracts.cleaning import LONGEST, SHORTEST
from assay.client.sessions import VARIABLE as API_KEY
from assay.jobs.job_records import Job, Jobs
from assay.options import MAX_TOP_K
from assay.ranking.ranking import ranking_csv
from assay.sequences.contract import DEFAULT
from assay.settings import Settings, variable
from assay.text.csv_writer import REJECTED_HEADER
from assay.text.records import REASONS
from classify.request import MOST_ABSTRACTS
from portal.jobs import OURS
from rank.reply import REJECTS_SHOWN
from rank.request import MAX_SEQUENCES
from tests.unit.templates import written
from tools.cli.main import command_parser, parser
from tools.models.importers import sklearn
from tools.openapi.__main__ import document
from tools.openapi.values import codes_of

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*/README.md")])
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
EVERYTHING = "\n".join(TEXTS.values())
FORMATS = TEXTS["docs/formats.md"]
WORDS_OF_A_CELL = 25
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", EVERYTHING, re.DOTALL))


def rows(text: str, heading: str) -> dict[str, str]:
    """Return the table after a heading or table head: the first cell to the rest of each row."""
    table = text.partition(heading)[2].partition("\n\n")[0]
    cells = re.findall(r"^\| *(.+?) *\| *(.+?) *\|$", table, re.MULTILINE)
    return {first: rest for first, rest in cells if set(first) != {"-"}}


TRANSLATED = re.compile(
    r"\b(of (its|their|one's) own(?! \w+s\b)|(?<!\")none of|where there (is|are|was|were)|who(ever)? may|whoever"
    r"|lest|as it lies|what is \w+ is|to be had|can(not|'t| not) be had|save for|and so (does|do|is|are)|who asks"
    r"|be it|thereof)\b",
    re.IGNORECASE,
)
"""Phrases that read as if translated. Say: separate, no, if there is one, who can, or name the thing or the person."""
WRITTEN = ("functions", "layers", "tools", "benchmarks", "tests", "notebooks", "requirements", "statemachines", ".ci")
KINDS = {".py", ".js", ".html", ".yaml", ".in", ".toml", ".css", ""}
FOREIGN = ("/node_modules/", "/dist/", "/data/", "/corpus/", "/papers/", "/__pycache__/", "test_docs.py", "headings.py")
"""What others wrote, what is built, and texts that stand for those of others."""


def sources() -> list[str]:
    """Return the names of the files whose comments, docstrings, messages and help texts we write."""
    found = [path for folder in WRITTEN for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    files = [path for path in (*found, ROOT / "template.yaml", ROOT / "Makefile") if path.is_file()]
    names = [path.relative_to(ROOT).as_posix() for path in files]
    return sorted(name for name in names if not any(part in f"/{name}" for part in FOREIGN))


def translated(text: str) -> list[str]:
    """Return the phrases of a text that read as if translated, each with the words around it."""
    words = " ".join(re.sub(r"\n\s*(#:?|//|\*) ", " ", text).split())
    return [words[max(0, found.start() - 40) : found.end() + 20] for found in TRANSLATED.finditer(words)]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_documents_are_in_plain_english(name: str) -> None:
    assert translated(TEXTS[name]) == []


def test_sources_are_in_plain_english() -> None:
    names = sources()
    assert {"functions/rank/api.py", "tools/openapi/openapi.yaml", "functions/portal/page/index.html"} <= {*names}
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in names}
    assert {name: found for name, text in texts.items() if (found := translated(text))} == {}


def test_each_decision_has_its_number_date_status_and_alternatives() -> None:
    decisions = re.findall(r"^### (\d+)\. (.+?)\n\n(.*?)(?=^##)", TEXTS["docs/decisions.md"], re.MULTILINE | re.DOTALL)
    assert sorted(int(number) for number, _, _ in decisions) == [*range(1, len(decisions) + 1)]
    stated = re.compile(r"\d{4}-\d\d-\d\d, (accepted|replaced by).*^\*Alternatives?:\*", re.MULTILINE | re.DOTALL)
    assert [title for _, title, text in decisions if not stated.match(text)] == []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_links_lead_to_files(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", TEXTS[name]) + re.findall(r'src(?:set)?="([^"]+)"', TEXTS[name])
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_cells_of_tables_are_short(name: str) -> None:
    prose = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    rows = [line.strip().strip("|") for line in prose.splitlines() if line.lstrip().startswith("|")]
    cells = [cell for row in rows for cell in re.split(r"(?<!\\)\|", row)]
    assert [cell for cell in cells if len(cell.split()) > WORDS_OF_A_CELL] == []


def test_commands_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", SHELL)) | set(re.findall(r"`make ([a-z-]+)", EVERYTHING))
    assert {"demo", "test", "up", "check", "containers", "test-tensorflow"} <= named
    assert named <= targets


def test_commands_of_assay_exist() -> None:
    commands = set(re.findall(r"(?:-m tools|\bassay) (\w+)", SHELL, re.MULTILINE))
    assert (
        {"rank", "classify", "models"}
        <= commands
        <= set(re.findall(r"\w+", parser().format_usage() + parser().format_help()))
    )
    models = set(re.findall(r"^(?:\S+/)?assay models (\w+)", SHELL, re.MULTILINE))
    assert {"validate", "publish", "activate", "list"} <= models
    assert models <= set(re.findall(r"\w+", command_parser("models").format_help()))


def test_the_bundles_to_publish_first_are_those_that_ship() -> None:
    (pattern,) = re.findall(r"for bundle in (\S+);", SHELL)
    found = {path.relative_to(ROOT / "models") for path in ROOT.glob(pattern)}
    assert {path.parts[0] for path in found} == {path.name for path in (ROOT / "models").iterdir() if path.is_dir()}
    assert all((ROOT / "models" / path / "manifest.json").exists() for path in found)


def test_modules_named_in_commands_exist() -> None:
    for module in re.findall(r"-m ((?:tools|benchmarks)[\w.]*)", SHELL + "".join(re.findall(r"`[^`\n]+`", EVERYTHING))):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_paths_in_code_marks_exist() -> None:
    named = re.findall(
        r"`((?:functions|layers|tools|events|tests|docs|models|benchmarks|requirements)/[^`\s{}*]*)`", EVERYTHING
    )
    folders = [name for name in named if not re.search(r"models/\{|NAME|VERSION|name", name)]
    assert [name for name in folders if not (ROOT / name).exists()] == []


def test_modules_named_by_their_package_exist() -> None:
    named = {*re.findall(r"`(assay/[a-z_/]*(?:\.py)?)`", EVERYTHING)}
    assert len(named) > 50
    assert [name for name in sorted(named) if not (ROOT / "layers/assay/python" / name).exists()] == []


def test_the_map_of_folders_names_each_folder() -> None:
    named = TEXTS["CONTRIBUTING.md"].partition("## Where things are")[2].partition("## How to add")[0]
    bases = (ROOT / "functions", ROOT / "layers/assay/python/assay", ROOT / "tools", ROOT / "tests")
    folders = [path for base in bases for path in base.iterdir() if any(path.glob("*.py"))]
    assert len(folders) > 30
    assert [path.name for path in folders if f"`{path.relative_to(ROOT).as_posix()}/`" not in named] == []


def test_the_layers_are_those_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (each["layers"] for each in contracts if each.get("containers") == ["assay"])
    table = TEXTS["docs/architecture.md"].partition("| layer | content |")[2].partition("\n\n")[0]
    named = [{*re.findall(r"`assay/(\w+)", line)} for line in table.splitlines()]
    assert [each for each in named if each] == [{*re.split(r" [|:] ", layer)} for layer in layers]


def test_every_door_names_tests_and_every_attack_has_its_door() -> None:
    doors = rows(TEXTS["docs/security.md"], "| door | how it is closed | tried by |")
    tried = {door: re.findall(r"`(tests/[\w/]+\.py)`", rest) for door, rest in doors.items()}
    assert [door for door, tests in tried.items() if not tests] == []
    named = {name for tests in tried.values() for name in tests}
    assert [name for name in named if "\ndef test_" not in (ROOT / name).read_text(encoding="utf-8")] == []
    attacks = [*ROOT.glob("tests/hostile/test_*.py"), *ROOT.glob("tests/permissions/test_*.py")]
    assert {path.relative_to(ROOT).as_posix() for path in attacks} <= named


def test_routes_exist() -> None:
    paths = document()["paths"]
    for method, path in re.findall(r"`(GET|POST) (/[^`\s?]*)", re.sub(r"`(GET|POST)\n", r"`\1 ", EVERYTHING)):
        path = re.sub(r"\{job_id\}", "{id}", path)
        path = re.sub(r"^(/v1/models/)\{name\}(:predict)?$", r"\1{target}", path)
        assert method.lower() in paths.get(path.rstrip("/") or "/", {}), f"{method} {path}"
    for path in re.findall(r"http://127\.0\.0\.1:3000(/[^\s'`?),]*)", EVERYTHING):
        path = path.replace("/models/my-topics/", "/models/{name}/")
        assert (path.rstrip("/") or "/") in paths, path


def test_variables_parameters_and_metrics_exist() -> None:
    assert set(re.findall(r"\bASSAY_[A-Z_]+\b", EVERYTHING)) <= {
        API_KEY,
        *(variable(each.name) for each in fields(Settings)),
    }
    metrics = {*(f"{phase}Seconds" for phase in ("Fetch", "Verify", "Load", "Warm")), "ModelRefused"}
    code = "".join(path.read_text() for path in (ROOT / "layers/assay/python/assay/models").glob("*.py"))
    assert all(name.removesuffix("Seconds").lower() in code or name in code for name in metrics)
    named = set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", TEXTS["docs/models.md"]))
    assert metrics <= named
    assert named <= metrics | set(written()["Parameters"]) | sklearn.ESTIMATORS | set(sklearn.SCALERS)


def test_every_reason_and_no_other_is_explained() -> None:
    explained = {name.strip("`") for name in rows(FORMATS, "| reason | meaning |")}
    assert explained == {*REASONS}


def test_result_files_have_the_columns_that_are_documented() -> None:
    from assay.ranking.ranking import PartialRanking

    files = rows(FORMATS, "| file | content |")
    assert "".join(ranking_csv(PartialRanking())).strip() in files["`ranking.csv`"]
    assert REJECTED_HEADER.strip() in files["`rejected.csv`"]


def test_statuses_and_codes_are_those_of_the_errors() -> None:
    documented = {
        int(status): set(re.findall(r"`(\w+)`", text)) for status, text in rows(FORMATS, "| status | codes |").items()
    }
    assert set(documented) == {
        int(status) for operation in _operations() for status in operation["responses"] if status >= "400"
    }
    for status, codes in documented.items():
        assert codes - {"strict"} <= {*codes_of(status)}, status


def _operations() -> list[dict[str, dict[str, object]]]:
    return [operation for item in document()["paths"].values() for operation in item.values()]


def test_fields_of_a_job_are_those_of_the_code() -> None:
    table = FORMATS.partition("`GET /jobs/{job_id}`")[2]
    named = {name for cell in rows(table, "| field | meaning |") for name in re.findall(r"\w+", cell)}
    assert (
        named - {"done", "total", "scores"}
        == {"job_id", "progress", "work", *(each.name for each in fields(Job))} - OURS
    )


@pytest.mark.parametrize("limit", [MAX_TOP_K, REJECTS_SHOWN, MAX_SEQUENCES, SHORTEST, LONGEST, MOST_ABSTRACTS])
def test_limits_are_those_of_the_code(limit: int) -> None:
    assert f"{limit:,}" in FORMATS


def test_the_days_that_files_and_jobs_are_kept_are_those_of_the_template_and_the_code() -> None:
    uploads, results = (written()["Parameters"][name]["Default"] for name in ("UploadDays", "ResultDays"))
    record_days = signature(Jobs).parameters["days"].default
    said = " ".join(TEXTS["docs/choosing.md"].split())
    assert f"Uploads are deleted after {uploads} days and results after {results}" in said
    for name in ("docs/choosing.md", "docs/tutorial.md", "docs/formats.md"):
        assert f"{record_days} days after its last change" in " ".join(TEXTS[name].split()), name


def test_the_contract_of_sequences_is_that_of_the_code() -> None:
    assert f"{DEFAULT.length} of the {len(DEFAULT.alphabet)} standard residues `{DEFAULT.alphabet}`" in FORMATS


def test_every_dependency_has_its_reason() -> None:
    explained = set(re.findall(r"[\w-]+", " ".join(rows(TEXTS["docs/decisions.md"], "| package | where | why |"))))
    listed = [path for path in ROOT.rglob("*requirements*/*.in") if not path.relative_to(ROOT).parts[0].startswith(".")]
    sources = [*listed, *(ROOT / "functions").glob("*/requirements.in"), ROOT / "layers/assay/requirements.in"]
    named = {name for path in sources for name in re.findall(r"^([A-Za-z][\w-]*)", path.read_text(), re.MULTILINE)}
    assert {"boto3", "moto", "pytest", "torch", "tokenizers"} <= named
    assert named - explained == set()
