import bz2
import io
import lzma
import os
import pickle
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.errors import UnreadableInput
from tests.conftest import DATA
from tests.models_command import main
from tools.models.importers.sklearn import read_estimator
from tools.models.importing import convert_here

P4 = b"\x80\x04"


class Calls:
    """Pickles as a call of anything."""

    def __init__(self, function: Any, *operands: Any) -> None:
        self._call = function, operands

    def __reduce__(self) -> Any:
        return self._call


def short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def stack_global(module: str, name: str) -> bytes:
    return short(module) + short(name) + b"\x93"


def laughs() -> bytes:
    """A tuple of tuples of tuples, 2^100 in all, as the key of a dictionary: its hash would never end."""
    return P4 + b"})" + b"2\x86" * 100 + b"K\x01s."


def laughing_coefficients() -> bytes:
    """A regression whose coefficients are lists of ten lists of ten lists ..., 10^40 numbers by reference."""
    grown = (
        b"]\x94K\x01a"
        + b"0"
        + b"".join(b"](" + b"h" + bytes([at]) * 1 + (b"h" + bytes([at])) * 9 + b"e\x94" + b"0" for at in range(40))
    )
    fitted = b"}(" + short("coef_") + b"h\x28" + short("intercept_") + b"K\x00u"
    return P4 + grown + stack_global("sklearn.linear_model._base", "LinearRegression") + b")\x81" + fitted + b"b."


def doubled(levels: int) -> bytes:
    """A list that holds itself twice, so many levels deep: a few bytes, gigabytes if anyone writes it out."""
    return b"]" + b"\x94K\x00a" + b"".join(b"](h" + bytes([at]) + b"h" + bytes([at]) + b"e\x94" for at in range(levels))


def doubling(use: bytes, levels: int = 60) -> bytes:
    """A file whose last object is what doubles, used as `use` says."""
    return P4 + doubled(levels) + use + b"."


