import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import BundleInvalid
from assay.models.bundle import Manifest, build, read_manifest
from assay.models.hashing import verify
from assay.models.layout import MANIFEST, Pointer
from assay.sequences.alphabet import Contract

DATA = Path(__file__).parents[2] / "data"
SEQUENCE = json.loads((DATA / "tiny-index" / "1" / MANIFEST).read_text())
TEXT = json.loads((DATA / "tiny-text" / "1" / MANIFEST).read_text())
Json = dict[str, Any]


def changed(document: Json, change: Callable[[Json], object]) -> bytes:
    copy = json.loads(json.dumps(document))
    change(copy)
    return json.dumps(copy).encode()


def test_a_manifest_survives_writing_and_reading() -> None:
    for document in (SEQUENCE, TEXT):
        manifest = Manifest.parse(json.dumps(document).encode())
        assert Manifest.parse(manifest.dumps()) == manifest
        assert manifest.digest == Manifest.parse(manifest.dumps()).digest


def test_a_manifest_says_what_its_model_reads() -> None:
    sequence = Manifest.parse(json.dumps(SEQUENCE).encode()).sequence
    assert sequence is not None
    assert sequence.contract == Contract("ACDEFGHIKLMNPQRSTVWY", 50)
    text = Manifest.parse(json.dumps(TEXT).encode())
    assert text.text is not None
    assert text.text.labels == ("astro-ph", "cs", "math", "physics")
    assert text.inputs[0].shape == (1, None)


def set_file(**values: object) -> Callable[[Json], object]:
    return lambda document: document["files"][0].update(values)


BROKEN: dict[str, tuple[Json, Callable[[Json], object]]] = {
    "another schema": (SEQUENCE, lambda d: d.update(schema=2)),
    "no name": (SEQUENCE, lambda d: d.pop("name")),
    "a name with a slash": (SEQUENCE, lambda d: d.update(name="a/b")),
    "a version that climbs": (SEQUENCE, lambda d: d.update(version="..")),
    "a number as version": (SEQUENCE, lambda d: d.update(version=1)),
    "an unknown task": (SEQUENCE, lambda d: d.update(task="regression")),
    "an unknown format": (SEQUENCE, lambda d: d.update(format="onnx")),
    "no files": (SEQUENCE, lambda d: d.update(files=[])),
    "65 files": (SEQUENCE, lambda d: d.update(files=d["files"] * 65)),
    "the same file twice": (SEQUENCE, lambda d: d.update(files=d["files"] * 2)),
    "an absolute path": (SEQUENCE, set_file(path="/etc/model.tflite")),
    "a path that climbs": (SEQUENCE, set_file(path="../model.tflite")),
    "a path that climbs inside": (SEQUENCE, set_file(path="a/../../model.tflite")),
    "a path with a backslash": (SEQUENCE, set_file(path="..\\model.tflite")),
    "a path with NUL": (SEQUENCE, set_file(path="a\0.tflite")),
    "an empty segment": (SEQUENCE, set_file(path="a//model.tflite")),
    "a hidden file": (SEQUENCE, set_file(path=".model.tflite")),
    "the manifest itself": (SEQUENCE, set_file(path="manifest.json")),
    "a negative size": (SEQUENCE, set_file(bytes=-1)),
    "a size that is true": (SEQUENCE, set_file(bytes=True)),
    "more than 5 GB": (SEQUENCE, set_file(bytes=6 * 10**9)),
    "too few chunks": (SEQUENCE, set_file(chunks=[])),
    "a chunk that is no sha256": (SEQUENCE, set_file(chunks=["x" * 64])),
    "a short sha256": (SEQUENCE, set_file(sha256="ab")),
    "no tflite file": (SEQUENCE, set_file(path="model.bin")),
    "no sequence": (SEQUENCE, lambda d: d.pop("sequence")),
    "an alphabet with a letter twice": (SEQUENCE, lambda d: d["sequence"].update(alphabet="AAC")),
    "an unknown encoding": (SEQUENCE, lambda d: d["sequence"].update(encoding="blosum")),
    "a length that does not fit the input": (SEQUENCE, lambda d: d["sequence"].update(length=43)),
    "an input of rank 3 for indices": (SEQUENCE, lambda d: d["inputs"][0].update(shape=[8, 50, 20])),
    "an input twice": (TEXT, lambda d: d.update(inputs=[d["inputs"][0]] * 2)),
    "an axis of no size": (SEQUENCE, lambda d: d["inputs"][0].update(shape=[0, 50])),
    "an unknown dtype": (SEQUENCE, lambda d: d["inputs"][0].update(dtype="string")),
    "an integer output": (SEQUENCE, lambda d: d["outputs"][0].update(dtype="int8")),
    "no outputs": (SEQUENCE, lambda d: d.update(outputs=[])),
    "metrics that are a list": (SEQUENCE, lambda d: d.update(metrics=[])),
    "no text": (TEXT, lambda d: d.pop("text")),
    "a label twice": (TEXT, lambda d: d["text"].update(labels=["cs", "cs"], thresholds={})),
    "a threshold of no label": (TEXT, lambda d: d["text"]["thresholds"].update(biology=0.5)),
    "a threshold that is text": (TEXT, lambda d: d["text"]["thresholds"].update(cs="0.5")),
    "an unknown activation": (TEXT, lambda d: d["text"].update(activation="relu")),
    "a tokenizer that is not listed": (TEXT, lambda d: d["text"].update(tokenizer="vocab.txt")),
    "max_tokens of 0": (TEXT, lambda d: d["text"].update(max_tokens=0)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_manifest_is_refused_with(name: str) -> None:
    with pytest.raises(BundleInvalid):
        Manifest.parse(changed(*BROKEN[name]))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"schema": NaN}', b"[" * 100_000, b" " * (1 << 21)])
def test_what_is_no_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(BundleInvalid):
        Manifest.parse(content)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([SEQUENCE, TEXT]), st.data(), JSONS)
