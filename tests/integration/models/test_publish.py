import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from assay.errors import BundleInvalid, ObjectMissing
from assay.models.manifest import MANIFEST
from assay.models.published import bundle_key, current_key
from tests.conftest import DATA, Aws
from tests.integration.registries import versions
from tests.models_command import main
from tools.models import publish
from tools.models.build import build_manifest

NAME = "tiny-index"
FOLDER = DATA / NAME / "1"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what the command sets in the environment for itself."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "ERROR")
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")


def copied(tmp_path: Path, **header: Any) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(FOLDER, folder)
    document = {**json.loads((folder / MANIFEST).read_text()), **header}
    (folder / MANIFEST).write_bytes(build_manifest(folder, document).dumps())
    return folder


def test_files_come_first_then_the_manifest_then_the_pointer(aws: Aws) -> None:
    written: list[str] = []
    aws.s3.meta.events.register("before-call.s3.PutObject", lambda params, **_: written.append(params["url_path"]))
    publish.publish(aws.models, FOLDER)
    assert [path.rpartition("/")[2] for path in written] == ["model.tflite", "manifest.json", "current.json"]


def test_what_is_published_is_what_the_folder_holds(aws: Aws) -> None:
    publish.publish(aws.models, DATA / "tiny-index-saved" / "1")
    for path in (path for path in (DATA / "tiny-index-saved" / "1").rglob("*") if path.is_file()):
        key = bundle_key("tiny-index-saved", "1", path.relative_to(DATA / "tiny-index-saved" / "1").as_posix())
        assert aws.models.get(key, limit=1 << 20) == (path.read_bytes(), aws.models.head(key).etag)


def test_publishing_again_changes_nothing(aws: Aws) -> None:
    publish.publish(aws.models, FOLDER)
    before = {key: aws.models.head(key) for key in aws.models.keys("models/")}
    publish.publish(aws.models, FOLDER)
    assert {key: aws.models.head(key) for key in aws.models.keys("models/")} == before


def test_a_version_never_changes_its_content(aws: Aws, tmp_path: Path) -> None:
    publish.publish(aws.models, FOLDER)
    with pytest.raises(BundleInvalid, match="raise the version"):
        publish.publish(aws.models, copied(tmp_path, licence="other"))


def test_a_broken_bundle_is_not_published(aws: Aws, tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "model.tflite").write_bytes(b"not a model")
    with pytest.raises(BundleInvalid):
        publish.publish(aws.models, folder)
    document = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_bytes(build_manifest(folder, document).dumps())
    with pytest.raises(BundleInvalid, match="does not load"):
        publish.publish(aws.models, folder)
    assert list(aws.models.keys("")) == []


def test_only_what_is_published_can_be_activated(aws: Aws) -> None:
    publish.publish(aws.models, FOLDER, serve=False)
    assert publish.find_pointer(aws.models, NAME) is None
    with pytest.raises(ObjectMissing):
        publish.move_pointer(aws.models, NAME, "2")
    assert versions(publish.move_pointer(aws.models, NAME, "1")) == ("1", None)


def test_a_pointer_that_says_nothing_is_replaced(aws: Aws) -> None:
    aws.models.put(current_key(NAME), b"garbage", "")
    publish.publish(aws.models, FOLDER)
    assert versions(publish.find_pointer(aws.models, NAME)) == ("1", None)


def test_the_commands_publish_activate_and_list(aws: Aws, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = ["--bucket", "models"]
    second = str(copied(tmp_path, version="2"))
    assert main(["publish", str(FOLDER), *bucket]) == 0
    assert main(["publish", second, "--no-serve", *bucket]) == 0
    assert main(["list", *bucket]) == 0
    listed = capsys.readouterr().out
    assert "* tiny-index                       1 " in listed
    assert "  tiny-index                       2 " in listed
    assert main(["activate", NAME, "2", *bucket]) == 0
    assert versions(publish.find_pointer(aws.models, NAME)) == ("2", "1")


def test_a_command_that_fails_says_why_and_exits_1(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["activate", NAME, "9", "--bucket", "models"]) == 1
    assert main(["publish", "nowhere", "--bucket", "models"]) == 1
    assert main(["list", "--bucket", "unknown"]) == 1
    errors = capsys.readouterr().err
    assert "tiny-index 9 is not published in models" in errors
    assert "manifest.json" in errors
    assert "NoSuchBucket" in errors


def test_the_manifest_command_hashes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path)
    written = json.loads((folder / MANIFEST).read_text())
    header = tmp_path / "header.json"
    header.write_text(json.dumps({name: value for name, value in written.items() if name != "files"}))
    (folder / MANIFEST).unlink()
    assert main(["manifest", str(folder), str(header)]) == 0
    assert json.loads((folder / MANIFEST).read_text()) == written
    assert main(["check", str(folder)]) == 0


def test_activation_names_the_manifest_and_a_rollback_holds_it_to_that(aws: Aws, tmp_path: Path) -> None:
    publish.publish(aws.models, FOLDER)
    publish.publish(aws.models, copied(tmp_path, version="2"))
    found = publish.find_pointer(aws.models, NAME)
    assert found is not None
    assert found.previous_sha256 == sha256((FOLDER / MANIFEST).read_bytes()).hexdigest()
    assert found.sha256 == sha256((tmp_path / "copy" / MANIFEST).read_bytes()).hexdigest()
    changed = (FOLDER / MANIFEST).read_bytes().replace(b"Apache", b"apache")
    aws.models.put(bundle_key(NAME, "1"), changed, "")
    with pytest.raises(BundleInvalid, match="sha256 differs"):
        publish.rollback(aws.models, NAME)
    assert publish.find_pointer(aws.models, NAME) == found


def test_a_pointer_without_a_sha256_gets_one_when_its_version_is_activated_again(aws: Aws) -> None:
    publish.publish(aws.models, FOLDER)
    aws.models.put(current_key(NAME), b'{"version": "1", "previous": "0"}', "")
    after = publish.move_pointer(aws.models, NAME, "1")
    assert (versions(after), after.sha256) == (("1", "0"), sha256((FOLDER / MANIFEST).read_bytes()).hexdigest())
