"""joblib's files: a pickle, compressed or not, with the bytes of each array right after its description."""

import bz2
import io
import lzma
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from assay.errors import UnreadableInput
from tools.models.importers.inert_pickle import MOST_BYTES, Dtype, InertRecord, Pending, PickleMachine

WRAPPER: Final = "NumpyArrayWrapper"
_SPARE_BYTES: Final = 1 << 20
_LZMA_BYTES: Final = 1 << 28
"""Memory that a header may ask for; the strongest preset asks for a quarter of it."""
_CLASSES: Final = {("joblib.numpy_pickle", WRAPPER): WRAPPER}


class JoblibMachine(PickleMachine):
    """A machine that takes an array's bytes from the file where its wrapper is complete."""

    def _finish(self, target: Any) -> None:
        if isinstance(target, InertRecord) and target.name == WRAPPER:
            self._stack[-1] = self._array(target.attributes)

    def _array(self, wrapper: Mapping[str, Any]) -> Pending:
        dtype, shape = wrapper.get("dtype"), wrapper.get("shape")
        if not isinstance(dtype, Dtype) or not isinstance(shape, tuple):
            raise UnreadableInput("the file holds an array in a form that joblib does not write")
        made = Pending()
        if dtype.code.lstrip("<>|=").startswith("O"):  # column names: a pickle within the pickle
            within = JoblibMachine(self._source, self._classes, self._copies)
            within.run()
            self._copies = within._copies
            return made
        if wrapper.get("numpy_array_alignment_bytes") is not None:
            self._source.read(self._source.read(1)[0])
        size = math.prod(shape) * _item_bytes(dtype)
        made.value = dtype.array(self._source.read(min(size, MOST_BYTES)), shape, wrapper.get("order"))
        return made


def _item_bytes(dtype: Dtype) -> int:
    if not dtype.numeric:
        raise UnreadableInput(f"the file holds an array of {dtype.code}: only plain numbers are read")
    return int(dtype.code[-1])


def unpickle(path: Path, classes: Mapping[tuple[str, str], str]) -> Any:
    """Return what a pickle or a joblib file holds, `classes` as records; UnreadableInput for anything else."""
    content = _unpack(path.read_bytes())
    return JoblibMachine(io.BytesIO(content), {**classes, **_CLASSES}, 2 * len(content) + _SPARE_BYTES).run()


def _unpack(content: bytes) -> bytes:
    """Return the file without its compression, known by its first bytes."""
    unpacker: Any = None
    if content[:1] == b"\x78" or content[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    elif content[:3] == b"BZh":
        unpacker = bz2.BZ2Decompressor()
    elif content[:6] == b"\xfd7zXZ\x00" or content[:3] == b"\x5d\x00\x00":
        unpacker = lzma.LZMADecompressor(memlimit=_LZMA_BYTES)
    try:
        found: bytes = unpacker.decompress(content, MOST_BYTES) if unpacker else content
    except (OSError, zlib.error, lzma.LZMAError) as error:
        raise UnreadableInput(f"the file is compressed and broken: {error}") from error
    if len(found) >= MOST_BYTES:
        raise UnreadableInput(f"the file unpacks to more than {MOST_BYTES >> 20} MiB")
    return found
