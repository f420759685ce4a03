"""What every encoder with a head becomes: its files, probes by its source, and a report of tokens and logits."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import UnreadableInput
from tools.models.architecture import Architecture, Weights
from tools.models.encoder import Encoder, encoder_to_tflite, save_encoder
from tools.models.families import build_architecture
from tools.models.importers import networks
from tools.models.importers.checkpoint_reference import CheckpointReference, Head
from tools.models.importers.networks import Form, explain_failure
from tools.models.importers.result import (
    ImportRequest,
    ImportResult,
    name_quantization,
    probe_texts,
    refuse_static,
    text_probes,
)
from tools.models.importers.texts import TextSource, logit_differences, text_header


def write_encoder(encoder: Encoder, folder: Path, *, int8: bool) -> tuple[Form, list[str]]:
    """Write model.tflite, or the SavedModel, and return which, with what to report."""
    with tempfile.TemporaryDirectory() as scratch:
        save_encoder(encoder, Path(scratch))
        try:
            (folder / "model.tflite").write_bytes(encoder_to_tflite(Path(scratch), int8=int8))
        except Exception as error:  # the converter raises whatever its passes met
            save_encoder(encoder, folder / "saved")
            (folder / "saved" / "fingerprint.pb").unlink(missing_ok=True)
            return "saved_model", [
                f"served by TensorFlow, for it has no TensorFlow Lite form: {explain_failure(error)}"
            ]
    return "tflite", ["weights as int8, computed in float32" if int8 else "weights as float32"]


_INPUTS = ("input_ids", "attention_mask")


@dataclass(frozen=True)
class ImportedClassifier:
    """A network to be served and its reference; `head` is put on top of a reference that has no head."""

    shape: Architecture
    weights: Weights
    labels: list[str]
    activation: str
    reference: CheckpointReference
    origin: Mapping[str, Any]
    described: list[str]
    head: Head | None = None


def bundle_classifier(
    wish: ImportRequest, source: TextSource, classifier: ImportedClassifier, folder: Path
) -> ImportResult:
    """Write a classifier's files and return the rest of its bundle; UnreadableInput where tokens can't be served."""
    refuse_static(wish, "a model of texts")
    reference, head, activation = classifier.reference, classifier.head, classifier.activation
    require_rows(source, len(classifier.weights["embeddings.word.weight"]))
    tokens = parity(source, reference)
    probes = text_probes(lambda texts: reference.scores(texts, source, activation, head), tolerance=0.0)
    int8 = (wish.quantize or "int8") == "int8"
    form, report = write_encoder(build_architecture(classifier.shape, classifier.weights), folder, int8=int8)
    header = text_header(source, form, _INPUTS, classifier.labels, activation, classifier.origin)
    header |= name_quantization(wish.quantize or "int8", form)
    differences = logit_differences(source, folder, header, reference.answer(head))
    allowed = networks.tolerance(wish, form, 1.0, int8=int8)
    return ImportResult(header, probes.within(allowed), [*classifier.described, *report, tokens, differences])


def require_rows(source: TextSource, rows: int) -> None:
    """Raise UnreadableInput where the tokenizer has a token without an embedding."""
    beyond = source.beyond(rows)
    if beyond:
        raise UnreadableInput(
            f"the tokenizer has {len(beyond)} tokens whose ids are beyond the {rows:,} embeddings, first "
            f"{beyond[0][:60]!r}: name the model's own tokenizer with --tokenizer, or resize and train its embeddings"
        )


def parity(source: TextSource, reference: CheckpointReference) -> str:
    """Return on how many texts the bundle's tokenizer was compared with transformers'; every added token is in one.

    Raises UnreadableInput where they differ, for then other ids would be served than the model was trained on.
    """
    given = [*probe_texts(), *source.added_texts()]
    ours = [each.ids.tolist() for each in source.tokenizer.encode(given)]
    theirs = [reference.ids(text, source.max_tokens)[0] for text in given]
    for text, mine, other in zip(given, ours, theirs, strict=True):
        if mine != other:
            raise UnreadableInput(
                f"the tokenizer's files give other tokens than transformers, first in {text[:60]!r}: save them again "
                "with AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER), or name others with --tokenizer"
            )
    count, tokens = len(given), sum(map(len, theirs))
    return f"tokens: {count} of {count} texts ({tokens:,} tokens) are those of transformers' tokenizer"
