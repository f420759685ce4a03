"""Which operations a SavedModel's graph may have: those that compute on tensors, in memory, and no others.

TensorFlow 2.21 has 1,908 operations. Many read or write files, open sockets or call Python, and new ones come with each
release, so a deny list is never complete. This is an allow list: the operations that text and sequence models compute
with. It is checked when a SavedModel is imported, before it is published, and each time it is loaded. TensorFlow is not
needed: the graph is read from its protocol buffer here, and every occurrence of a field is looked at, also those that a
parser would let a later one replace.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

GRAPH: Final = "saved_model.pb"
_OTHER_FORMS: Final = ("saved_model.cpb", "saved_model.pbtxt")
"""TensorFlow reads the first of these before `saved_model.pb`, and the other in place of it."""

_ARITHMETIC: Final = """
Abs Acos Acosh Add AddN AddV2 All Any ApproximateEqual ArgMax ArgMin Asin Asinh Atan Atan2 Atanh BatchMatMul
BatchMatMulV2 BatchMatMulV3 BitwiseAnd BitwiseOr BitwiseXor Ceil ClipByValue Cos Cosh Cross Cumprod Cumsum
CumulativeLogsumexp Digamma Div DivNoNan Einsum Equal Erf Erfc Erfinv EuclideanNorm Exp Expm1 Floor FloorDiv FloorMod
Greater GreaterEqual Igamma Igammac Inv Invert IsFinite IsInf IsNan L2Loss LeftShift Less LessEqual Lgamma Log Log1p
LogicalAnd LogicalNot LogicalOr MatMul Max Maximum Mean Min Minimum Mod Mul MulNoNan Ndtri Neg NextAfter NotEqual
OnesLike Pow Prod Range Reciprocal RealDiv RightShift Rint Round Rsqrt Select SelectV2 Sigmoid Sign Sin Sinh Sqrt
Square SquaredDifference Sub Sum Tan Tanh TruncateDiv TruncateMod Xdivy Xlog1py Xlogy ZerosLike
"""
_ARRAYS: Final = """
BatchToSpace BatchToSpaceND Bincount Bitcast BroadcastArgs BroadcastGradientArgs BroadcastTo Bucketize Cast Concat
ConcatOffset ConcatV2 ConjugateTranspose Const DenseBincount DepthToSpace Diag DiagPart DynamicPartition DynamicStitch
Empty EnsureShape ExpandDims Fill Gather GatherNd GatherV2 GuaranteeConst Identity IdentityN InTopK InTopKV2
InvertPermutation LinSpace ListDiff LowerBound MatrixBandPart MatrixDiag MatrixDiagPart MatrixDiagPartV2
MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3 MirrorPad NoOp NthElement
OneHot Pack Pad PadV2 ParallelConcat ParallelDynamicStitch Placeholder PlaceholderV2 PlaceholderWithDefault
PreventGradient RaggedBincount RaggedCross RaggedGather RaggedRange RaggedTensorFromVariant RaggedTensorToSparse
RaggedTensorToTensor RaggedTensorToVariant Rank Reshape Reverse ReverseSequence ReverseV2 Roll ScatterNd
ScatterNdNonAliasingAdd SegmentMax SegmentMaxV2 SegmentMean SegmentMin SegmentMinV2 SegmentProd SegmentProdV2
SegmentSum SegmentSumV2 Shape ShapeN Size Slice Snapshot SpaceToBatch SpaceToBatchND SpaceToDepth SparseAdd
SparseConcat SparseFillEmptyRows SparseReorder SparseReshape SparseSegmentMean SparseSegmentMeanWithNumSegments
SparseSegmentSqrtN SparseSegmentSqrtNWithNumSegments SparseSegmentSum SparseSegmentSumWithNumSegments SparseSlice
SparseSplit SparseTensorDenseAdd SparseTensorDenseMatMul SparseToDense Split SplitV Squeeze StopGradient StridedSlice
TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate TensorStridedSliceUpdate Tile
TopK TopKV2 Transpose Unique UniqueV2 UniqueWithCounts UniqueWithCountsV2 Unpack UnravelIndex UnsortedSegmentMax
UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum UpperBound Where
"""
_NETWORKS: Final = """
AvgPool AvgPool3D BatchNormWithGlobalNormalization BiasAdd BiasAddV1 BlockLSTM BlockLSTMV2 CTCGreedyDecoder Conv
Conv2D Conv3D CudnnRNN CudnnRNNV2 CudnnRNNV3 DataFormatDimMap DataFormatVecPermute DepthwiseConv2dNative Dequantize
Dilation2D Elu ExtractImagePatches FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel
FractionalAvgPool FractionalMaxPool FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 FusedPadConv2D GRUBlockCell LRN
LSTMBlockCell LeakyRelu LogSoftmax MaxPool MaxPool3D MaxPoolV2 MaxPoolWithArgmax QuantizeAndDequantize
QuantizeAndDequantizeV2 QuantizeAndDequantizeV3 QuantizeAndDequantizeV4 QuantizeV2 Relu Relu6 ResizeBilinear
ResizeNearestNeighbor Selu Softmax SoftmaxCrossEntropyWithLogits Softplus Softsign
SparseSoftmaxCrossEntropyWithLogits UniformDequantize UniformQuantize
"""
_LINEAR_ALGEBRA: Final = """
Cholesky FFT FFT2D IFFT IFFT2D IRFFT IRFFT2D RFFT RFFT2D Complex ComplexAbs Conj Imag Real LogMatrixDeterminant Lu
MatrixDeterminant MatrixExponential MatrixInverse MatrixSolve MatrixTriangularSolve Qr SelfAdjointEigV2 Svd
TridiagonalMatMul TridiagonalSolve
"""
_RANDOM: Final = """
Multinomial ParameterizedTruncatedNormal RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt
StatelessMultinomial StatelessRandomGetAlg StatelessRandomGetKeyCounter StatelessRandomGetKeyCounterAlg
StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomUniform StatelessRandomUniformInt
StatelessRandomUniformIntV2 StatelessRandomUniformV2 StatelessTruncatedNormal StatelessTruncatedNormalV2
TruncatedNormal
"""
_CONTROL: Final = """
Assert Case CheckNumerics CheckNumericsV2 ControlTrigger EmptyTensorList Enter Exit FakeParam If LoopCond Merge
NextIteration PartitionedCall StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile Switch SymbolicGradient
TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3
TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 TensorListConcat TensorListConcatV2 TensorListElementShape
TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
TensorListPushBackBatch TensorListReserve TensorListResize TensorListScatter TensorListScatterIntoExistingList
TensorListScatterV2 TensorListSetItem TensorListSplit TensorListStack ToBool While
"""
_VARIABLES: Final = """
Assign AssignAdd AssignAddVariableOp AssignSub AssignSubVariableOp AssignVariableOp DestroyResourceOp
DisableCopyOnRead IsVariableInitialized ReadVariableOp ResourceGather ResourceGatherNd ResourceScatterAdd
ResourceScatterUpdate ResourceStridedSliceAssign VarHandleOp VarIsInitializedOp Variable VariableShape VariableV2
"""
_STRINGS: Final = """
AsString AnonymousHashTable AnonymousMutableHashTable DecodeBase64 EncodeBase64 Fingerprint HashTable HashTableV2
InitializeTable InitializeTableV2 LookupTableExportV2 LookupTableFind LookupTableFindV2 LookupTableImportV2
LookupTableInsertV2 LookupTableRemoveV2 LookupTableSize LookupTableSizeV2 MutableHashTable MutableHashTableV2
ReduceJoin RegexFullMatch RegexReplace StaticRegexFullMatch StaticRegexReplace StringFormat StringJoin StringLength
StringLower StringNGrams StringSplit StringSplitV2 StringStrip StringToHashBucket StringToHashBucketFast
StringToHashBucketStrong StringToNumber StringUpper Substr UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode
UnicodeScript UnicodeTranscode UnsortedSegmentJoin
"""
ALLOWED: Final = frozenset(
    " ".join((_ARITHMETIC, _ARRAYS, _NETWORKS, _LINEAR_ALGEBRA, _RANDOM, _CONTROL, _VARIABLES, _STRINGS)).split()
)
_CHECKPOINT: Final = frozenset({"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"})
"""By these TensorFlow's saver writes and reads checkpoints. Allowed in what nothing calls once a model is loaded."""

