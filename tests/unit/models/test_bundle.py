import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import BundleInvalid
from assay.models.manifest import MANIFEST, File, Manifest, Pointer, Target, check_manifest, read_manifest
from assay.models.published import bundle_key, current_key, verify_files
from assay.sequences.contract import Contract
from tools.models.build import build_manifest, describe_file

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
    manifest = build_manifest(tmp_path, SEQUENCE, chunk_bytes=1000)
    (file,) = manifest.files
    assert len(file.chunks) == -(-file.bytes // 1000)
    assert file.spans()[-1][1] == file.bytes
    assert file.sha256 == SEQUENCE["files"][0]["sha256"]
    verify_files(tmp_path, manifest, threads=2)


@pytest.mark.parametrize("damage", ["flip", "shorten", "lengthen", "remove"])
def test_a_damaged_folder_does_not_verify(tmp_path: Path, damage: str) -> None:
    shutil.copytree(DATA / "tiny-index" / "1", tmp_path, dirs_exist_ok=True)
    manifest = build_manifest(tmp_path, SEQUENCE, chunk_bytes=1000)
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
        verify_files(tmp_path, manifest, threads=2)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleInvalid, match="manifest"):
        read_manifest(tmp_path)


def distinct(count: int) -> Callable[[Json], object]:
    """Return a change to so many files of different paths, one of them the model."""
    return lambda d: d.update(files=[*d["files"], *({**d["files"][0], "path": f"{at}.txt"} for at in range(1, count))])


def test_as_many_files_and_bytes_as_a_bundle_may_have_are_taken_and_no_more() -> None:
    assert len(Manifest.parse(changed(SEQUENCE, distinct(64))).files) == 64
    with pytest.raises(BundleInvalid, match=r"files is not a list of 1\.\.64 items"):
        Manifest.parse(changed(SEQUENCE, distinct(65)))

    def sized(size: int) -> Callable[[Json], object]:
        part = 1 << 30
        return set_file(bytes=size, chunk_bytes=part, chunks=["a" * 64] * -(-size // part))

    assert Manifest.parse(changed(SEQUENCE, sized(5 * 10**9))).size == 5 * 10**9
    with pytest.raises(BundleInvalid):
        Manifest.parse(changed(SEQUENCE, sized(5 * 10**9 + 1)))
    two: Callable[[Json], object] = lambda d: (sized(5 * 10**9)(d), distinct(2)(d))  # noqa: E731
    with pytest.raises(BundleInvalid, match="has 10000000000 bytes, more than 5000000000"):
        Manifest.parse(changed(SEQUENCE, two))


def test_a_manifest_and_a_pointer_end_where_they_are_too_large_to_be_read(tmp_path: Path) -> None:
    content = json.dumps(SEQUENCE).encode()
    assert Manifest.parse(content.ljust(1 << 20)) == Manifest.parse(content)
    with pytest.raises(BundleInvalid, match="more than 1048576"):
        Manifest.parse(content.ljust((1 << 20) + 1))
    assert Pointer.parse(b'{"version": "7"}'.ljust(1 << 16)) == Pointer("7")
    with pytest.raises(BundleInvalid, match="more than 65536"):
        Pointer.parse(b'{"version": "7"}'.ljust((1 << 16) + 1))
    (tmp_path / MANIFEST).write_bytes(content.ljust((1 << 20) + 1))
    with pytest.raises(BundleInvalid, match="more than 1048576"):
        read_manifest(tmp_path)


SAVED = json.loads((DATA / "tiny-index-saved" / "1" / MANIFEST).read_text())


@pytest.mark.parametrize(("document", "path"), [(SEQUENCE, "model.tflite"), (SAVED, "saved/saved_model.pb")])
def test_a_bundle_has_one_file_of_its_format(document: Json, path: str) -> None:
    assert Manifest.parse(json.dumps(document).encode()).model_path == path
    ending = path.rpartition("/")[2].removeprefix("model")

    def without(d: Json) -> None:
        d.update(files=[{**each, "path": f"{at}.bin"} for at, each in enumerate(d["files"])])

    def twice(d: Json) -> None:
        d["files"].append({**d["files"][0], "path": f"other/{ending}".replace("/.", "/a.")})

    for change, count in ((without, 0), (twice, 2)):
        with pytest.raises(BundleInvalid, match=f"has one file .*, this one {count}"):
            Manifest.parse(changed(document, change))


@pytest.mark.parametrize("inputs", [0, 2])
def test_a_sequence_model_has_one_input(inputs: int) -> None:
    def change(d: Json) -> None:
        d["inputs"] = [{**d["inputs"][0], "name": str(at)} for at in range(inputs)]

    with pytest.raises(BundleInvalid, match="input"):
        Manifest.parse(changed(SEQUENCE, change))


@pytest.mark.parametrize(
    ("encoding", "shape"),
    [("index", [None, 50]), ("one_hot", [None, 50, 20]), ("one_hot_flat", [None, 1000])],
)
def test_an_input_fits_its_encoding_and_no_other(encoding: str, shape: list[int | None]) -> None:
    def change(d: Json, to: list[int | None]) -> None:
        d["sequence"]["encoding"], d["inputs"][0]["shape"] = encoding, to

    assert Manifest.parse(changed(SEQUENCE, lambda d: change(d, shape))).inputs[0].shape == tuple(shape)
    assert Manifest.parse(changed(SEQUENCE, lambda d: change(d, [8, *shape[1:]]))).inputs[0].shape[0] == 8
    for other in ([None, 50], [None, 50, 20], [None, 1000], [None], [None, 20, 50], [None, 50, 20, 1]):
        if other != shape:
            with pytest.raises(BundleInvalid, match=f"does not fit encoding {encoding} of 50 residues"):
                Manifest.parse(changed(SEQUENCE, lambda d, to=other: change(d, to)))  # type: ignore[misc]


def test_a_file_is_no_folder_of_another_whatever_the_case() -> None:
    for path in ("MODEL.tflite", "model.tflite/a.txt", "Model.Tflite/b/a.txt"):
        with pytest.raises(BundleInvalid, match="same path"):
            Manifest.parse(changed(SEQUENCE, lambda d, path=path: d["files"].append({**d["files"][0], "path": path})))  # type: ignore[misc]


def test_what_a_manifest_does_not_say_is_empty_and_not_written() -> None:
    manifest = Manifest.parse(
        changed(SEQUENCE, lambda d: [d.pop(name, 0) for name in ("licence", "metrics", "provenance")])
    )
    assert (manifest.licence, manifest.metrics, manifest.provenance, manifest.text) == ("", {}, {}, None)
    written = json.loads(manifest.dumps())
    assert "text" not in written
    assert "quantization" not in written
    assert written["schema"] == 1
    assert manifest.dumps().endswith(b"}\n")


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 2500, (1 << 20) + 7])
def test_what_is_hashed_is_what_is_verified(tmp_path: Path, size: int) -> None:
    content = bytes(at * 7 % 251 for at in range(size))
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    part = 1000 if size < 10_000 else 1 << 21
    said = describe_file(path, part)
    assert said["bytes"] == size
    assert said["chunk_bytes"] == part
    assert said["sha256"] == sha256(content).hexdigest()
    assert said["chunks"] == [sha256(content[at : at + part]).hexdigest() for at in range(0, size, part)]
    file = File("a.bin", size, said["sha256"], part, tuple(said["chunks"]))
    manifest: Any = SimpleNamespace(files=[file])
    verify_files(tmp_path, manifest, threads=2)
    if size:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        last = (size - 1) // part * part
        with pytest.raises(BundleInvalid, match=rf"a\.bin differs from its manifest in the chunk from byte {last}$"):
            verify_files(tmp_path, manifest, threads=2)


