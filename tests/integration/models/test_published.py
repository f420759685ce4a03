"""The one reader of current.json and manifest.json: what it refuses, for every caller."""

import json
from pathlib import Path

import pytest

from assay.errors import BundleInvalid, NotFound, ObjectMissing
from assay.models.manifest import MANIFEST, MAX_MANIFEST_BYTES, MAX_POINTER_BYTES, Pointer, Target
from assay.models.published import Shelf, bundle_key, current_key, read_pointer, read_published
from assay.settings import Settings
from portal.models import Catalogue
from tests.conftest import DATA, Aws
from tests.integration.registries import NAME, TASK, put_version
from tools.models.publish import find_version

CONTENT = (DATA / NAME / "1" / MANIFEST).read_bytes()
BROKEN = {
    "no JSON": b"{",
    "another name": json.dumps({**json.loads(CONTENT), "name": "other"}).encode(),
    "another version": json.dumps({**json.loads(CONTENT), "version": "2"}).encode(),
    "too large": CONTENT + b" " * MAX_MANIFEST_BYTES,
    "not what the pointer means": CONTENT + b" ",
}


@pytest.fixture
def bucket(aws: Aws, tmp_path: Path) -> Aws:
    put_version(aws, tmp_path, "1")
    return aws


@pytest.mark.parametrize("kind", BROKEN)
def test_every_reader_refuses_the_same_manifest(bucket: Aws, kind: str) -> None:
    bucket.models.put(bundle_key(NAME, "1"), BROKEN[kind], "")
    pointer = read_pointer(bucket.models, NAME)
    with pytest.raises(BundleInvalid):
        read_published(bucket.models, NAME, pointer.version, pointer.sha256)
    with pytest.raises(BundleInvalid):
        find_version(bucket.models, NAME, None)
    assert Catalogue(bucket.models, Settings.from_environ({})).manifest(NAME) is None


@pytest.mark.parametrize("kind", sorted(set(BROKEN) - {"not what the pointer means"}))
def test_a_caller_who_names_a_broken_version_is_told_that_there_is_none(bucket: Aws, kind: str) -> None:
    bucket.models.put(bundle_key(NAME, "1"), BROKEN[kind], "")
    with pytest.raises(NotFound, match="no version"):
        Shelf(bucket.models).require(Target(NAME, "1"), TASK)


def test_a_pointer_is_read_up_to_its_limit(bucket: Aws) -> None:
    content = Pointer("1").dumps().ljust(MAX_POINTER_BYTES)
    bucket.models.put(current_key(NAME), content, "")
    assert read_pointer(bucket.models, NAME) == Pointer("1")
    bucket.models.put(current_key(NAME), content + b" ", "")
    with pytest.raises(BundleInvalid, match="larger"):
        read_pointer(bucket.models, NAME)
    with pytest.raises(NotFound, match="no model"):
        Shelf(bucket.models).require(Target(NAME), TASK)
    with pytest.raises(ObjectMissing):
        read_pointer(bucket.models, "other")
