"""The way from an encoder to the output in a Keras file's configuration, read as JSON: no layer of it is made.

Configurations nest layers, functions and registered objects of any kind. Only layers of the model's graph that the
output depends on count. They are read backwards from the output, up to the first layer that a head cannot have. That
layer is the encoder, if no layer that computes stands before it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from assay.errors import UnreadableInput
from tools.models.importers.keras import MODELS, walk_values

STEPS: Final = frozenset({"Dense", "Activation", "ReLU", "ELU", "Softmax", "BatchNormalization", "LayerNormalization"})
_NOTHING: Final = frozenset(
    {"Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization"}
    | {"Identity", "Flatten"}
)
"""Layers that change nothing where a model answers."""
_POOLS: Final = {"GlobalAveragePooling1D": "mean", "GlobalMaxPooling1D": "max", "Mean": "mean", "Max": "max"}
_FUNCTIONS: Final = {"math.reduce_mean": "mean", "math.reduce_max": "max"}
_SLICES: Final = frozenset({"GetItem", "SlicingOpLambda", "TFOpLambda"})
_ENDS: Final = ("start", "stop", "step")
_TENSOR: Final = "__keras_tensor__"
_MOST: Final = 1000
_DEEPEST: Final = 8
_WORD, _CAPITAL = re.compile("(.)([A-Z][a-z]+)"), re.compile("([a-z])([A-Z])")

Source = tuple[str, int]
"""A layer's name and which of its tensors."""


@dataclass(frozen=True)
class GraphLayer:
    """A layer of the graph: where its tensors come from; `key` has for each model around it and itself two names.

    The first is by which a `.keras` file knows it (its kind and number), the second its own.
    """

    kind: str
    name: str
    config: Mapping[str, Any]
    call: Any
    inputs: tuple[Source, ...]
    key: tuple[tuple[str, str], ...]


@dataclass
class HeadPath:
    """The layers from the encoder to the output, in that order, and how the graph pools, None where it does not say.

    `encoder` is the layer that stands for the encoder (None: the model's input is what it gives), `unread` a Lambda
    right behind it; both are code, which is not run.
    """

    steps: list[GraphLayer] = field(default_factory=list)
    pooling: str | None = None
    encoder: GraphLayer | None = None
    unread: GraphLayer | None = None


def head_path(config: Mapping[str, Any]) -> HeadPath:
    """Return the way from the encoder to the output; UnreadableInput names the first layer that no head may have."""
    try:
        layers, output = _graph(config, (), None)
        return _path(layers, output)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError, StopIteration) as error:
        raise UnreadableInput(f"the file's configuration is not as Keras writes it: {error!r}"[:300]) from error


def _path(layers: Mapping[str, GraphLayer], output: str) -> HeadPath:
    path, asked = HeadPath(), (output, 0)
    for _ in range(_MOST):
        layer = layers[asked[0]]
        if not _is_passed(layer, path):
            _end(path, layer, asked[1], layers)
            path.steps.reverse()
            return path
        if len(layer.inputs) != 1:
            raise UnreadableInput(f"{_describe_layer(layer)} joins {len(layer.inputs)} tensors, and a head is one way")
        asked = layer.inputs[0]
    raise UnreadableInput("the file's layers go in a circle")


def _is_passed(layer: GraphLayer, path: HeadPath) -> bool:
    """Take a layer into the path; False for one that no head may have."""
    if layer.kind in STEPS:
        if path.pooling in ("mean", "max"):
            raise UnreadableInput(f"{_describe_layer(layer)} changes the states of all tokens before they are pooled")
        path.steps.append(layer)
        return True
    pooling = _find_pooling(layer)
    if pooling is not None and path.pooling is not None:
        raise UnreadableInput(f"{_describe_layer(layer)} pools, and a layer behind it does too")
    path.pooling = pooling or path.pooling
    return pooling is not None or layer.kind in _NOTHING


def _end(path: HeadPath, layer: GraphLayer, tensor: int, layers: Mapping[str, GraphLayer]) -> None:
    """Take the layer that ends the path for the encoder or its input, or refuse it."""
    before = list(_before(layer, layers))
    code = [each for each in before if not _is_known(each)]
    if layer.kind == "InputLayer":
        return
    if any(each.kind in STEPS for each in before) or len(code) > 1 or (code and layer.kind != "Lambda"):
        kinds = ", ".join(sorted({*STEPS, "Dropout", "GlobalAveragePooling1D"}))
        raise UnreadableInput(
            f"{_describe_layer(layer)} stands between the encoder and the output, where a head may have {kinds}: "
            "rebuild it of such layers, or export the whole model as a SavedModel"
        )
    path.encoder, path.unread = (code[0] if code else None, layer) if layer.kind == "Lambda" else (layer, None)
    if path.pooling is None and layer.kind.startswith("TF") and tensor == 1:
        path.pooling = "pooler"  # the second output of transformers' own layers


def _before(layer: GraphLayer, layers: Mapping[str, GraphLayer]) -> Iterator[GraphLayer]:
    """Yield every layer that a layer depends on."""
    waiting, seen = [name for name, _ in layer.inputs], {layer.name}
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield layers[name]
            waiting.extend(each for each, _ in layers[name].inputs)


def _is_known(layer: GraphLayer) -> bool:
    return layer.kind == "InputLayer" or layer.kind in _NOTHING | STEPS | _SLICES | _POOLS.keys()


