"""A pickle machine that knows only plain values, NumPy's numbers, and estimators as inert records.

Python's own unpickler calls what the file names. This one has no call in it: it looks up names in a short table of
constructors written here, keeps estimators as a name with attributes, and refuses everything else by name.
"""

import math
import pickletools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

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


_MOST_OPERATIONS: Final = 2_000_000
_SHOWN: Final = 80


@dataclass(eq=False)
class InertRecord:
    """An estimator as the file has it: its class's name and its attributes, nothing that could run."""

    name: str
    attributes: dict[str, Any] = field(default_factory=dict)

    def build(self, state: object) -> None:
        """Take the attributes."""
        if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
            raise UnreadableInput(f"the file holds a {self.name} whose attributes are not named")
        self.attributes.update(state)


@dataclass(eq=False)
class Unread:
    """What no prediction reads: a seed, a search's table, a scorer. It has a name and nothing else."""

    name: str

    def build(self, state: object) -> None:
        """Leave the content unread."""


@dataclass(frozen=True, eq=False)
class Known:
    """What a name in the file stands for: a constructor of this program."""

    name: str
    make: Callable[..., Any]


class Mark:
    """Where a group of operands begins on the stack."""


_MARK: Final = Mark()


def encode_text(text: object, encoding: object = "latin1") -> bytes:
    """Return the bytes that protocols below 3 spell as text."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise UnreadableInput("the file holds bytes in an unknown spelling")
    return text.encode("latin-1", "replace")


def reconstruct(known: object, *_: object) -> Any:
    """Return what protocols 0 and 1 make by `copyreg._reconstructor`: an instance without content."""
    if not isinstance(known, Known):
        raise UnreadableInput("the file reconstructs something that is no estimator")
    return known.make()


def _names(modules: str, name: str, make: Callable[..., Any]) -> dict[tuple[str, str], Known]:
    return {(module, name): Known(name, make) for module in modules.split()}


_CORE = "numpy.core.multiarray numpy._core.multiarray"
_NUMPY: Final[Mapping[tuple[str, str], Known]] = {
    **_names(_CORE, "_reconstruct", lambda *_: Pending()),
    **_names(_CORE, "scalar", scalar),
    **_names("numpy.core.numeric numpy._core.numeric", "_frombuffer", from_buffer),
    **_names("numpy", "ndarray", lambda *_: Pending()),
    **_names("numpy", "dtype", Dtype),
    **_names("_codecs", "encode", encode_text),
    **_names("__builtin__ builtins", "bytes", lambda *_: b""),
    **_names("__builtin__ builtins", "object", lambda *_: None),
    **_names("copy_reg copyreg", "_reconstructor", reconstruct),
}


_UNREAD: Final = re.compile(
    r"numpy\.random(\.\w+)?|numpy\.ma(\.core)?|sklearn\.(metrics|model_selection)(\.\w+)*|scipy\.stats(\.\w+)*"
)
"""Modules whose things an estimator may hold that no prediction reads."""


class PickleMachine:
    """Runs one pickle; `classes` are the (module, name) that become records, `copies` the bytes it may copy.

    Time and memory grow with the file and no faster. A few bytes can make a list that takes gigabytes to write out, so
    an error never quotes what the file made. Texts that become bytes or arrays count each time. Raises UnreadableInput
    for all else.
    """

    def __init__(self, source: IO[bytes], classes: Mapping[tuple[str, str], str], copies: int) -> None:
        self._source, self._classes = source, classes
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._copies = copies

    def run(self) -> Any:
        """Return what the pickle holds."""
        try:
            for count, (operation, argument, _) in enumerate(pickletools.genops(self._source)):
                if count > _MOST_OPERATIONS:
                    raise UnreadableInput("the file has too many operations for an estimator")
                self._step(operation.name, argument)
        except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, RecursionError) as error:
            raise UnreadableInput(f"the file is not a whole pickle: {str(error)[:_SHOWN]}") from error
        if len(self._stack) != 1:
            raise UnreadableInput("the file is not a whole pickle: it ends early")
        return self._stack.pop()

    def _step(self, name: str, argument: Any) -> None:
        if name in _IGNORED:
            return
        if name in _LITERALS:
            self._stack.append(_CONSTANTS.get(name, argument))
            return
        handler = _HANDLERS.get(name)
        if handler is None:
            raise UnreadableInput(f"the file uses the pickle operation {name}, which no estimator needs")
        handler(self, argument)

    def _find(self, module: object, name: object) -> Any:
        if not isinstance(module, str) or not isinstance(name, str):
            raise UnreadableInput("the file names a class by something that is no text: nothing of it was run")
        key = (module, name)
        if key in self._classes:
            return Known(self._classes[key], lambda *_: InertRecord(self._classes[key]))
        if key not in _NUMPY and _UNREAD.fullmatch(module):
            return Known(name[:_SHOWN], lambda *_: Unread(f"{module[:_SHOWN]}.{name[:_SHOWN]}"))
        if key not in _NUMPY:
            raise UnreadableInput(
                f"the file names {module[:_SHOWN]}.{name[:_SHOWN]}, which is neither a linear estimator nor a plain "
                "array: nothing of it was run"
            )
        return _NUMPY[key]

    def find_class(self, argument: str) -> None:
        """GLOBAL: module and name on two lines."""
        module, _, name = argument.partition(" ")
        self._stack.append(self._find(module, name))

    def find_class_by_stack(self, _: object) -> None:
        """STACK_GLOBAL: module and name from the stack."""
        module, name = self.last(2)
        self._stack.append(self._find(module, name))

    def make(self, _: object) -> None:
        """REDUCE, NEWOBJ: a constructor with its operands."""
        known, operands = self.last(2)
        if not isinstance(known, Known) or not isinstance(operands, tuple):
            raise UnreadableInput("the file calls something that is no constructor: nothing of it was run")
        self._count(operands)
        self._stack.append(known.make(*operands))

    def _count(self, values: tuple[Any, ...]) -> None:
        """Count the texts and bytes that are about to be copied; UnreadableInput where a file copies one many times."""
        self._copies -= sum(len(each) for each in values if isinstance(each, str | bytes | bytearray))
        if self._copies < 0:
            raise UnreadableInput("the file uses the same bytes again and again, as no estimator does")

    def build(self, _: object) -> None:
        """BUILD: attributes or content of what was made before."""
        (state,) = self.last(1)
        target = self._stack[-1]
        if not isinstance(target, InertRecord | Pending | Dtype | Unread):
            raise UnreadableInput("the file gives attributes to something that has none")
        if isinstance(state, tuple):
            self._count(state)
        target.build(state)
        self._finish(target)

    def _finish(self, target: Any) -> None:
        """Let a reader of another format take what follows in the file."""

    def put(self, index: Any) -> None:
        """PUT and its kin; MEMOIZE counts by itself."""
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def get(self, index: int) -> None:
        """GET and its kin."""
        self._stack.append(self._memo[index])

    def mark(self, _: object) -> None:
        """MARK."""
        self._marks.append(len(self._stack))
        self._stack.append(_MARK)

    def pop(self, _: object) -> None:
        """POP, which may take a mark."""
        if self._stack.pop() is _MARK:
            self._marks.pop()

    def group(self) -> list[Any]:
        """Take everything after the last mark."""
        at = self._marks.pop()
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def tuple_of(self, count: int | None) -> None:
        """TUPLE1 to TUPLE3, and TUPLE of everything after the mark."""
        self._stack.append(tuple(self.group() if count is None else self.last(count)))

    def append(self, items: list[Any]) -> None:
        """APPEND, APPENDS."""
        target = self._stack[-1]
        if not isinstance(target, list):
            raise UnreadableInput("the file appends to something that is no list")
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        """SETITEM, SETITEMS; keys are text or numbers, whose hashes cost nothing."""
        target, keys = self._stack[-1], items[::2]
        if not isinstance(target, dict) or not all(isinstance(key, str | int | float) for key in keys):
            raise UnreadableInput("the file has a dictionary whose keys are neither text nor numbers")
        target.update(zip(keys, items[1::2], strict=True))

    def dictionary(self, items: list[Any]) -> None:
        """DICT of everything after the mark."""
        self._stack.append({})
        self.set_items(items)

    def last(self, count: int) -> list[Any]:
        """Take `count` items; UnreadableInput where fewer lie above the last mark."""
        items = self._stack[-count:]
        if len(items) < count or any(item is _MARK for item in items):
            raise UnreadableInput("the file is not a whole pickle: it uses up more than it made")
        del self._stack[-count:]
        return items


_IGNORED: Final = frozenset({"PROTO", "FRAME", "STOP"})
_CONSTANTS: Final[Mapping[str, Any]] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERAL = re.compile(r"\w*?(INT[12]?|LONG[14]?|FLOAT|UNICODE8?|STRING|BYTES8?|BYTEARRAY8)")
_LITERALS: Final = frozenset(_CONSTANTS) | {each.name for each in pickletools.opcodes if _LITERAL.fullmatch(each.name)}


def _empty(kind: type) -> Callable[[PickleMachine, Any], None]:
    return lambda machine, _: machine._stack.append(kind())


_HANDLERS: Final[Mapping[str, Callable[[PickleMachine, Any], None]]] = {
    "GLOBAL": PickleMachine.find_class,
    "STACK_GLOBAL": PickleMachine.find_class_by_stack,
    "REDUCE": PickleMachine.make,
    "NEWOBJ": PickleMachine.make,
    "BUILD": PickleMachine.build,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), PickleMachine.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), PickleMachine.get),
    "MARK": PickleMachine.mark,
    "POP": PickleMachine.pop,
    "EMPTY_TUPLE": _empty(tuple),
    "EMPTY_LIST": _empty(list),
    "EMPTY_DICT": _empty(dict),
    "TUPLE": lambda machine, _: machine.tuple_of(None),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "LIST": lambda machine, _: machine._stack.append(machine.group()),
    "DICT": lambda machine, _: machine.dictionary(machine.group()),
    "APPEND": lambda machine, _: machine.append(machine.last(1)),
    "APPENDS": lambda machine, _: machine.append(machine.group()),
    "SETITEM": lambda machine, _: machine.set_items(machine.last(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.group()),
}
