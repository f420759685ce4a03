"""Keras files with code in them, references out of them, or nothing; needs TensorFlow: `make test-tensorflow`."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")

from assay.errors import UnreadableInput
from tests.importers.test_keras import K, flat, imported, saved
from tools.models.importers.result import ImportRequest


def refuse_loading(*_: Any, **__: Any) -> None:
    raise AssertionError("Keras was given a file with code in it")


def lambda_layer() -> Any:
    return keras.Sequential([keras.Input((50, 20)), K.Lambda(lambda rows: rows * 2), K.Flatten(), K.Dense(1)])


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_lambda_layer_is_refused_before_keras_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lambda_layer().save(tmp_path / name)
    monkeypatch.setattr(keras.saving, "load_model", refuse_loading)
    with pytest.raises(UnreadableInput, match=r"Lambda.*never run"):
        imported(tmp_path, ImportRequest(tmp_path / name))


def rewritten(path: Path, change: Any) -> Path:
    """Return a `.keras` file whose configuration was changed."""
    target = path.with_name("changed.keras")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            copy.writestr(name, content)
    return target


@pytest.mark.parametrize(
    "gadget",
    [
        {"module": "os", "class_name": "system", "config": "echo owned"},
        {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://127.0.0.1/"}},
        {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp/x"}},
        {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        {"module": "my.package", "class_name": "Dense", "config": {}, "registered_name": "my>Dense"},
        {"module": None, "class_name": "Dense", "config": {}, "registered_name": "my>Dense"},
        {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}},
        {"module": "keras.src.ops.core", "class_name": "Map", "config": {}},
        {"module": "keras.src.utils.file_utils", "class_name": "Dense", "config": {}},
        {"class_name": ["Dense"], "config": {}},
    ],
)
def test_gadgets_in_the_configuration_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gadget: dict[str, Any]
) -> None:
    path = rewritten(saved(tmp_path, flat()), lambda config: config["config"]["layers"].append(gadget))
    monkeypatch.setattr(keras.saving, "load_model", refuse_loading)
    with pytest.raises(UnreadableInput):
        imported(tmp_path, ImportRequest(path))


def test_weights_in_another_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.h5").write_bytes(b"")
    path = saved(tmp_path, flat(), "model.h5")
    with h5py.File(path, "a") as file:
        file["elsewhere"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
    with pytest.raises(UnreadableInput, match="another place"):
        imported(tmp_path, ImportRequest(path))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n" + bytes(100), b"text"])
def test_a_file_that_is_none_of_keras_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(UnreadableInput):
        imported(tmp_path, ImportRequest(tmp_path / "model.keras"))


def test_weights_alone_are_refused(tmp_path: Path) -> None:
    flat().save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(UnreadableInput, match="without their network"):
        imported(tmp_path, ImportRequest(tmp_path / "model.weights.h5"))