_HOLDERS: Final = frozenset({6, 8, 12})
"""Fields of a saved object that name functions: a function, a bare concrete function, a captured tensor."""

Fields = Iterator[tuple[int, "memoryview | int"]]
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


@dataclass(slots=True)
class _Function:
    """A function of the graph's library: its operations, what it refers to by name, and the names of its attributes."""

    operations: set[str] = field(default_factory=set)
    references: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Graph:
    """A meta graph: its own nodes, its functions by name, and the functions that a loaded model offers."""

    nodes: _Function = field(default_factory=_Function)
    functions: dict[str, _Function] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)
    objects: bool = False


def find_forbidden(folder: Path) -> list[str]:
    """Return the operations of a SavedModel's folder that are not allowed, sorted; none means that it only computes.

    Raises ValueError where the folder holds no graph that can be read, or one in a form that is not looked through,
    OSError where its file cannot be opened.
    """
    present = [name for name in _OTHER_FORMS if (folder / name).exists()]
    if present:
        raise ValueError(f"the SavedModel has its graph as {present[0]}; save it again as {GRAPH} alone")
    content = memoryview((folder / GRAPH).read_bytes())
    graphs = [_read_graph(_message(value)) for number, value in _fields(content) if number == 2]
    if not graphs:
        raise ValueError(f"{GRAPH} is not a SavedModel: it holds no graph")
    if not all(graph.objects for graph in graphs):
        raise ValueError("TensorFlow 1 saved it: load it with TensorFlow 2 and save it with tf.saved_model.save")
    return sorted(set().union(*(_list_forbidden(graph) for graph in graphs)))


