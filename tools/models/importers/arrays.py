"""NumPy's arrays, dtypes and scalars as pickles spell them, rebuilt from their bytes alone."""

import math
import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from assay.errors import UnreadableInput

_NUMBER = re.compile(r"[<>|=]?([biuf])([1248])")
_OTHER = re.compile(r"[<>|=]?(O8?|U\d{1,9})")
MOST_BYTES: Final = 1 << 30

Array = npt.NDArray[Any]


class Dtype:
    """A number's format; objects and text are known by their code only and never become arrays."""

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not (_NUMBER.fullmatch(code) or _OTHER.fullmatch(code)):
            shown = repr(code[:40]) if isinstance(code, str) else f"a {type(code).__name__}"
            raise UnreadableInput(f"the file holds an array of {shown}: only plain numbers are read")
        self.code = code

    def build(self, state: object) -> None:
        """Take the byte order from the state that NumPy pickles."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise UnreadableInput("the file holds a dtype in a form that NumPy does not write")
        if self.numeric:
            self.code = state[1] + self.code.lstrip("<>|=")

    @property
    def numeric(self) -> bool:
        """Whether arrays of it can be read."""
        return _NUMBER.fullmatch(self.code) is not None

    def array(self, raw: object, shape: object, order: object) -> Array:
        """Return the array of raw bytes; UnreadableInput unless they are as many as the shape says."""
        sizes = shape if isinstance(shape, tuple) else (shape,)
        if not all(type(size) is int and 0 <= size < 1 << 31 for size in sizes) or len(sizes) > 8:
            raise UnreadableInput("the file holds an array whose shape is none")
        if not self.numeric or not isinstance(raw, bytes | bytearray):
            raise UnreadableInput(f"the file holds an array of {self.code} where numbers are needed")
        found = np.dtype(self.code)
        if math.prod(sizes) * found.itemsize != len(raw):
            raise UnreadableInput(f"the file holds an array of shape {sizes} in {len(raw)} bytes")
        return np.frombuffer(bytes(raw), found).reshape(
            sizes, order="F" if isinstance(order, str) and order == "F" else "C"
        )


class Pending:
    """An array whose content comes after its construction; `value` stays None for arrays of text or objects."""

    def __init__(self) -> None:
        self.value: Array | None = None

    def build(self, state: object) -> None:
        """Take (version, shape, dtype, is Fortran, bytes), as NumPy pickles it."""
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], Dtype):
            raise UnreadableInput("the file holds an array in a form that NumPy does not write")
        _, shape, dtype, fortran, raw = state
        if dtype.numeric:
            self.value = dtype.array(raw, shape, "F" if fortran else "C")


def scalar(dtype: object, raw: object) -> Any:
    """Return a number."""
    if not isinstance(dtype, Dtype):
        raise UnreadableInput("the file holds a number without its dtype")
    return dtype.array(raw, (), "C").item()


def from_buffer(raw: object, dtype: object, shape: object, order: object, *_: object) -> Pending:
    """Return an array as protocol 5 spells it."""
    if not isinstance(dtype, Dtype):
        raise UnreadableInput("the file holds an array without its dtype")
    made = Pending()
    if dtype.numeric:
        made.value = dtype.array(raw, shape, order)
    return made