HOSTILE: dict[str, bytes] = {
    "os.system": pickle.dumps(Calls(os.system, "echo owned")),
    "os.system, protocol 0": b"cos\nsystem\n(S'echo owned'\ntR.",
    "eval": pickle.dumps(Calls(eval, "1 / 0")),
    "exec": pickle.dumps(Calls(exec, "raise SystemExit")),
    "open": pickle.dumps(Calls(open, "/etc/passwd")),
    "getattr": b"\x80\x04"
    + stack_global("builtins", "getattr")
    + stack_global("os", "system")
    + short("x")
    + b"\x86R.",
    "import": P4 + stack_global("builtins", "__import__") + short("os") + b"\x85R.",
    "a dotted name": P4 + stack_global("numpy", "core.os.system") + short("x") + b"\x85R.",
    "through an allowed module": P4 + stack_global("sklearn.linear_model._base", "os") + b"(tR.",
    "numpy.load": P4 + stack_global("numpy", "load") + short("/tmp/x.npy") + b"\x85R.",
    "numpy testing": P4 + stack_global("numpy.testing._private.utils", "runstring") + b"(tR.",
    "codecs": P4 + stack_global("_codecs", "decode") + short("x") + b"\x85R.",
    "another codec": P4 + stack_global("_codecs", "encode") + short("x") + short("rot13") + b"\x86R.",
    "copyreg": P4 + stack_global("copyreg", "add_extension") + b"(tR.",
    "copyreg of another class": P4 + stack_global("copyreg", "__newobj__") + b"(tR.",
    "extension registry": b"\x80\x02\x82\x01.",
    "a persistent id": b"\x80\x04\x8c\x01xQ.",
    "the operation INST": b"(S'echo owned'\nios\nsystem\n.",
    "the operation OBJ": b"(cos\nsystem\nS'x'\no.",
    "a nested reduce": pickle.dumps({"coef_": [Calls(Calls, os.system)]}),
    "a call of a record": P4 + stack_global("sklearn.svm._classes", "LinearSVR") + b")R(tR.",
    "attributes that are no names": b"\x80\x04"
    + stack_global("sklearn.svm._classes", "LinearSVR")
    + b")R}K\x01K\x02sb.",
    "a key without end": laughs(),
    "a memo of 4 billion": b"\x80\x04Nr\xff\xff\xff\xff0.",
    "an array of 8 EiB": b"\x80\x04"
    + stack_global("numpy", "ndarray")
    + b")R(K\x01\x8a\x08"
    + b"\xff" * 7
    + b"\x7f\x85"
    + stack_global("numpy", "dtype")
    + short("f8")
    + b"\x85RI00\nC\x00tb.",
    "a string of 8 EiB": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"x.",
    "a number of many digits": b"I" + b"9" * 100_000 + b"\n.",
    "cut short": pickle.dumps(np.ones(5))[:-20],
    "nothing": b"",
    "not a pickle": b"PK\x03\x04 a zip file, perhaps",
    "only a mark": b"(.",
    "a plain list": pickle.dumps([1, 2, 3]),
    "a broken compression": zlib.compress(pickle.dumps([1]))[:-3] + b"???",
    "posix by its own name": P4 + stack_global("posix", "system") + short("echo owned") + b"\x85R.",
    "subprocess": P4 + stack_global("subprocess", "Popen") + short("echo") + b"\x85R.",
    "a method of a builtin": P4 + stack_global("builtins", "getattr.__call__") + b"(tR.",
    "dunder of an allowed name": P4 + stack_global("numpy", "dtype.__class__") + b"(tR.",
    "runpy": P4 + stack_global("runpy", "run_path") + short("/tmp/x.py") + b"\x85R.",
    "another pickle within": P4 + stack_global("pickle", "loads") + b"C\x01.\x85R.",
    "the operation NEWOBJ": P4 + stack_global("subprocess", "Popen") + short("echo") + b"\x85\x81.",
    "the operation NEWOBJ_EX": P4 + stack_global("subprocess", "Popen") + b")}\x92.",
    "extension registry, 2 bytes": b"\x80\x02\x83\x01\x00.",
    "extension registry, 4 bytes": b"\x80\x02\x84\x01\x00\x00\x00.",
    "a persistent id, protocol 0": b"P1\n.",
    "a buffer from elsewhere": b"\x80\x05\x97.",
    "a buffer made read-only": b"\x80\x05\x97\x98.",
    "the top of the stack twice": P4 + b"]2.",
    "bytes of 8 EiB": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 63) + b"x.",
    "text of 8 EiB": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x.",
    "a bytearray of 8 EiB": b"\x80\x05\x96" + struct.pack("<Q", 1 << 62) + b"x.",
    "bytes of 4 GiB": b"\x80\x03B\xff\xff\xff\xffx.",
    "a number of 2 GiB": b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
    "a number of negative length": b"\x80\x02\x8b\xff\xff\xff\xff\x01.",
    "a frame of 8 EiB": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"N.",
    "a memo that was never put": P4 + b"h\x07.",
    "lists within lists": P4 + b"]" * 100_000 + b"a" * 99_999 + b".",
    "tuples within tuples": P4 + b")" + b"\x85" * 100_000 + b".",
    "a list within itself": P4 + b"]\x94h\x00a.",
    "lists that double, as coefficients": laughing_coefficients(),
    "an array of objects": pickle.dumps(np.array([Calls(os.system, "echo owned"), None], dtype=object)),
    "gzip of a call": zlib.compress(pickle.dumps(Calls(os.system, "echo owned")), wbits=31),
    "zlib of a call": zlib.compress(pickle.dumps(Calls(os.system, "echo owned"))),
    "bzip2 of a call": bz2.compress(pickle.dumps(Calls(os.system, "echo owned"))),
    "xz of a call": lzma.compress(pickle.dumps(Calls(os.system, "echo owned"))),
    "lzma of a call": lzma.compress(pickle.dumps(Calls(os.system, "echo owned")), lzma.FORMAT_ALONE),
    "lzma that wants 2 GiB": b"\x5d\x00\x00\x00\x80" + b"\xff" * 8 + bytes(64),
    "lz4": b"\x04\x22\x4d\x18" + bytes(32),
    "a dtype that doubles": doubling(stack_global("numpy", "dtype") + b"h<\x85R"),
    "a module that doubles": doubling(short("x") + b"\x93"),
    "a class that doubles": P4 + short("x") + doubled(60) + b"\x93.",
    "a name and a module that double": doubling(b"h<h<\x93"),
    "an order that doubles": doubling(
        stack_global("numpy._core.numeric", "_frombuffer")
        + b"(C\x00"
        + stack_global("numpy", "dtype")
        + short("f8")
        + b"\x85RK\x00h<tR"
    ),
    "an encoding that doubles": doubling(stack_global("_codecs", "encode") + short("x") + b"h<\x86R"),
    "a byte order that doubles": doubling(stack_global("numpy", "dtype") + short("f8") + b"\x85R(K\x03h<NNNtb"),
    "a shape that doubles": doubling(
        stack_global("numpy", "ndarray")
        + b")R(K\x01h<"
        + stack_global("numpy", "dtype")
        + short("f8")
        + b"\x85RI00\nC\x00tb"
    ),
    "steps whose names double": doubling(
        stack_global("sklearn.pipeline", "Pipeline") + b")R}(" + short("steps") + b"]h<K\x01\x86aub"
    ),
    "a step that doubles": doubling(
        stack_global("sklearn.pipeline", "Pipeline") + b")R}(" + short("steps") + b"]" + short("x") + b"h<\x86aub"
    ),
    "a mark taken as a value": P4 + b"(\x85.",
    "a mark taken by an append": P4 + b"](a.",
    "a model of another kind": P4 + stack_global("sklearn.ensemble._forest", "RandomForestRegressor") + b")R.",
}


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("Python's own unpickler was used")

    for name in ("load", "loads", "Unpickler", "_Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr("tools.cli.models_import.convert_apart", convert_here)
    monkeypatch.setattr(os, "system", lambda _: pytest.fail("a command of the file was run"))


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_and_broken_files_are_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(HOSTILE[case])
    with pytest.raises(UnreadableInput) as error:
        read_estimator(path, 20)
    assert len(str(error.value)) < 400
    assert main(["import", str(path), "--name", "hostile", "--to", str(tmp_path / "bundles")]) == 1
    assert "UnreadableInput" in capsys.readouterr().err
    assert not (tmp_path / "bundles").exists()


def test_the_name_that_was_refused_is_told(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(HOSTILE["os.system"])
    with pytest.raises(UnreadableInput, match=r"(posix|nt)\.system.*nothing of it was run"):
        read_estimator(path, 20)


def test_a_compressed_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.models.importers.joblib_files.MOST_BYTES", 1 << 20)
    path = tmp_path / "model.joblib"
    path.write_bytes(zlib.compress(bytes(8 << 20)))
    with pytest.raises(UnreadableInput, match="unpacks to more than 1 MiB"):
        read_estimator(path, 20)


def test_operations_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.models.importers.inert_pickle._MOST_OPERATIONS", 1000)
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04" + b"N0" * 1000 + b"N.")
    with pytest.raises(UnreadableInput, match="too many operations"):
        read_estimator(path, 20)


def test_an_array_whose_bytes_are_fewer_than_its_shape_is_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    pickle._Pickler(whole, 2).dump({"coef_": np.ones(4)})
    path = tmp_path / "model.pkl"
    path.write_bytes(whole.getvalue().replace(b"K\x04\x85", b"K\x09\x85"))
    with pytest.raises(UnreadableInput, match=r"shape|whole"):
        read_estimator(path, 20)


def copies(number: int, size: int) -> bytes:
    """One text of so many letters, made into bytes again and again."""
    text = b"X" + struct.pack("<I", size) + b"a" * size + b"\x940"
    return P4 + text + b"](" + (stack_global("_codecs", "encode") + b"h\x00\x85R") * number + b"e."


def buffers(number: int, size: int) -> bytes:
    """The same bytes as the content of one array after another."""
    kinds = stack_global("numpy", "dtype") + short("u1") + b"\x85R"
    raw = b"B" + struct.pack("<I", size) + bytes(size) + b"\x940"
    one = stack_global("numpy", "ndarray") + b")R(K\x01J" + struct.pack("<I", size) + b"\x85" + kinds + b"I00\nh\x00tb"
    return P4 + raw + b"](" + one * number + b"e."


GROWING: dict[str, Callable[[int], bytes]] = {
    "marks and lists": lambda size: P4 + b"(" * size + b"l" * size + b".",
    "marks and tuples": lambda size: P4 + b"(" * size + b"t" * size + b".",
    "marks that are popped": lambda size: P4 + b"(0" * size + b"N.",
    "texts made into bytes": lambda size: copies(size // 40, size),
    "bytes made into arrays": lambda size: buffers(size // 40, size),
}


@pytest.mark.parametrize("case", GROWING)
def test_memory_and_time_grow_no_faster_than_the_file(tmp_path: Path, case: str) -> None:
    costs = []
    for size in (100_000, 200_000):
        path = tmp_path / f"{size}.pkl"
        path.write_bytes(GROWING[case](size))
        tracemalloc.start()
        began = time.process_time()
        with pytest.raises(UnreadableInput):
            read_estimator(path, 20)
        seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        costs.append((seconds, peak / path.stat().st_size))
    assert costs[1][0] < 20
    assert costs[1][1] < 100, "bytes of memory for each byte of the file"
    assert costs[1][1] < 2 * costs[0][1] + 1


@pytest.mark.parametrize("path", sorted((DATA / "sklearn" / "1.7.2").glob("s*")), ids=lambda path: path.name)
def test_a_file_changed_anywhere_is_read_or_refused_in_words(tmp_path: Path, path: Path) -> None:
    content, random = path.read_bytes(), np.random.default_rng(12)
    for _ in range(150):
        changed = bytearray(content)
        for at in random.integers(0, len(content), random.integers(1, 6)):
            changed[at] = random.integers(0, 256)
        (tmp_path / "model").write_bytes(changed)
        with suppress(UnreadableInput):
            read_estimator(tmp_path / "model", 20)