def _list_forbidden(graph: _Graph) -> set[str]:
    called = set(graph.offered)
    for function in graph.functions.values():
        called |= function.references
    found = graph.nodes.operations - ALLOWED - _CHECKPOINT - _callable(graph)
    for name, function in graph.functions.items():
        # A saver's function is reached from the graph's own nodes alone, which loading does not run. Attributes such
        # as `api_implements` let TensorFlow put one function in another's place.
        saver = name not in called and all(each.startswith("_") for each in function.attributes)
        found |= function.operations - ALLOWED - _callable(graph) - (_CHECKPOINT if saver else frozenset())
    return found


def _callable(graph: _Graph) -> set[str]:
    """Return the functions that a node may call by their bare name: no operation of TensorFlow's is named so."""
    return {name for name in graph.functions if name.startswith("__inference")}


def _read_graph(content: memoryview) -> _Graph:
    graph = _Graph()
    for number, value in _fields(content):
        if number == 2:
            _read_definition(_message(value), graph)
        elif number == 7:
            graph.objects = True
            graph.offered.update(_list_functions(_message(value)))
    return graph


def _list_functions(objects: memoryview) -> Iterator[str]:
    """Yield the functions that a model's objects name: signatures, methods, and what saves or restores an object."""
    for number, value in _fields(objects):
        if number == 2:  # the map of concrete functions
            yield from (_text(each) for at, each in _fields(_message(value)) if at == 1)
        elif number == 1:
            for kind, holder in _fields(_message(value)):
                if kind in _HOLDERS:
                    yield from (_text(each) for _, each in _fields(_message(holder)) if isinstance(each, memoryview))


def _read_definition(content: memoryview, graph: _Graph) -> None:
    for number, value in _fields(content):
        if number == 1:
            _read_node(_message(value), graph.nodes)
        elif number == 2:
            _read_library(_message(value), graph)


def _read_library(content: memoryview, graph: _Graph) -> None:
    for number, value in _fields(content):
        if number == 1:
            _read_function(_message(value), graph)
        elif number in (2, 3):  # gradients: each names functions
            graph.offered.update(_text(each) for _, each in _fields(_message(value)))


def _read_function(content: memoryview, graph: _Graph) -> None:
    function = _Function()
    names: set[str] = set()
    for number, value in _fields(content):
        if number == 1:
            names.update(_text(each) for at, each in _fields(_message(value)) if at == 1)
        elif number == 3:
            _read_node(_message(value), function)
        elif number == 5:
            function.attributes.update(_text(each) for at, each in _fields(_message(value)) if at == 1)
    for name in names or {""}:
        known = graph.functions.setdefault(name, _Function())
        known.operations |= function.operations
        known.references |= function.references
        known.attributes |= function.attributes


def _read_node(content: memoryview, into: _Function) -> None:
    operations: set[str] = set()
    for number, value in _fields(content):
        if number == 2:
            operations.add(_text(value))
        elif number == 5:
            for at, attribute in _fields(_message(value)):
                if at == 2:
                    into.references.update(_functions_of(_message(attribute)))
    into.operations |= operations or {""}
    into.references |= operations


def _functions_of(attribute: memoryview) -> Iterator[str]:
    """Yield the names of functions that an attribute's value holds, and those in its nested attributes."""
    waiting = [attribute]
    while waiting:
        for number, value in _fields(waiting.pop()):
            if number == 1 and isinstance(value, memoryview):  # a list
                for at, each in _fields(value):
                    if at == 9:
                        yield from _names_of(_message(each), waiting.append)
            elif number == 10:
                yield from _names_of(_message(value), waiting.append)


def _names_of(function: memoryview, wait: Callable[[memoryview], None]) -> Iterator[str]:
    """Yield a referred function's name, and put the values of its attributes in line."""
    for number, value in _fields(function):
        if number == 1:
            yield _text(value)
        elif number == 2:
            for at, each in _fields(_message(value)):
                if at == 2:
                    wait(_message(each))


def _fields(content: memoryview) -> Fields:
    """Yield (number, value) for each field of a protocol buffer; ValueError where it is none."""
    at, end = 0, len(content)
    while at < end:
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield tag >> 3, value
            continue
        if kind not in (_EIGHT, _BYTES, _FOUR):
            raise ValueError(f"{GRAPH} is not a SavedModel: it has a field of kind {kind}")
        size, at = _varint(content, at) if kind == _BYTES else ({_EIGHT: 8, _FOUR: 4}[kind], at)
        if size > end - at:
            raise ValueError(f"{GRAPH} is not a SavedModel, or it is truncated")
        yield tag >> 3, content[at : at + size]
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError(f"{GRAPH} is not a SavedModel, or it is truncated")


def _message(value: "memoryview | int") -> memoryview:
    if isinstance(value, int):
        raise ValueError(f"{GRAPH} is not a SavedModel: it has a number in place of a message")
    return value


def _text(value: "memoryview | int") -> str:
    return _message(value).tobytes().decode("utf-8", "replace")