def test_a_pointer_says_which_manifest_each_version_has() -> None:
    first, second = "a" * 64, "b" * 64
    pointer = Pointer("2", "1", first, second)
    assert (pointer.digest("2"), pointer.digest("1"), pointer.digest("3")) == (first, second, None)
    assert Pointer("1", "1", first, second).digest("1") == first
    assert Pointer.parse(pointer.dumps()) == pointer
    assert json.loads(pointer.dumps())["schema"] == 1
    for wrong in ("a" * 63, "A" * 64, "a" * 65, "", 7):
        for name in ("sha256", "previous_sha256"):
            with pytest.raises(BundleInvalid, match="invalid sha256"):
                Pointer.parse(json.dumps({"version": "1", name: wrong}).encode())


def test_names_are_as_long_as_they_may_be_and_keys_are_where_bundles_lie() -> None:
    for text in ("a" * 63, "a" * 63 + "@" + "1" * 64):
        assert Target.parse(text).name == "a" * 63
    for text in ("a" * 64, "a@" + "1" * 65, "a@"):
        with pytest.raises(BundleInvalid):
            Target.parse(text)
    assert Target.parse("a") == Target("a", None)
    assert current_key("a") == "models/a/current.json"
    assert bundle_key("a", "1") == "models/a/1/manifest.json"
    assert bundle_key("a", "1", "x/y") == "models/a/1/x/y"


def test_a_manifest_is_the_one_that_the_pointer_means_or_any() -> None:
    check_manifest(b"x", None)
    check_manifest(b"x", sha256(b"x").hexdigest())
    with pytest.raises(BundleInvalid, match="its sha256 differs"):
        check_manifest(b"x", sha256(b"y").hexdigest())


def test_building_takes_all_files_of_a_folder_but_its_manifest(tmp_path: Path) -> None:
    shutil.copytree(DATA / "tiny-index" / "1", tmp_path, dirs_exist_ok=True)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "manifest.json").write_text("{}")
    manifest = build_manifest(tmp_path, SEQUENCE)
    assert [file.path for file in manifest.files] == ["model.tflite", "more/manifest.json"]
    assert {file.chunk_bytes for file in manifest.files} == {8 << 20}
    assert manifest.size == sum(file.bytes for file in manifest.files)


@pytest.mark.parametrize(
    ("name", "version"), [("tiny-index", "2"), ("tiny-indez", "1"), ("a", "1"), ("zzz", "1"), ("a", "2")]
)
def test_a_manifest_is_of_the_version_that_was_asked_for(name: str, version: str) -> None:
    content = json.dumps(SEQUENCE).encode()
    digest = sha256(content).hexdigest()
    assert Manifest.of_version(content, "tiny-index", "1", None) == Manifest.of_version(
        content, "tiny-index", "1", digest
    )
    with pytest.raises(BundleInvalid, match=f"^the manifest is for tiny-index 1, not for {name} {version}$"):
        Manifest.of_version(content, name, version, digest)
    with pytest.raises(BundleInvalid, match="its sha256 differs"):
        Manifest.of_version(content, "tiny-index", "1", "a" * 64)
