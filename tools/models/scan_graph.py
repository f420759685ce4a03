"""From the integer file of a network without padding to one that scores every window of a long sequence at once.

What such a network computes at a place does not depend on where its window begins, so neighbouring windows share it:
a stride becomes a dilation of what follows, and the dense layer that reads a whole window a convolution. Weights and
scales stay as they are, and integer arithmetic has no other order to differ by: the bits are those of the windows taken
one by one. The writer of such a file checks that (`assert_same_bits`).
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

from assay.errors import InvalidOption
from assay.sequences.contract import Contract

SCAN: Final = "scan.tflite"
WINDOWS: Final = 2048
"""Windows of one run: more share the residues at its ends among more, and take longer where few are wanted."""

Op = schema.BuiltinOperator
_ALONE: Final = (
    *(Op.CAST, Op.QUANTIZE, Op.DEQUANTIZE, Op.RELU, Op.RELU6, Op.LEAKY_RELU, Op.LOGISTIC, Op.TANH, Op.HARD_SWISH),
    *(Op.ADD, Op.SUB, Op.MUL, Op.MAXIMUM, Op.MINIMUM, Op.LESS, Op.SELECT, Op.SELECT_V2),
)
"""Operations that compute each value from those at its place."""
_ROW: Final = 0
_SIDES: Final = {1: ("strideH", "dilationHFactor"), 2: ("strideW", "dilationWFactor")}
_NAMES: Final = {value: name for name, value in vars(Op).items() if isinstance(value, int)}


@dataclass(frozen=True, slots=True)
class Track:
    """Where a tensor of windows has its positions, and what it becomes.

    `axis` holds the positions, `before` of them in a window; in a scan there are `after`, `dilation` of them from one
    of a window's positions to its next. Behind the dense layer a window is a row: axis 0, and 1 before.
    """

    axis: int
    before: int
    after: int
    dilation: int = 1


class Scanning:
    """A file of windows being turned, operation by operation, into one of a long sequence."""

    def __init__(self, content: bytes, windows: int) -> None:
        self._model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        self._graph = self._model.subgraphs[0]
        (source,) = self._graph.inputs
        self._tracks: dict[int, Track] = {}
        self._flat: dict[int, Any] = {}
        self._reshaped: dict[int, int] = {}
        length = self._shape(source)[1]
        self._move(source, Track(1, length, length + windows - 1))

    def dumps(self) -> bytes:
        """Return the file of a long sequence; InvalidOption where an operation mixes what windows do not share."""
        self._graph.operators = [turned for each in self._graph.operators for turned in self._turn(each)]
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))

    def _turn(self, operation: Any) -> list[Any]:
        """Turn an operation, and return those that take its place."""
        kind = int(self._model.operatorCodes[operation.opcodeIndex].builtinCode)
        turns: Mapping[int, Callable[[Any], list[Any]]] = {
            Op.GATHER: self._gather,
            Op.RESHAPE: self._reshape,
            Op.CONV_2D: self._convolve,
            Op.DEPTHWISE_CONV_2D: self._convolve,
            Op.STRIDED_SLICE: self._crop,
            Op.FULLY_CONNECTED: self._dense,
            **dict.fromkeys(_ALONE, self._each),
        }
        if kind not in turns:
            raise InvalidOption(f"windows share nothing behind {_NAMES.get(kind, kind)}")
        return turns[kind](operation)

    def _shape(self, tensor: int) -> list[int]:
        shape = self._graph.tensors[tensor].shape
        return [] if shape is None else [int(axis) for axis in shape]  # a single number has none

    def _move(self, tensor: int, track: Track) -> None:
        """Give a tensor the shape that it has in a scan."""
        shape = self._shape(tensor)
        if shape[track.axis] != track.before and track.axis != _ROW:
            raise InvalidOption("the network's positions are not where they were looked for")
        shape[_ROW] = 1
        shape[track.axis] = track.after
        self._tracks[tensor] = track
        self._graph.tensors[tensor].shape = shape

    def _track(self, tensor: int) -> Track:
        if tensor in self._flat:
            raise InvalidOption("windows share nothing behind what reads a whole window, but for a dense layer")
        return self._tracks[tensor]

    def _each(self, operation: Any) -> list[Any]:
        """Turn what computes each value by itself; constants beside it must be the same at every position."""
        inputs = [int(each) for each in operation.inputs]
        (track,) = {self._track(each) for each in inputs if each in self._tracks or each in self._flat}
        for each in inputs:
            from_end = track.axis - len(self._shape(int(operation.outputs[0])))
            shape = [1] * -from_end + self._shape(each)
            if each not in self._tracks and track.before > 1 and shape[from_end] != 1:
                raise InvalidOption("a constant differs from position to position of a window")
        self._move(int(operation.outputs[0]), track)
        return [operation]

    def _gather(self, operation: Any) -> list[Any]:
        table, rows = (int(each) for each in operation.inputs)
        if table in self._tracks or operation.builtinOptions.axis != 0:
            raise InvalidOption("windows share nothing behind GATHER along positions")
        self._move(int(operation.outputs[0]), self._track(rows))
        return [operation]

    def _reshape(self, operation: Any) -> list[Any]:
        """Turn a reshape that adds or drops axes of 1; leave out one that makes a window one row of values."""
        source, target = int(operation.inputs[0]), int(operation.outputs[0])
        track, shape = self._track(source), self._shape(target)
        if track.axis != _ROW and track.before > 1 and track.before not in shape[1:]:
            self._flat[target] = operation
            return []
        axis = _ROW if track.axis == _ROW else shape.index(track.before, 1)
        self._move(target, replace(track, axis=axis))
        self._reshaped[target] = source
        self._put_shape(operation, self._shape(target))
        return [operation]

    def _put_shape(self, reshape: Any, shape: list[int]) -> None:
        tensor = self._graph.tensors[reshape.inputs[1]]
        reshape.inputs = [reshape.inputs[0], self._constant(np.array(shape, np.int32), tensor)]
        reshape.builtinOptions = schema.ReshapeOptionsT()
        reshape.builtinOptions.newShape = shape

    def _constant(self, values: npt.NDArray[Any], like: Any) -> int:
        """Add a constant of the same type and return its place: converters let several operations share one."""
        buffer, tensor = schema.BufferT(), schema.TensorT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        tensor.shape, tensor.type, tensor.quantization = list(values.shape), like.type, like.quantization
        tensor.buffer, tensor.name = len(self._model.buffers), like.name + b"_scan"
        self._model.buffers.append(buffer)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _convolve(self, operation: Any) -> list[Any]:
        """Turn a convolution without padding: its stride becomes a dilation of all that follows."""
        source, target = int(operation.inputs[0]), int(operation.outputs[0])
        track, options = self._track(source), operation.builtinOptions
        if track.axis not in _SIDES:
            raise InvalidOption("a convolution is not along the positions")
        names = _SIDES[track.axis]
        stride, dilation = (int(getattr(options, name)) for name in names)
        reach = dilation * (self._shape(int(operation.inputs[1]))[track.axis] - 1)
        after = self._shape(target)[track.axis]
        if (after - 1) * stride + reach + 1 > track.before or self._is_wide(operation, track.axis):
            raise InvalidOption("a convolution has padding: it sees the end of a window")
        options.padding = schema.Padding.VALID
        setattr(options, names[0], 1)
        setattr(options, names[1], dilation * track.dilation)
        self._move(target, Track(track.axis, after, track.after - reach * track.dilation, track.dilation * stride))
        return [operation]

    def _is_wide(self, operation: Any, axis: int) -> bool:
        """Say whether a convolution has more than a line to read: two axes of a picture."""
        other = 3 - axis
        return any(self._shape(int(each))[other] != 1 for each in (*operation.inputs[:2], operation.outputs[0]))

    def _crop(self, operation: Any) -> list[Any]:
        """Turn a slice that leaves out positions at the ends: residual blocks add what is left to a convolution."""
        source, target, options = int(operation.inputs[0]), int(operation.outputs[0]), operation.builtinOptions
        track, shape, left = self._track(source), self._shape(source), self._shape(target)
        begin, _, steps = (self._integers(int(each)) for each in operation.inputs[1:])
        first = 0 if options.beginMask >> track.axis & 1 else int(begin[track.axis]) % track.before
        kept, odd = left[track.axis], options.ellipsisMask | options.newAxisMask | options.shrinkAxisMask
        if (
            odd
            or (steps != 1).any()
            or any(shape[axis] != left[axis] for axis in {*range(1, len(shape))} - {track.axis})
        ):
            raise InvalidOption("a slice leaves out more than positions at the ends")
        after = track.after - (track.before - kept) * track.dilation
        self._move(target, replace(track, before=kept, after=after))
        ends = np.zeros((2, len(shape)), np.int32)
        ends[1] = self._shape(target)
        ends[:, track.axis] += first * track.dilation
        places = [self._constant(row, self._graph.tensors[operation.inputs[1]]) for row in ends]
        operation.inputs = [source, *places, operation.inputs[3]]
        options.beginMask = options.endMask = 0
        return [operation]

    def _integers(self, tensor: int) -> npt.NDArray[np.int32]:
        buffer = self._model.buffers[self._graph.tensors[tensor].buffer]
        return np.frombuffer(bytes(buffer.data), np.int32)

    def _dense(self, operation: Any) -> list[Any]:
        """Turn the dense layer that reads a whole window into a convolution; those behind it read one row of values."""
        source, target = int(operation.inputs[0]), int(operation.outputs[0])
        if source not in self._flat:
            if self._track(source).axis != _ROW:
                raise InvalidOption("a dense layer reads positions one by one: make it a convolution of 1")
            self._move(target, self._tracks[source])
            return [operation]
        reshape = self._flat[source]
        source = self._spatial(int(reshape.inputs[0]))
        track, shape = self._tracks[source], self._shape(source)
        filters = self._graph.tensors[operation.inputs[1]]
        window = [track.before if axis == track.axis else shape[axis] for axis in (1, 2, 3)]
        if filters.type != schema.TensorType.INT8 or int(filters.shape[1]) != np.prod(window):
            raise InvalidOption("the dense layer that reads a whole window is not of integers")
        filters.shape = [int(filters.shape[0]), *window]
        after = track.after - (track.before - 1) * track.dilation
        spread = [1, 1, 1, int(filters.shape[0])]
        spread[track.axis] = after
        self._move(target, Track(_ROW, 1, after))
        self._make_convolution(operation, source, self._like(target, spread), track)
        reshape.inputs[0], reshape.outputs = operation.outputs[0], [target]
        self._put_shape(reshape, self._shape(target))
        return [operation, reshape]

    def _make_convolution(self, dense: Any, source: int, target: int, track: Track) -> None:
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        setattr(options, _SIDES[track.axis][1], track.dilation)
        options.padding = schema.Padding.VALID
        options.fusedActivationFunction = dense.builtinOptions.fusedActivationFunction
        dense.builtinOptions, dense.builtinOptionsType = options, schema.BuiltinOptions.Conv2DOptions
        dense.opcodeIndex = next(
            index for index, code in enumerate(self._model.operatorCodes) if code.builtinCode == Op.CONV_2D
        )
        dense.inputs, dense.outputs = [source, *dense.inputs[1:]], [target]

    def _spatial(self, tensor: int) -> int:
        """Return the tensor of four axes that a window's row was made of."""
        while len(self._shape(tensor)) != 4 and tensor in self._reshaped:
            tensor = self._reshaped[tensor]
        if len(self._shape(tensor)) != 4:
            raise InvalidOption("no convolution comes before the dense layer")
        return tensor

    def _like(self, tensor: int, shape: list[int]) -> int:
        """Add an activation with the scale of another and return its place."""
        made = copy(self._graph.tensors[tensor])
        made.shape, made.name = shape, made.name + b"_spread"
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1


