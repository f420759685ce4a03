"""Models in a zip or in S3, and clones without their large files."""

import shutil
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InvalidOption, ObjectMissing, UnreadableInput
from tests.conftest import DATA, Aws
from tests.models_command import main
from tools.models.importers.result import ImportRequest
from tools.models.importing import make_bundle
from tools.models.model_sources import bring, require_content

RIDGE = DATA / "sklearn" / "1.7.2" / "ridge.pkl"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 438000\n"


def packed(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"model.safetensors": b"a", "config.json": b"{}"}, "scibert"),
        ({"topics/config.json": b"{}", "topics/sub/vocab.txt": b"b"}, "topics"),
        ({"a/b/config.json": b"{}", "a/b/vocab.txt": b"", "__MACOSX/x": b"", ".DS_Store": b""}, "b"),
        ({"deep/ridge.pkl": b"\x80"}, "ridge.pkl"),
    ],
)
def test_a_zip_is_the_file_or_folder_in_it(tmp_path: Path, members: dict[str, bytes], name: str) -> None:
    found = bring(str(packed(tmp_path / "scibert.zip", members)), tmp_path / "scratch")
    assert found.name == name
    assert found.is_file() or (found / "config.json").read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside", "..\\outside", "a/..\\..\\b"])
def test_a_zip_that_leads_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableInput, match="leads out of its folder"):
        bring(str(packed(tmp_path / "in" / "x.zip", {"a": b"", name: b"owned"})), tmp_path / "scratch")
    assert not list(tmp_path.rglob("outside*"))


def test_zips_with_links_or_broken_ones_are_refused_in_words(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("model.pkl")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableInput, match=r"holds a link, 'model\.pkl'"):
        bring(str(tmp_path / "link.zip"), tmp_path / "a")
    whole = packed(tmp_path / "whole.zip", {"model.pkl": bytes(range(256)) * 99}).read_bytes()
    nameless = whole.replace(b"model.pkl", b"\0odel.pkl")
    cases = (b"no zip", whole[: len(whole) // 2], whole[:60] + b"\0" * 9 + whole[69:], nameless)
    for at, content in enumerate(cases):
        (tmp_path / "broken.zip").write_bytes(content)
        with pytest.raises(UnreadableInput, match=r"broken\.zip can't be unpacked"):
            bring(str(tmp_path / "broken.zip"), tmp_path / f"b{at}")


@given(at=st.integers(0, 1 << 16), value=st.integers(0, 255))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_zip_changed_anywhere_is_read_or_refused_in_words(tmp_path: Path, at: int, value: int) -> None:
    content = bytearray(packed(tmp_path / "whole.zip", {"a/model.pkl": bytes(range(256)) * 9}).read_bytes())
    content[at % len(content)] = value
    (tmp_path / "changed.zip").write_bytes(content)
    shutil.rmtree(tmp_path / "scratch", ignore_errors=True)
    with suppress(UnreadableInput):
        assert bring(str(tmp_path / "changed.zip"), tmp_path / "scratch").exists()


def test_an_address_is_the_object_or_all_below_it(aws: Aws, tmp_path: Path) -> None:
    for key in (
        "mine/scibert/config.json",
        "mine/scibert/sub/vocab.txt",
        "mine/scibert/",
        "mine/scibert-2/x",
        "one.pkl",
    ):
        aws.models.put(key, key.encode(), "binary/octet-stream")
    for at, address in enumerate(("s3://models/mine/scibert", "s3://models/mine/scibert/")):
        folder = bring(address, tmp_path / str(at))
        assert folder.name == "scibert"
        found = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
        assert found == {name: f"mine/scibert/{name}" for name in ("config.json", "sub/vocab.txt")}
    assert bring("s3://models/one.pkl", tmp_path / "one").read_text() == "one.pkl"
    with pytest.raises(ObjectMissing, match="nothing at s3://models/mine/none"):
        bring("s3://models/mine/none", tmp_path / "none")
    for address in ("s3://models", "s3://models/", "s3:///x"):
        with pytest.raises(InvalidOption, match="names no object and no folder"):
            bring(address, tmp_path / "none")


def test_a_key_that_leads_out_of_its_folder_is_refused(aws: Aws, tmp_path: Path) -> None:
    aws.models.put("mine/a/../../../outside", b"owned", "text/plain")
    with pytest.raises(UnreadableInput, match="leads out of its folder"):
        bring("s3://models/mine", tmp_path / "scratch")
    assert not list(tmp_path.rglob("outside"))


def test_the_command_imports_from_a_zip_and_from_s3(aws: Aws, tmp_path: Path) -> None:
    aws.models.put("incoming/ridge.pkl", RIDGE.read_bytes(), "binary/octet-stream")
    packed(tmp_path / "ridge.zip", {"models/ridge.pkl": RIDGE.read_bytes()})
    places = (str(RIDGE), str(tmp_path / "ridge.zip"), "s3://models/incoming/ridge.pkl")
    for at, place in enumerate(places):
        assert main(["import", place, "--name", "mine", "--to", str(tmp_path / str(at))]) == 0
    made = {(tmp_path / str(at) / "mine" / "1" / "model.tflite").read_bytes() for at in range(len(places))}
    assert len(made) == 1


def test_pointers_of_git_lfs_are_told(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    (clone / "variables").mkdir(parents=True)
    (clone / "config.json").write_text("{}")
    require_content(clone)
    (clone / "variables" / "model.safetensors").write_bytes(POINTER)
    with pytest.raises(UnreadableInput, match=r"model\.safetensors is a pointer of Git LFS.*git lfs pull"):
        make_bundle(ImportRequest(clone), "huggingface", "mine", "1", "", tmp_path / "bundle")
    (tmp_path / "ridge.pkl").write_bytes(POINTER)
    for wish in (
        ImportRequest(tmp_path / "ridge.pkl"),
        ImportRequest(RIDGE, encoder=clone),
        ImportRequest(RIDGE, tokenizer=clone),
    ):
        with pytest.raises(UnreadableInput, match="pointer of Git LFS"):
            make_bundle(wish, "sklearn", "mine", "1", "", tmp_path / "bundle")
    shutil.copyfile(RIDGE, tmp_path / "whole.pkl")
    require_content(tmp_path / "whole.pkl")
