"""What every encoder with a head becomes: its files, probes by transformers, and a report of tokens and logits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.models.encoder import Architecture, Encoder, Weights
from tools.models.importers import serving
from tools.models.importers.encoding import write_encoder
from tools.models.importers.made import Made, Wish, probe_texts, text_probes
from tools.models.importers.reference import Head, Reference
from tools.models.importers.texts import TextSource, logit_differences, text_header

_INPUTS = ("input_ids", "attention_mask")


@dataclass(frozen=True)
class Classifier:
    """A network to be served and its reference; `head` is on top of the reference where that has none of its own."""

    shape: Architecture
    weights: Weights
    labels: list[str]
    activation: str
    reference: Reference
    origin: Mapping[str, Any]
    described: list[str]
    head: Head | None = None


def bundle(wish: Wish, source: TextSource, classifier: Classifier, folder: Path) -> Made:
    """Write a classifier's files and return the rest of its bundle."""
    reference, head, activation = classifier.reference, classifier.head, classifier.activation
    probes = text_probes(lambda texts: reference.scores(texts, source, activation, head), tolerance=0.0)
    int8 = (wish.quantize or "int8") == "int8"
    form, report = write_encoder(Encoder(classifier.shape, classifier.weights), folder, int8=int8)
    header = text_header(source, form, _INPUTS, classifier.labels, activation, classifier.origin)
    differences = logit_differences(source, folder, header, reference.answer(head))
    allowed = serving.tolerance(wish, form, 1.0, int8=int8)
    return Made(
        header, probes.within(allowed), [*classifier.described, *report, *parity(source, reference), differences]
    )


def parity(source: TextSource, reference: Reference) -> Iterator[str]:
    """Yield whether the tokenizer of the bundle gives transformers' tokens."""
    given = probe_texts()
    ours = [each.ids.tolist() for each in source.tokenizer.encode(given)]
    theirs = [reference.ids(text, source.max_tokens)[0] for text in given]
    differing = [at for at, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]]
    same, tokens = len(given) - len(differing), sum(map(len, theirs))
    yield f"tokens: {same} of {len(given)} texts ({tokens:,} tokens) are those of transformers' tokenizer"
    if differing:
        yield f"WARNING: tokens differ, first in {given[differing[0]][:60]!r}: check the tokenizer's files"
