"""PyTorch's files of weights, read without PyTorch: tensors only, by the restricted pickle machine.

Two forms: a zip of a pickle and a file a storage (since 1.6), and pickles followed by raw storages (before). A tensor
is a view of a storage: its offset, sizes and strides are held to the storage's bytes before anything is read.
"""

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from assay.errors import UnreadableInput
from tools.models.importers.inert_pickle import Known, PickleMachine

Array = npt.NDArray[Any]

_STORAGES: Final[Mapping[str, str]] = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "<u1",
}
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_MOST_BYTES: Final = 64 << 30
_MOST_PICKLE: Final = 64 << 20
_MOST_AXES: Final = 16

Read = Callable[[str, str, int], bytes]
"""Returns the bytes of a storage by key, format and number of elements."""


@dataclass(frozen=True, eq=False)
class Storage:
    """A run of numbers that the file names: its key, format and number of elements."""

    key: str
    form: str
    count: int


@dataclass(frozen=True, eq=False)
class TorchTensor:
    """A view of a storage."""

    storage: Storage
    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self, read: Read) -> Array:
        """Return the numbers, float32 where they were bfloat16; UnreadableInput where the view leaves its storage."""
        numbers = widen(read(self.storage.key, self.storage.form, self.storage.count), self.storage.form)
        last = self.offset + sum((size - 1) * step for size, step in zip(self.sizes, self.strides, strict=True))
        whole = math.prod(self.sizes)
        if whole and not 0 <= last < len(numbers):
            raise UnreadableInput("the file holds a tensor that reaches beyond its storage")
        if whole > len(numbers):
            raise UnreadableInput("the file holds a tensor that repeats its storage, as no weight does")
        steps = [step * numbers.itemsize for step in self.strides]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.sizes, steps, writeable=False)
        return view.copy()


def widen(raw: bytes, form: str) -> Array:
    """Return the numbers of a storage; bfloat16, which NumPy lacks, is the upper half of a float32."""
    if form != "bfloat16":
        return np.frombuffer(raw, form)
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)


def read_tensors(path: Path) -> dict[str, Array]:
    """Return the tensors of a file by name; UnreadableInput where it is none, or holds anything but tensors."""
    if zipfile.is_zipfile(path):
        return _read_zip(path)
    with path.open("rb") as file:
        return _read_legacy(file, path.stat().st_size)


def _read_zip(path: Path) -> dict[str, Array]:
    with zipfile.ZipFile(path) as archive:
        entries = {each.filename: each for each in archive.infolist()}
        pickles = [name for name in entries if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(pickles) != 1:
            raise UnreadableInput(f"{path.name} is a zip without PyTorch's data.pkl")
        if any(each.compress_type != zipfile.ZIP_STORED for each in entries.values()):
            raise UnreadableInput(f"{path.name} is compressed, as PyTorch does not write it")
        root = pickles[0].removesuffix("data.pkl")
        _require_little_endian(archive, entries, root)
        content = _read_bounded(archive, entries[pickles[0]], _MOST_PICKLE)

        def read(key: str, form: str, count: int) -> bytes:
            entry = entries.get(f"{root}data/{key}")
            if entry is None:
                raise UnreadableInput(f"the file lacks the storage {key[:40]}")
            raw = _read_bounded(archive, entry, _MOST_BYTES)
            return raw[: count * _size(form)]

        return _tensors(TorchMachine(io.BytesIO(content), len(content)).run(), read)


def _require_little_endian(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], root: str) -> None:
    order = entries.get(f"{root}byteorder")
    if order is not None and _read_bounded(archive, order, 16) != b"little":
        raise UnreadableInput("the file was written on a big-endian machine: save it again on another")


