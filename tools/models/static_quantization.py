"""From a float32 LiteRT file to one whose body computes in integers, its last dense layers in float32.

Static quantization (Jacob et al., CVPR 2018, doi:10.1109/CVPR.2018.00286) by the AI Edge Quantizer: int8 weights with
a scale for each channel, int8 activations whose ranges are those that representative rows reach. The layers that give
the scores stay in float32, for an int8 score has 256 values only.

Integers have the same bits on every processor. So have the last layer's sums where it reads a dense layer with ReLU:
its weights and what it reads become multiples of powers of two, few enough that float32 holds every sum exactly.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils
from ai_edge_quantizer import algorithm_manager, qtyping, quantizer

from assay.errors import InvalidOption

Codes = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float32]

_WEIGHTED: Final = frozenset(
    {
        schema.BuiltinOperator.FULLY_CONNECTED,
        schema.BuiltinOperator.CONV_2D,
        schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    }
)
_STEPS: Final = 255
"""Steps of an int8 activation that is never negative."""
_EXACT: Final = 2.0**24
"""Up to here float32 holds every integer: sums of integers are exact, in whatever order they are added."""
_LEAST_SHARE: Final = 0.5
"""A channel's range is at least this share of the greatest one's: other rows may reach higher than these did."""


@dataclass(frozen=True)
class Range:
    """The least and the greatest value of each channel of an activation."""

    low: Array
    high: Array

    def join(self, other: Self) -> "Range":
        """Return the range that holds both."""
        return Range(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    @property
    def whole(self) -> dict[str, Array]:
        """Both ends over all channels, as the quantizer reads them."""
        return {"min": self.low.min(keepdims=True), "max": self.high.max(keepdims=True)}


class Graph:
    """A file's one graph. `tail` has the operations from the last weighted one of each path to the output."""

    def __init__(self, content: bytes) -> None:
        self._model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
        self._graph = self._model.subgraphs[0]
        self._makers = {int(made): each for each in self._graph.operators for made in each.outputs}
        self.tail = list(self._walk_back(int(self._graph.outputs[0])))
        ends = {id(each) for each in self.tail}
        self.body = [each for each in self._graph.operators if self.is_weighted(each) and id(each) not in ends]

    def _walk_back(self, tensor: int) -> Iterator[Any]:
        operation = self._makers.get(tensor)
        if operation is None:
            return
        yield operation
        for each in [] if self.is_weighted(operation) else operation.inputs:
            yield from self._walk_back(int(each))

    def is_weighted(self, operation: Any) -> bool:
        """Say whether an operation multiplies by weights."""
        return self.kind(operation) in _WEIGHTED

    def kind(self, operation: Any) -> int:
        """Return which of the builtin operations it is."""
        return int(self._model.operatorCodes[operation.opcodeIndex].builtinCode)

    def scope(self, operation: Any) -> str:
        """Return an operation's name, as the quantizer makes it of its outputs."""
        return "".join(f"{self.name(int(each))};" for each in operation.outputs)

    def name(self, tensor: int) -> str:
        """Return a tensor's name."""
        return str(self._graph.tensors[tensor].name.decode())

    def readers(self, tensor: int) -> int:
        """Return how many operations read a tensor."""
        return sum(tensor in each.inputs for each in self._graph.operators)

    def maker(self, tensor: int) -> Any:
        """Return the operation that makes a tensor, None for inputs and constants."""
        return self._makers.get(tensor)

    def dtype(self, tensor: int) -> str:
        """Return whether a tensor holds `int8` or `float32`; "" for anything else."""
        known = {schema.TensorType.INT8: "int8", schema.TensorType.FLOAT32: "float32"}
        return known.get(self._graph.tensors[tensor].type, "")

    def scale(self, tensor: int) -> float:
        """Return what a step of an int8 activation stands for."""
        (scale,) = self._graph.tensors[tensor].quantization.scale
        return float(scale)

    def constant(self, tensor: int) -> Array:
        """Return the values of a constant, a copy."""
        found = self._graph.tensors[tensor]
        return np.frombuffer(bytes(self._model.buffers[found.buffer].data), np.float32).reshape(found.shape).copy()

    def put(self, tensor: int, values: npt.NDArray[Any]) -> None:
        """Give a constant other values, in a new buffer: converters let equal constants share one."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.astype(np.float32).tobytes(), np.uint8)
        self._graph.tensors[tensor].buffer = len(self._model.buffers)
        self._model.buffers.append(buffer)

    def dumps(self) -> bytes:
        """Return the file."""
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))


def quantize_static(content: bytes, rows: Codes) -> bytes:
    """Return the file with an integer body; its input stays codes [batch, length], its output float32.

    `rows` [N, length] are the representative rows. Raises InvalidOption where nothing comes before the last layer.
    """
    graph = Graph(content)
    if not graph.body:
        raise InvalidOption(
            "the network has one layer with weights, the last, which stays float32: leave --quantize out"
        )
    ranges = measure_ranges(content, rows)
    for operation in graph.tail:
        ranges |= _make_exact(graph, operation, ranges)
    work = quantizer.Quantizer(bytearray(graph.dumps()))
    everything = qtyping.TFLOperationName.ALL_SUPPORTED
    work.add_static_config(".*", everything, activation_num_bits=8, weight_num_bits=8)
    for operation in graph.tail:
        scope = f"^{re.escape(graph.scope(operation))}$"
        work.update_quantization_recipe(scope, everything, None, algorithm_manager.AlgorithmName.NO_QUANTIZE)
    found = work.quantize({name: each.whole for name, each in ranges.items()}, enable_progress_report=False)
    return bytes(found.quantized_model)


def measure_ranges(content: bytes, rows: Codes) -> dict[str, Range]:
    """Return the range of every activation over the rows, by its name; the last part of a batch is filled up."""
    with warnings.catch_warnings(action="ignore"):  # that keeping all tensors takes memory
        interpreter = Interpreter(model_content=content, num_threads=1, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    batch, ranges = int(source["shape"][0]), dict[str, Range]()
    for part in np.resize(rows, (-(-len(rows) // batch), batch, rows.shape[1])):
        interpreter.set_tensor(source["index"], part)
        interpreter.invoke()
        for name, found in _read_ranges(interpreter):
            ranges[name] = found.join(ranges.get(name, found))
    return ranges


def _read_ranges(interpreter: Any) -> Iterator[tuple[str, Range]]:
    for tensor in interpreter.get_tensor_details():
        if tensor["dtype"] is np.float32 and tensor["name"]:
            values = interpreter.get_tensor(tensor["index"])
            others = tuple(range(values.ndim - 1))
            yield tensor["name"], Range(values.min(others, keepdims=True), values.max(others, keepdims=True))


def _make_exact(graph: Graph, last: Any, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Make a last dense layer's sums exact where they can be, and return the new range of what it reads.

    Each channel that it reads is scaled so that a step of its int8 is a power of two, its weights by the inverse.
    """
    hidden = graph.maker(int(last.inputs[0]))
    if not _is_scalable(graph, last, hidden):
        return {}
    name = graph.name(int(last.inputs[0]))
    high = ranges[name].high.reshape(-1).astype(np.float64)
    top = np.maximum(high, high.max() * _LEAST_SHARE)
    unit = 2.0 ** np.floor(np.log2(top.max() / _STEPS))
    scale = unit * _STEPS / top
    for tensor in hidden.inputs[1:]:
        values = graph.constant(int(tensor))
        graph.put(int(tensor), (values.T * scale).T)
    weights, bias = (graph.constant(int(each)).astype(np.float64) for each in last.inputs[1:])
    weights, bias = round_to_exact(weights / scale, bias, unit)
    graph.put(int(last.inputs[1]), weights)
    graph.put(int(last.inputs[2]), bias)
    whole = np.full(ranges[name].high.shape, unit * _STEPS, np.float32)
    return {name: Range(np.zeros_like(whole), whole)}


