"""PyTorch's files read without PyTorch: the same numbers, and nothing that is not a tensor."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UnreadableInput
from tests.conftest import DATA
from tests.unit.importers.drawn import drawn
from tools.models.importers.torch_files import read_tensors

FILES = [DATA / "torch" / "new.bin", DATA / "torch" / "legacy.bin"]
MATRIX = drawn("matrix", [5, 7]).astype(np.float32)
EXPECTED: dict[str, Any] = {
    "matrix": MATRIX,
    "transposed": MATRIX.T,
    "part": MATRIX[1:3, 2:],
    "parameter": drawn("parameter", [3]),
    "half": np.array([0.5, -2.0, 1024.0], np.float16),
    "bfloat16": np.array([0.5, -2.0, 3.140625], np.float32),
    "counts": np.arange(5),
    "number": np.array(3.5, np.float32),
    "nothing": np.zeros((0, 3), np.float32),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_kind_of_tensor_is_read_to_the_bit(path: Path) -> None:
    found = read_tensors(path)
    assert found.keys() == EXPECTED.keys()
    for name, expected in EXPECTED.items():
        assert found[name].dtype == expected.dtype, name
        assert found[name].shape == expected.shape, name
        assert np.array_equal(found[name], expected), name


class Calls:
    def __reduce__(self) -> Any:
        import os

        return os.system, ("echo owned",)


def zipped(path: Path, content: bytes, *, compression: int = zipfile.ZIP_STORED, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", content)
        for name, part in parts.items():
            archive.writestr(f"archive/{name.replace('__', '/')}", part)
    return path


def view(sizes: str, strides: str, offset: int = 0) -> bytes:
    """A pickle of one tensor over a storage of four float32."""
    storage = b"(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI4\ntQ"
    operands = b"(" + storage + f"I{offset}\n({sizes}t({strides}t".encode() + b"I00\nccollections\nOrderedDict\n)Rt"
    return b"\x80\x02}S'x'\n" + b"ctorch._utils\n_rebuild_tensor_v2\n" + operands + b"Rs."


def test_a_view_within_its_storage_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "x.bin", view("I2\nI2\n", "I2\nI1\n"), data__0=np.arange(4, dtype="<f4").tobytes())
    assert read_tensors(path)["x"].tolist() == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    "content",
    [
        view("I2\nI3\n", "I2\nI1\n"),
        view("I2\nI2\n", "I2\nI1\n", offset=1),
        view("I100000\nI100000\n", "I0\nI0\n"),
        view("I2\n", "I-1\n"),
        view("I2\nI2\n", "I1\n"),
        view("I1099511627775\n", "I1\n"),
    ],
    ids=["beyond", "an offset beyond", "repeated", "backwards", "other axes", "huge"],
)
def test_a_view_that_leaves_its_storage_is_refused(tmp_path: Path, content: bytes) -> None:
    path = zipped(tmp_path / "x.bin", content, data__0=np.arange(4, dtype="<f4").tobytes())
    with pytest.raises(UnreadableInput, match="tensor"):
        read_tensors(path)


def test_files_that_hold_anything_else_are_refused(tmp_path: Path) -> None:
    raw = np.arange(4, dtype="<f4").tobytes()
    tensor = view("I2\n", "I1\n")
    cases = {
        "nothing of it was run": zipped(tmp_path / "call.bin", pickle.dumps({"x": Calls()}, 2)),
        "not weights by their names": zipped(tmp_path / "list.bin", pickle.dumps([1], 2)),
        "lacks the storage": zipped(tmp_path / "absent.bin", tensor),
        "is compressed": zipped(tmp_path / "packed.bin", tensor, compression=zipfile.ZIP_DEFLATED, data__0=raw),
        "big-endian": zipped(tmp_path / "big.bin", tensor, data__0=raw, byteorder=b"big"),
        "data.pkl": tmp_path / "other.bin",
    }
    with zipfile.ZipFile(cases["data.pkl"], "w") as archive:
        archive.writestr("readme", "")
    for words, path in cases.items():
        with pytest.raises(UnreadableInput, match=words):
            read_tensors(path)


def test_a_plain_pickle_is_no_file_of_pytorch(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(pickle.dumps({"x": Calls()}, 2))
    with pytest.raises(UnreadableInput, match="nothing of it was run"):
        read_tensors(tmp_path / "x.bin")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@given(data=st.data())
def test_a_file_changed_or_cut_anywhere_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, path: Path, data: st.DataObject
) -> None:
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    changed = tmp_path_factory.mktemp("torch") / "x.bin"
    changed.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        found = read_tensors(changed)
    except (UnreadableInput, zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError):
        return
    assert all(isinstance(each, np.ndarray) for each in found.values())
