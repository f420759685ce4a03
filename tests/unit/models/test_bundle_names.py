"""What a bundle or a pointer names stays where bundles belong, and the pointer holds the manifest."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from assay.errors import BundleInvalid
from assay.models.manifest import MANIFEST, Manifest, Pointer, Target, check_manifest

DATA = Path(__file__).parents[2] / "data"
PATHS = (
    "", ".", "..", "/etc/passwd", "//x", "a//b", "a/", "./a", "../a", "a/../b", "a/./b", "a/..", "~/a", "-a", ".hidden",
    "..\\a", "a\\b", "C:\\a", "C:/a", "file:///a", "a%2e%2e/b", "%2e%2e/b", "a\0b", "a\nb", "a ", " a", "a:b", "a;b",
    "a*", "\uff0e\uff0e/a", "\u2025/a", "\u202eexe.a", MANIFEST, "x" * 200, "/".join("abcdefghi"),
)  # fmt: skip
NAMES = ("", ".", "..", "../a", "a/b", "A", "-a", "a_b", "a.b", "a\n", "a b", "x" * 64, "\u0430")
VERSIONS = ("", ".", "..", "../1", "1/2", "-1", "1\n", "1 2", ".1", "1@2", "x" * 65, "\u0661")


@pytest.mark.parametrize("path", PATHS, ids=ascii)
@pytest.mark.parametrize("name", ["tiny-index", "tiny-text"])
def test_a_file_that_would_lie_elsewhere_is_refused(name: str, path: str) -> None:
    document = json.loads((DATA / name / "1" / MANIFEST).read_text())
    document["files"][0]["path"] = path
    with pytest.raises(BundleInvalid):
        Manifest.parse(json.dumps(document).encode())


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_a_tokenizer_that_lies_elsewhere_is_refused(path: str) -> None:
    document = json.loads((DATA / "tiny-text" / "1" / MANIFEST).read_text())
    document["text"]["tokenizer"] = path
    with pytest.raises(BundleInvalid):
        Manifest.parse(json.dumps(document).encode())


@pytest.mark.parametrize("version", VERSIONS, ids=ascii)
def test_a_version_that_would_lie_elsewhere_is_refused(version: str) -> None:
    with pytest.raises(BundleInvalid):
        Target.parse(f"model@{version}")
    for pointer in ({"version": version}, {"version": "1", "previous": version or "/"}):
        with pytest.raises(BundleInvalid):
            Pointer.parse(json.dumps(pointer).encode())


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_that_no_model_can_have_is_refused(name: str) -> None:
    for text in (name, f"{name}@1"):
        with pytest.raises(BundleInvalid):
            Target.parse(text)


def test_a_target_is_a_model_or_one_of_its_versions() -> None:
    assert Target.parse("my-model") == Target("my-model")
    assert Target.parse("my-model@v1.2_3-a") == Target("my-model", "v1.2_3-a")


def test_the_pointer_knows_the_manifest_of_either_version() -> None:
    one, two = (sha256(text).hexdigest() for text in (b"one", b"two"))
    pointer = Pointer.parse(Pointer("2", "1", two, one).dumps())
    assert [pointer.digest(version) for version in ("2", "1", "3")] == [two, one, None]
    check_manifest(b"two", pointer.digest("2"))
    check_manifest(b"anything", pointer.digest("3"))
    with pytest.raises(BundleInvalid, match="sha256 differs"):
        check_manifest(b"one", pointer.digest("2"))


def test_a_pointer_from_before_there_was_a_sha256_holds_any_manifest() -> None:
    pointer = Pointer.parse(b'{"schema": 1, "version": "2", "previous": "1"}')
    assert pointer == Pointer("2", "1")
    check_manifest(b"anything", pointer.digest("2"))


@pytest.mark.parametrize("digest", ["", "x", "A" * 64, "0" * 63, 7, []])
def test_a_sha256_that_is_none_is_refused(digest: object) -> None:
    with pytest.raises(BundleInvalid, match="sha256"):
        Pointer.parse(json.dumps({"version": "1", "sha256": digest}).encode())