def _read_bounded(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    if entry.file_size > most:
        raise UnreadableInput(
            f"the file's part {entry.filename[:40]} has {entry.file_size:,} bytes, more than {most:,}"
        )
    return archive.read(entry)


def _read_legacy(file: IO[bytes], size: int) -> dict[str, Array]:
    """Return the tensors of a file as PyTorch wrote it before 1.6."""
    if TorchMachine(file, 0).run() != _MAGIC:
        raise UnreadableInput("the file is not one of PyTorch's")
    TorchMachine(file, 0).run()  # the version of the form
    TorchMachine(file, size).run()  # the system that wrote it
    machine = TorchMachine(file, size)
    found = machine.run()
    keys = TorchMachine(file, size).run()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise UnreadableInput("the file does not say which storages it holds")
    raws = {key: _raw(file, machine.storages.get(key)) for key in keys}

    def read(key: str, form: str, count: int) -> bytes:
        if key not in raws:
            raise UnreadableInput(f"the file lacks the storage {key[:40]}")
        return raws[key][: count * _size(form)]

    return _tensors(found, read)


def _raw(file: IO[bytes], storage: Storage | None) -> bytes:
    if storage is None:
        raise UnreadableInput("the file holds a storage that no tensor uses")
    count = int.from_bytes(file.read(8), "little")
    size = count * _size(storage.form)
    if size > _MOST_BYTES:
        raise UnreadableInput(f"the file holds a storage of {size:,} bytes")
    raw = file.read(size)
    if len(raw) != size:
        raise UnreadableInput("the file is cut short")
    return raw


def _size(form: str) -> int:
    return 2 if form == "bfloat16" else np.dtype(form).itemsize


def _tensors(found: object, read: Read) -> dict[str, Array]:
    if not isinstance(found, dict):
        raise UnreadableInput(f"the file holds a {type(found).__name__}, not weights by their names")
    return {name: value.array(read) for name, value in found.items() if isinstance(value, TorchTensor)}


class TorchMachine(PickleMachine):
    """A machine that knows tensors, storages and ordered dictionaries, and nothing else by name."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        super().__init__(source, {}, 2 * size + (1 << 20))
        self.storages: dict[str, Storage] = {}

    def _find(self, module: object, name: object) -> Any:
        if module == "torch" and isinstance(name, str) and name in _STORAGES:
            return Known(name, _refuse)
        known = _KNOWN.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if known is None:
            shown = f"{module[:80]}.{name[:80]}" if isinstance(module, str) and isinstance(name, str) else "no text"
            raise UnreadableInput(f"the file names {shown}, and weights are tensors alone: nothing of it was run")
        return known

    def _step(self, name: str, argument: Any) -> None:
        if name == "BINPERSID":
            self._stack.append(self._storage(self.last(1)[0]))
        elif name == "BUILD" and isinstance(self._stack[-2], dict):
            self.last(1)  # the versions that a dictionary of weights carries are not needed
        else:
            super()._step(name, argument)

    def _storage(self, said: object) -> Storage:
        if not isinstance(said, tuple) or len(said) < 5 or said[0] != "storage" or not isinstance(said[1], Known):
            raise UnreadableInput("the file refers to something that is no storage")
        _, kind, key, _, count, *view = said
        if not isinstance(key, str) or type(count) is not int or count < 0 or kind.name not in _STORAGES:
            raise UnreadableInput("the file describes a storage in a form that PyTorch does not write")
        if view and view[0] is not None:
            raise UnreadableInput("the file holds a storage within a storage: save it again with a newer PyTorch")
        return self.storages.setdefault(key, Storage(key, _STORAGES[kind.name], count))


def _refuse(*_: object) -> None:
    raise UnreadableInput("the file makes a storage instead of naming one")


def _tensor(storage: object, offset: object, sizes: object, strides: object, *_: object) -> TorchTensor:
    whole = isinstance(sizes, tuple) and isinstance(strides, tuple) and len(sizes) == len(strides) <= _MOST_AXES
    if not isinstance(storage, Storage) or not whole:
        raise UnreadableInput("the file holds a tensor in a form that PyTorch does not write")
    assert isinstance(sizes, tuple)
    assert isinstance(strides, tuple)
    if not all(type(each) is int and 0 <= each < 1 << 40 for each in (offset, *sizes, *strides)):
        raise UnreadableInput("the file holds a tensor whose sizes are none")
    assert isinstance(offset, int)
    return TorchTensor(storage, offset, sizes, strides)


def _parameter(data: object, *_: object) -> TorchTensor:
    if not isinstance(data, TorchTensor):
        raise UnreadableInput("the file holds a parameter without a tensor")
    return data


def _make_dictionary(*items: object) -> dict[str, Any]:
    if any(each for each in items):
        raise UnreadableInput("the file fills an ordered dictionary in a form that PyTorch does not write")
    return {}


_KNOWN: Final[Mapping[tuple[str, str], Known]] = {
    ("torch._utils", "_rebuild_tensor_v2"): Known("tensor", _tensor),
    ("torch._utils", "_rebuild_tensor"): Known("tensor", _tensor),
    ("torch._utils", "_rebuild_parameter"): Known("parameter", _parameter),
    ("collections", "OrderedDict"): Known("OrderedDict", _make_dictionary),
}
