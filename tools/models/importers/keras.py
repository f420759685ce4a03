"""Keras files, `.keras` and `.h5`, of networks that consist of Keras's own layers."""

import json
import re
import zipfile
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import h5py
import keras

from assay.errors import UnreadableInput
from tools.models.importers import networks
from tools.models.importers.networks import Network, words
from tools.models.importers.result import ImportRequest, ImportResult

_LAYER_NAMES: Final = """
InputLayer Dense EinsumDense Activation ReLU LeakyReLU PReLU ELU Softmax Embedding Masking Flatten Reshape Permute
RepeatVector Dropout SpatialDropout1D SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout
ActivityRegularization Conv1D Conv2D SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D Conv1DTranspose
MaxPooling1D MaxPooling2D AveragePooling1D AveragePooling2D GlobalMaxPooling1D GlobalAveragePooling1D
GlobalMaxPooling2D GlobalAveragePooling2D ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D UpSampling1D
BatchNormalization LayerNormalization GroupNormalization UnitNormalization RMSNormalization Rescaling Normalization
CategoryEncoding Add Subtract Multiply Average Maximum Minimum Concatenate Dot Attention AdditiveAttention
MultiHeadAttention GroupQueryAttention LSTM GRU SimpleRNN LSTMCell GRUCell SimpleRNNCell Bidirectional
TimeDistributed RNN Identity
"""
LAYERS: Final = frozenset(_LAYER_NAMES.split())
MODELS: Final = frozenset({"Functional", "Sequential", "Model"})
_OTHER_MODULES: Final = re.compile(
    r"keras(?:\.src)?\.(?:(?:initializers|regularizers|constraints|dtype_policies)(?:\.\w+)?|mixed_precision|"
    r"ops\.(?:numpy|nn|math|core))"
)
_OTHER: Final = re.compile(
    r"(?:Glorot|He|Lecun|Random|Truncated)?(?:Uniform|Normal)|VarianceScaling|Orthogonal(?:Initializer)?|Zeros|Ones|"
    r"Constant|Identity|L1|L2|L1L2|OrthogonalRegularizer|MaxNorm|MinMaxNorm|NonNeg|UnitNorm|(?:DType)?Policy|"
    r"__keras_tensor__|__slice__|__ellipsis__|__tuple__"
)
_ENGINE: Final = re.compile(r"(?:tf_)?keras\.src\.engine\.(?:functional|sequential|training)")
"""Where Keras 2 had its models."""
_VERSION: Final = 20
_CORE: Final = frozenset({"Cast", "Shape", "Slice", "StopGradient", "Unstack", "ConvertToTensor"})
_MOST_CONFIG: Final = 64 << 20
_MOST_BYTES: Final = 8 << 30


def read_keras_config(path: Path) -> dict[str, Any]:
    """Return a file's configuration; UnreadableInput where it would run anything, or names weights outside of it."""
    try:
        config = _read_zip(path) if zipfile.is_zipfile(path) else _read_hdf5(path)
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise UnreadableInput(f"{path.name} is no Keras file: {error}") from error
    if not isinstance(config, dict):
        raise UnreadableInput(f"{path.name} holds weights without their network: save the whole model")
    return {name: value for name, value in config.items() if name != "compile_config"}  # which Keras is told to skip


def refuse_code(config: object) -> None:
    """Raise UnreadableInput for the first object of a configuration that is not a computing layer of Keras."""
    for each in objects(config):
        name, module = each["class_name"], each.get("module") or "keras.layers"
        known = _is_slice(each) or _is_allowed(name, str(module))
        if each.get("registered_name") not in (None, name, f"keras>{name}") or not known:
            raise UnreadableInput(
                f"the file names {module}.{name}, which is not one of Keras's computing layers. A Lambda or custom "
                "layer holds code of its author, which is never run: export a SavedModel, or rebuild it of such layers"
            )


def read_keras_version(path: Path) -> str:
    """Return the version of Keras that wrote a file, as the file says; "" where it does not."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found = json.loads(archive.read("metadata.json"))
            return str(found["keras_version"])[:_VERSION]
        with h5py.File(path, "r") as file:
            said = file.attrs.get("keras_version", "")
            return (said.decode("latin-1") if isinstance(said, bytes) else str(said))[:_VERSION]
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        return ""


def _is_slice(each: dict[str, Any]) -> bool:
    """Say whether an object is Keras 2's slice of a tensor, the one of its operations by name that is taken."""
    config = each.get("config")
    named = config.get("function") if isinstance(config, dict) else None
    return each["class_name"] == "SlicingOpLambda" and named == "__operators__.getitem"