def make_scan(content: bytes, windows: int = WINDOWS) -> bytes:
    """Return the file that scores so many windows of one sequence; InvalidOption where windows would share nothing.

    `content` has a fixed batch of codes uint8 [batch, length]. What is returned reads [1, length + windows - 1] and
    gives float32 [windows], or a few more, which are of no window.
    """
    try:
        return Scanning(content, windows).dumps()
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:  # a graph of some other make
        raise InvalidOption(f"what windows share of the network was not found ({type(error).__name__})") from error


def write_scan(folder: Path, contract: Contract, windows: int = WINDOWS) -> dict[str, Any]:
    """Write a bundle's scan beside its model.tflite, and return the manifest's field that says so.

    Raises InvalidOption, and writes nothing, where windows share nothing or would have other bits.
    """
    content = (folder / "model.tflite").read_bytes()
    scan = make_scan(content, windows)
    residues = contract.length + windows - 1
    assert_same_bits(content, scan, len(contract.alphabet), residues)
    (folder / SCAN).write_bytes(scan)
    return {"scan": {"path": SCAN, "length": residues}}


def assert_same_bits(content: bytes, scan: bytes, letters: int, residues: int) -> None:
    """Raise InvalidOption unless a scan of random codes below `letters` has the bits of its windows one by one."""
    length = int(_open(content).get_input_details()[0]["shape"][1])
    text = np.random.default_rng(0).integers(0, letters, residues).astype(np.uint8)
    single = score_rows(content, np.lib.stride_tricks.sliding_window_view(text, length))
    if _run(_open(scan), text[None])[: len(single)].tobytes() != single.tobytes():
        raise InvalidOption("a scan of the network has not the bits of its windows")


def score_rows(content: bytes, rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the scores [N] that a file of windows gives codes [N, length]."""
    interpreter = _open(content)
    batch = int(interpreter.get_input_details()[0]["shape"][0])
    filled = np.resize(rows, (-(-len(rows) // batch), batch, rows.shape[1]))
    return np.concatenate([_run(interpreter, part) for part in filled])[: len(rows)]


def _open(content: bytes) -> Any:
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def _run(interpreter: Any, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.ascontiguousarray(codes))
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]), np.float32)