def _find_pooling(layer: GraphLayer) -> str | None:
    """Return how a layer pools the states of all tokens, None for a layer that does not."""
    if layer.kind in ("GlobalAveragePooling1D", "GlobalMaxPooling1D") and not layer.config.get("keepdims"):
        return _POOLS[layer.kind]
    function = layer.config.get("function")
    reduced = _POOLS.get(layer.kind) or (_FUNCTIONS.get(str(function)) if layer.kind == "TFOpLambda" else None)
    if reduced is not None:
        settings = [*_dictionaries(layer.call), layer.config]
        axis = next((each["axis"] for each in settings if each.get("axis") is not None), None)
        kept = any(each.get("keepdims") for each in settings)
        return reduced if axis in (1, [1], -2, [-2]) and not kept else None
    return "cls" if layer.kind in _SLICES and _takes_first(layer.call) else None


def _takes_first(call: Any) -> bool:
    """Say whether a call takes [:, 0, :] or [:, 0]."""
    for each in _lists(call):
        if len(each) in (2, 3) and _is_free(each[0]) and type(each[1]) is int and each[1] == 0:
            return all(map(_is_free, each[2:]))
    return False


def _is_free(item: object) -> bool:
    """Say whether one index of a slice is `:`."""
    values = item.get("config", item) if isinstance(item, dict) else None
    return isinstance(values, dict) and "start" in values and all(values.get(key) is None for key in _ENDS)


def _graph(
    model: Mapping[str, Any], prefix: tuple[tuple[str, str], ...], given: tuple[Source, ...] | None
) -> tuple[dict[str, GraphLayer], str]:
    """Return a model's layers by name, nested ones resolved, and its output; `given` is what goes into a nested one."""
    if len(prefix) > _DEEPEST:
        raise UnreadableInput("the file nests models too deeply")
    config = model["config"]
    listed = config["layers"] if isinstance(config, dict) else config
    found: dict[str, GraphLayer] = {}
    last = given or ()
    for entry, key in _number_layers(listed, prefix):
        sequential = _kind(model) == "Sequential"
        inputs = last if sequential else tuple((_full(prefix, name), at) for name, at in _sources(entry))
        if _kind(entry) == "InputLayer" and given is not None:
            inputs, entry = given, {**entry, "class_name": "Identity"}
        found |= _place(entry, key, inputs)
        last = ((_full(key), 0),)
    return found, last[0][0] if _kind(model) == "Sequential" else _full(prefix, _output(config["output_layers"]))


def _place(
    entry: Mapping[str, Any], key: tuple[tuple[str, str], ...], inputs: tuple[Source, ...]
) -> dict[str, GraphLayer]:
    """Return a layer by its name, a nested model with all of its layers."""
    name, config = _full(key), entry.get("config")
    if _kind(entry) in MODELS:
        found, output = _graph(entry, key, inputs)
        return {**found, name: GraphLayer("Identity", name, {}, None, ((output, 0),), key)}
    settings = config if isinstance(config, dict) else {}
    return {name: GraphLayer(_kind(entry), name, settings, _call(entry), inputs, key)}


def _number_layers(
    listed: list[Any], prefix: tuple[tuple[str, str], ...]
) -> Iterator[tuple[Mapping[str, Any], tuple[tuple[str, str], ...]]]:
    """Yield layers with their keys."""
    counts: dict[str, int] = {}
    for entry in listed:
        kind = snake(_kind(entry))
        number = counts[kind] = counts.get(kind, -1) + 1
        yield entry, (*prefix, (f"{kind}_{number}" if number else kind, _name(entry)))


def _full(key: tuple[tuple[str, str], ...], *more: str) -> str:
    return "/".join((*(name for _, name in key), *more))


def _output(listed: Any) -> str:
    several = list(listed.values()) if isinstance(listed, dict) else listed
    single = [several] if isinstance(several[0], str) else several
    if len(single) != 1:
        raise UnreadableInput(f"the model has {len(single)} outputs; a head has one")
    return str(single[0][0])


def _call(entry: Mapping[str, Any]) -> Any:
    nodes = entry.get("inbound_nodes")
    return nodes[0] if nodes else None


def _sources(entry: Mapping[str, Any]) -> Iterator[Source]:
    """Yield what goes into a layer: Keras 3 marks its tensors, Keras 2 lists them."""
    call = _call(entry)
    if isinstance(call, dict):
        named = {name: value for name, value in call.get("kwargs", {}).items() if name != "mask"}
        found = [*_histories(call["args"]), *_histories(named)]
        yield from dict.fromkeys((str(name), int(tensor)) for name, _, tensor in found)
        return
    listed = [call] if call and isinstance(call[0], str) else call or []
    for each in listed:
        if isinstance(each, list) and len(each) >= 3 and isinstance(each[0], str):
            yield each[0], int(each[2])


def _histories(value: Any) -> list[Any]:
    return [each["config"]["keras_history"] for each in _dictionaries(value) if each.get("class_name") == _TENSOR]


def _dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    return (each for each in walk_values(value) if isinstance(each, dict))


def _lists(value: Any) -> Iterator[list[Any]]:
    return (each for each in walk_values(value) if isinstance(each, list))


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a value."""
    for each in walk_values([value]):
        yield from (item for item in (each.values() if isinstance(each, dict) else each) if isinstance(item, str))


def _kind(entry: Mapping[str, Any]) -> str:
    return str(entry["class_name"]).rpartition(">")[2]


def _name(entry: Mapping[str, Any]) -> str:
    config = entry.get("config")
    inner = config.get("name") if isinstance(config, dict) else None
    return str(entry.get("name") or inner or snake(_kind(entry)))


def snake(name: str) -> str:
    """Return a class's name as Keras spells it in files."""
    return _CAPITAL.sub(r"\1_\2", _WORD.sub(r"\1_\2", name)).lower()


def _describe_layer(layer: GraphLayer) -> str:
    return f"the layer {layer.kind[:60]} ({layer.name[:60]})"