def _is_allowed(name: object, module: str) -> bool:
    if not isinstance(name, str):
        return False
    if _ENGINE.fullmatch(module):
        return name in MODELS
    if _OTHER_MODULES.fullmatch(module) and ".ops." in module:
        return name in _CORE or not module.endswith(".core")
    if _OTHER_MODULES.fullmatch(module):
        return _OTHER.fullmatch(name) is not None
    plain = module in ("keras", "keras.layers", "keras.models", "builtins") or module.startswith(
        ("keras.src.layers", "keras.src.models")
    )
    return plain and (name in LAYERS or name in MODELS or _OTHER.fullmatch(name) is not None)


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object in a configuration that names a class."""
    return (each for each in walk_values(value) if isinstance(each, dict) and "class_name" in each)


def walk_values(value: object) -> Iterator[dict[str, Any] | list[Any]]:
    """Yield the dictionaries and lists of a configuration, outer ones first."""
    waiting = deque([value])
    while waiting:
        each = waiting.popleft()
        if isinstance(each, dict | list):
            yield each
            waiting.extend(each.values() if isinstance(each, dict) else each)


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist()}
        if sizes["config.json"] > _MOST_CONFIG or sum(sizes.values()) > _MOST_BYTES:
            raise UnreadableInput(f"{path.name} unpacks to more than a model has")
        with archive.open("model.weights.h5") as weights, h5py.File(weights, "r") as file:
            refuse_links(file)
        return json.loads(archive.read("config.json"))


def _read_hdf5(path: Path) -> Any:
    with h5py.File(path, "r") as file:
        refuse_links(file)
        return json.loads(file.attrs["model_config"]) if "model_config" in file.attrs else None


def refuse_links(group: Any) -> None:
    """Raise UnreadableInput where an HDF5 file refers to other files."""
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise UnreadableInput(f"the weights refer to another place ({name[:60]})")
        member = group[name]
        if isinstance(member, h5py.Group):
            refuse_links(member)
        elif member.external or member.is_virtual:
            raise UnreadableInput(f"the weights of {name[:60]} lie in another file")


_ADVICE: Final = "install tf-keras beside TensorFlow, or export the model as a SavedModel where it was made"


def convert_keras(wish: ImportRequest, folder: Path) -> ImportResult:
    """Import a Keras file; UnreadableInput where it holds code, or inputs that are neither task's."""
    refuse_code(read_keras_config(wish.path))
    model = _load_keras(wish.path)
    made = networks.bundle_network(build_network(model), wish, folder, "Keras", _activation(model))
    made.report.insert(0, f"{model.name}: {model.count_params():,} parameters in {len(model.layers)} layers")
    return made


def _load_keras(path: Path) -> Any:
    """Return the model of a file that has been looked through; Keras 2's files by tf-keras where that is installed."""
    version = read_keras_version(path)
    reader, advice = keras, ""
    if version.startswith("2."):
        reader = _keras_2() or keras
        advice = "" if reader is not keras else f". It was saved by Keras {version}: {_ADVICE}"
    try:
        return reader.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever a layer's making met
        raise UnreadableInput(f"{reader.__name__} can't read {path.name}: {words(error)}{advice}") from error


def _keras_2() -> Any:
    try:
        import tf_keras
    except ImportError:
        return None
    return tf_keras


def build_network(model: Any) -> Network:
    """Return a Keras model with one output as a network; UnreadableInput for several outputs."""
    if len(model.outputs) != 1:
        raise UnreadableInput(f"the model has {len(model.outputs)} outputs; one is served")
    names = [each.name.partition(":")[0] for each in model.inputs]

    def call(given: Mapping[str, Any]) -> Any:
        ordered = [given[name] for name in names]
        return model(ordered[0] if len(ordered) == 1 else _arrange(model, names, ordered), training=False)

    specs = {name: _Spec(each) for name, each in zip(names, model.inputs, strict=True)}
    return Network(call, specs, model)


class _Spec:
    """Shape and dtype of an input as TensorFlow's signatures have them."""

    def __init__(self, tensor: Any) -> None:
        import tensorflow as tf

        self.shape, self.dtype = tuple(tensor.shape), tf.dtypes.as_dtype(tensor.dtype)


def _arrange(model: Any, names: list[str], ordered: list[Any]) -> Any:
    """Return several inputs in the structure that the model was made with."""
    return keras.tree.pack_sequence_as(model._inputs_struct, ordered) if hasattr(model, "_inputs_struct") else ordered


def _activation(model: Any) -> str | None:
    return getattr(getattr(model.layers[-1], "activation", None), "__name__", None)
