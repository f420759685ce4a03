"""SavedModels, of which only what computes is accepted: a graph that reads files or calls Python is refused."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from assay.errors import UnreadableInput
from tools.models.importers import networks
from tools.models.importers.made import Made, Wish
from tools.models.importers.serving import Network, names, words

_SIGNATURE: Final = "serving_default"
_REFUSED: Final = re.compile(
    r".*(?:PyFunc|ReadFile|WriteFile|MatchingFiles|Dataset|Iterator|Reader|TextFile|Rpc|Socket|Debug|Print|Summary|"
    r"SaveV2|RestoreV2|SaveSlices|RestoreSlice|Checkpoints|Dump|Library|CustomCall|Shell|Sql|BigQuery|Decode(?:Proto|Wav|Image)|Send|Recv|Infeed|Outfeed).*"
)
_CHECKPOINT: Final = re.compile("SaveV2|RestoreV2|MergeV2Checkpoints")
_SAVER: Final = re.compile(r"__inference__traced_(?:save|restore)_\d+")


def convert(wish: Wish, folder: Path) -> Made:
    """Import a SavedModel by its signature `serving_default`; UnreadableInput where it can't be served."""
    refuse_code(wish.path / "saved_model.pb")
    try:
        model = tf.saved_model.load(str(wish.path))
    except Exception as error:  # TensorFlow raises whatever its reading met
        raise UnreadableInput(f"TensorFlow can't read {wish.path.name}: {words(error)}") from error
    return networks.convert(_network(model), wish, folder, "SavedModel")


def _network(model: Any) -> Network:
    if _SIGNATURE not in model.signatures:
        raise UnreadableInput(f"the SavedModel has no signature {_SIGNATURE}, only {names(list(model.signatures))}")
    signature = model.signatures[_SIGNATURE]
    outputs = list(signature.structured_outputs)
    chosen = next((name for name in ("logits", "score") if name in outputs), outputs[0])
    if len(outputs) > 1 and chosen not in ("logits", "score"):
        raise UnreadableInput(f"the signature has several outputs ({names(outputs)}); name the one to serve `logits`")

    def call(given: Mapping[str, Any]) -> Any:
        return signature(**{name: tf.convert_to_tensor(each) for name, each in given.items()})[chosen]

    return Network(call, signature.structured_input_signature[1], model)


def refuse_code(path: Path) -> None:
    """Raise UnreadableInput for a graph with an operation that reaches outside of it, before anything is loaded."""
    found = saved_model_pb2.SavedModel()
    try:
        found.ParseFromString(path.read_bytes())
    except (OSError, DecodeError) as error:
        raise UnreadableInput(f"{path.name} is no SavedModel: {error}") from error
    refused = sorted({operation for operation in _operations(found) if _REFUSED.fullmatch(operation)})
    if refused:
        raise UnreadableInput(
            f"the SavedModel's graph has {', '.join(refused[:5])}, which reach outside of it: nothing of it was run"
        )


def _operations(found: Any) -> Iterator[str]:
    """Yield the operations of a graph but those by which TensorFlow's own saver reads and writes checkpoints."""
    for graph in found.meta_graphs:
        functions = graph.graph_def.library.function
        called = {
            attribute.func.name for each in functions for node in each.node_def for attribute in node.attr.values()
        }
        yield from (node.op for node in graph.graph_def.node if not _CHECKPOINT.fullmatch(node.op))
        for function in functions:
            own = _SAVER.fullmatch(function.signature.name) and function.signature.name not in called
            yield from (node.op for node in function.node_def if not (own and _CHECKPOINT.fullmatch(node.op)))