def test_any_change_of_a_manifest_parses_or_is_bundle_invalid(
    document: Json, data: st.DataObject, value: object
) -> None:
    def change(copy: Json) -> None:
        place: Any = copy
        while True:
            key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not place[key] or not isinstance(place[key], dict | list) or data.draw(st.booleans()):
                place[key] = value
                return
            place = place[key]

    with suppress(BundleInvalid):
        Manifest.parse(changed(document, change))


def test_a_pointer_survives_writing_and_reading() -> None:
    assert Pointer.parse(Pointer("2", "1").dumps()) == Pointer("2", "1")
    assert Pointer.parse(b'{"version": "7"}') == Pointer("7")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"version": 2}', b'{"version": "../x"}', b'{"version": "1", "previous": "a/b"}']
)
def test_a_pointer_to_nowhere_is_refused(content: bytes) -> None:
    with pytest.raises(BundleInvalid):
        Pointer.parse(content)


def test_building_hashes_every_chunk_and_the_folder_verifies(tmp_path: Path) -> None:
    shutil.copytree(DATA / "tiny-index" / "1", tmp_path, dirs_exist_ok=True)
    manifest = build(tmp_path, SEQUENCE, chunk_bytes=1000)
    (file,) = manifest.files
    assert len(file.chunks) == -(-file.bytes // 1000)
    assert file.spans()[-1][1] == file.bytes
    assert file.sha256 == SEQUENCE["files"][0]["sha256"]
    verify(tmp_path, manifest, threads=2)


@pytest.mark.parametrize("damage", ["flip", "shorten", "lengthen", "remove"])
def test_a_damaged_folder_does_not_verify(tmp_path: Path, damage: str) -> None:
    shutil.copytree(DATA / "tiny-index" / "1", tmp_path, dirs_exist_ok=True)
    manifest = build(tmp_path, SEQUENCE, chunk_bytes=1000)
    path = tmp_path / "model.tflite"
    content = bytearray(path.read_bytes())
    match damage:
        case "flip":
            content[5_000] ^= 1
        case "shorten":
            content.pop()
        case "lengthen":
            content.append(0)
    path.write_bytes(content)
    if damage == "remove":
        path.unlink()
    with pytest.raises(BundleInvalid, match=r"model\.tflite"):
        verify(tmp_path, manifest, threads=2)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalid, match="manifest"):
        read_manifest(tmp_path)