def _is_scalable(graph: Graph, last: Any, hidden: Any) -> bool:
    """Say whether a dense layer with ReLU feeds a last dense layer, and nothing else, both with a bias."""
    dense, relu = schema.BuiltinOperator.FULLY_CONNECTED, schema.ActivationFunctionType.RELU
    if hidden is None or graph.kind(last) != dense or graph.kind(hidden) != dense:
        return False
    has_bias = all(len(each.inputs) == 3 and each.inputs[2] >= 0 for each in (last, hidden))
    relu_only = hidden.builtinOptions.fusedActivationFunction == relu
    own = [*hidden.inputs[1:], *last.inputs]
    return has_bias and relu_only and all(graph.readers(int(each)) == 1 for each in own)


def round_to_exact(weights: npt.NDArray[Any], bias: npt.NDArray[Any], unit: float) -> tuple[Any, Any]:
    """Return weights [outputs, inputs] and bias on the finest grid whose sums over int8 steps of `unit` are exact."""
    most = (_STEPS * np.abs(weights).sum(1) + np.abs(bias) / unit).max()
    grid = 2.0 ** np.floor(np.log2(max(most, np.finfo(np.float32).tiny) / _EXACT))
    while True:
        steps, shift = np.rint(weights / grid), np.rint(bias / (unit * grid))
        if (_STEPS * np.abs(steps).sum(1) + np.abs(shift)).max() <= _EXACT:
            return steps * grid, shift * unit * grid
        grid *= 2
