"""Any TensorFlow network, from Keras or a SavedModel, to a bundle: the task by its inputs, probes by the source."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from assay.errors import InvalidOption, UnreadableInput
from tools.models.importers import serving
from tools.models.importers.made import (
    CLASSIFIER_OPTIONS,
    SEQUENCE_OPTIONS,
    Made,
    Wish,
    provenance,
    refuse_unused,
    sequence_header,
    sequence_probes,
    text_probes,
)
from tools.models.importers.serving import Network
from tools.models.importers.texts import TextSource, labels_of, text_header

TEXT_INPUTS: Final = frozenset({"input_ids", "attention_mask", "token_type_ids"})


def convert(network: Network, wish: Wish, folder: Path, kind: str, activation: str | None = None) -> Made:
    """Write the model's files and return the rest of its bundle; UnreadableInput where its inputs are neither task's.

    `activation` is what the source applies to its last layer itself, where that is known.
    """
    if "input_ids" in network.inputs:
        return _texts(network, wish, folder, kind, activation)
    if len(network.inputs) != 1:
        raise UnreadableInput(
            f"the model's inputs are {serving.names(list(network.inputs))}: neither one of sequences nor input_ids"
        )
    return _sequences(network, wish, folder, kind)


def _sequences(network: Network, wish: Wish, folder: Path, kind: str) -> Made:
    refuse_unused(wish, SEQUENCE_OPTIONS, "a model of sequences")
    encoding, int8 = serving.encoding_of(wish, network), wish.quantize == "int8"
    if "first_index" in wish.said and encoding != "index":
        raise InvalidOption(f"the model reads {encoding}, and --first-index is for indices: leave it out")
    ((name, spec),) = network.inputs.items()
    rows = serving.axes(spec)[0]
    wish = replace(wish, batch=rows or wish.batch)

    def score(codes: Any) -> Any:
        whole = np.resize(codes, (-(-len(codes) // (rows or 1)) * (rows or 1), codes.shape[1]))
        given = serving.encoded(whole, wish, encoding, spec.dtype.as_numpy_dtype)
        parts = np.split(given, len(whole) // rows) if rows else [given]
        outputs = np.concatenate([_answer(network, {name: part}, encoding) for part in parts])
        serving.one_number(outputs, len(whole))
        return outputs.reshape(-1)[: len(codes)]

    probes = sequence_probes(wish.contract, score, 0.0)
    form, report = serving.write(serving.sequence_function(network, wish, encoding), network, folder, int8=int8)
    allowed = serving.tolerance(wish, form, probes.outputs, int8=int8)
    header = sequence_header(wish.contract, "index", wish.batch, form, provenance=provenance(wish, kind))
    return Made(header, probes.within(allowed), [f"the source reads {encoding}, the bundle indices", *report])


def _answer(network: Network, given: Mapping[str, Any], encoding: str) -> Any:
    """Return what the source gives; UnreadableInput where it can't run on what it is given."""
    try:
        return np.asarray(network.call(given))
    except Exception as error:  # TensorFlow raises whatever an operation met
        shapes = ", ".join(str(list(value.shape)) for value in given.values())
        raise UnreadableInput(
            f"the model can't run on {encoding} of the shape {shapes}: {serving.words(error)}. Say what it reads with "
            "--encoding, --length and --alphabet"
        ) from error


def _texts(network: Network, wish: Wish, folder: Path, kind: str, activation: str | None) -> Made:
    if not network.inputs.keys() <= TEXT_INPUTS:
        raise UnreadableInput(
            f"the model's inputs are {serving.names(list(network.inputs))}, not only {serving.names(list(TEXT_INPUTS))}"
        )
    refuse_unused(wish, CLASSIFIER_OPTIONS, "a model of texts")
    if wish.tokenizer is None:
        raise InvalidOption("a model of texts needs its tokenizer: --tokenizer FOLDER or tokenizer.json")
    width = serving.axes(network.inputs["input_ids"])[-1]
    source = TextSource.of(wish, wish.tokenizer, folder, width)
    int8 = (wish.quantize or "int8") == "int8"

    def logits(ids: Any, mask: Any) -> Any:
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        dtypes = {each: spec.dtype.as_numpy_dtype for each, spec in network.inputs.items()}
        return np.asarray(network.call({each: given[each].astype(dtypes[each]) for each in network.inputs}))

    shown = wish.activation or ("none" if activation in ("sigmoid", "softmax") else "sigmoid")
    probes = text_probes(lambda texts: source.scores(texts, logits, shown), 0.0)
    form, report = serving.write(serving.text_function(network, width), network, folder, int8=int8)
    allowed = serving.tolerance(wish, form, 1.0, int8=int8)
    labels = labels_of(wish, probes.outputs.shape[1])
    header = text_header(source, form, list(network.inputs), labels, shown, provenance(wish, kind))
    return Made(header, probes.within(allowed), report)


def _inputs(network: Network) -> str:
    return serving.names(network.inputs)
