import shutil
from itertools import product
from pathlib import Path

import pytest

from tests.conftest import DATA, Aws
from tests.models_command import main
from tests.references import abstracts, write_abstracts
from tests.unit.importers.documents import commands, make_stack, run
from tools.models import publish
from tools.models.importing import convert_here

NEEDS_TENSORFLOW = r"cnn|saved/|texts\.keras|scibert|head\.keras"


def pointer(aws: Aws) -> tuple[str, str | None]:
    found = publish.find_pointer(aws.models, "my-score")
    assert found is not None
    return found.version, found.previous


def write_inputs(folder: Path) -> None:
    """Write each file that the page's commands name."""
    for name in ("ridge", "lasso"):
        shutil.copyfile(DATA / "sklearn" / "1.7.2" / f"{name}.pkl", folder / f"{name}.pkl")
    shutil.copytree(DATA / "tiny-text" / "1", folder / "models" / "my-topics" / "1")
    write_abstracts(folder / "abstracts.jsonl", abstracts(1_000))
    (folder / "designs.txt").write_text("AA\nCD\nWY\n")
    pairs = ["".join(each) for each in product("ACDEFGHIKLMNPQRSTVWY", repeat=2)]
    rows = (f"{pair},{int(pair[0] < 'M')},0.5,12\n" for pair in pairs)
    (folder / "assay.csv").write_text("sequence,label,stability,half_life\n" + "".join(rows))
    (folder / "windows.fasta").write_text("".join(f">{pair}\n{pair}\n" for pair in pairs))


def test_the_documented_commands_work_as_they_stand(
    aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_stack()
    write_inputs(tmp_path)
    words = commands(rf"^(?!.*(?:{NEEDS_TENSORFLOW}))")
    assert {each[0] for each in words} >= {"import", "validate", "publish", "list", "show", "rollback", "activate"}
    for each in words:
        run(monkeypatch, tmp_path, each)
    assert pointer(aws) == ("2", "1")
    assert (tmp_path / "pulled" / "my-score" / "1" / "probes.json").is_file()
    assert "rank correlation" in capsys.readouterr().out


def test_a_stack_that_is_not_assay_s_is_told(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--stack", "other"]) == 1
    assert "other does not exist" in capsys.readouterr().err
    assert list(aws.models.keys("")) == []


def test_a_kind_whose_library_is_missing_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.cli.models_import.convert_apart", convert_here)
    monkeypatch.setitem(__import__("sys").modules, "keras", None)
    monkeypatch.delitem(__import__("sys").modules, "tools.models.importers.keras", raising=False)
    (tmp_path / "model.keras").write_bytes(b"")
    assert main(["import", str(tmp_path / "model.keras"), "--name", "mine"]) == 1
    assert "make import-tools" in capsys.readouterr().err


def test_what_is_no_model_asks_for_its_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.xyz").write_bytes(b"")
    assert main(["import", str(tmp_path / "model.xyz"), "--name", "mine"]) == 1
    assert main(["import", str(tmp_path / "nowhere.pkl"), "--name", "mine"]) == 1
    errors = capsys.readouterr().err
    assert "--kind sklearn|keras|saved-model|huggingface|head" in errors
    assert "there is no" in errors


def test_versions_count_on_from_the_folder_and_the_bucket(
    aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(DATA / "sklearn" / "1.7.2" / "ridge.pkl")
    given = ["import", source, "--name", "my-score", "--bucket", "models"]
    assert main([*given, "--to", str(tmp_path / "a"), "--publish"]) == 0
    assert main([*given, "--to", str(tmp_path / "b"), "--publish", "--dry-run"]) == 0
    assert main([*given, "--to", str(tmp_path / "b"), "--activate"]) == 0
    assert pointer(aws) == ("2", None)
    assert [path.name for path in (tmp_path / "b" / "my-score").iterdir()] == ["2"]
    assert main([*given, "--to", str(tmp_path / "b"), "--version", "2"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["show", str(tmp_path)]) == 1
    assert "holds no bundle" in capsys.readouterr().err
