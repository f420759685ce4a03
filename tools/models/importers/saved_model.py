"""SavedModels, of which only what computes is accepted: a graph that reads files or calls Python is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from assay.errors import UnreadableInput
from assay.models.graph_operations import find_forbidden
from tools.models.importers import networks
from tools.models.importers.networks import Network, names, words
from tools.models.importers.result import ImportRequest, ImportResult

_SIGNATURE: Final = "serving_default"


def convert_saved_model(wish: ImportRequest, folder: Path) -> ImportResult:
    """Import a SavedModel by its signature `serving_default`; UnreadableInput where it can't be served."""
    require_computing(wish.path)
    try:
        model = tf.saved_model.load(str(wish.path))
    except Exception as error:  # TensorFlow raises whatever its reading met
        raise UnreadableInput(f"TensorFlow can't read {wish.path.name}: {words(error)}") from error
    return networks.bundle_network(_network(model), wish, folder, "SavedModel")


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


def require_computing(folder: Path) -> None:
    """Raise UnreadableInput for a graph with an operation that does more than compute, before anything is loaded."""
    try:
        forbidden = find_forbidden(folder)
    except (OSError, ValueError) as error:
        raise UnreadableInput(f"{folder.name} is not a SavedModel that can be read: {error}") from error
    if forbidden:
        raise UnreadableInput(
            f"the SavedModel's graph has {', '.join(forbidden[:5])}: only operations that compute on tensors are "
            "imported, so nothing of it was run; export the part of the model from its input to its scores"
        )
