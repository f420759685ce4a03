"""What text importers share: a tokenizer file for the bundle, the source's scores of texts, the manifest's fields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from assay.abstracts.batching import stack
from assay.abstracts.tokenizing import TextTokenizer
from assay.errors import InvalidOption
from assay.models.bundle import build
from assay.models.classifier import ACTIVATIONS
from assay.models.loading import Runner, load
from tools.models.importers.made import Wish
from tools.models.importers.tokenizer_files import write_tokenizer

TOKENIZER: Final = "tokenizer.json"
_LONGEST: Final = 512

Logits = Callable[[npt.NDArray[np.int32], npt.NDArray[np.int32]], Any]


@dataclass(frozen=True)
class TextSource:
    """A tokenizer in the bundle's folder, and how many tokens of a text are read (`width`: always that many)."""

    tokenizer: TextTokenizer
    pad_id: int
    max_tokens: int
    width: int | None

    @classmethod
    def of(cls, wish: Wish, source: Path, folder: Path, width: int | None, longest: int = _LONGEST) -> Self:
        """Write tokenizer.json to the folder and return what reads it; `longest` is what the network can read."""
        pad_id = write_tokenizer(source, folder / TOKENIZER)
        most = min(wish.max_tokens or longest, width or longest, longest)
        return cls(TextTokenizer(folder / TOKENIZER, most), pad_id, most, width)

    def scores(self, texts: Sequence[str], logits: Logits, activation: str) -> npt.NDArray[np.float32]:
        """Return scores [N, labels] of texts by a source's logits of ids and mask [1, T]."""
        rows = [self._logits(tokens.ids, logits) for tokens in self.tokenizer.encode(texts)]
        return np.asarray(ACTIVATIONS[activation](np.concatenate(rows).astype(np.float32)))

    def served(self, texts: Sequence[str], runner: Runner) -> npt.NDArray[np.float32]:
        """Return the logits [N, labels] that a bundle of input_ids and attention_mask gives."""
        pairs = [
            stack([each.ids], 1, self.width or len(each.ids), self.pad_id) for each in self.tokenizer.encode(texts)
        ]
        return np.concatenate([runner.run({"input_ids": ids, "attention_mask": mask}) for ids, mask in pairs])

    def _logits(self, ids: npt.NDArray[np.int32], logits: Logits) -> Any:
        return logits(*stack([ids], 1, self.width or len(ids), self.pad_id))


def labels_of(wish: Wish, count: int, named: Sequence[str] | None = None) -> list[str]:
    """Return the labels: those the user gave, else those of the model; InvalidOption unless as many as outputs."""
    found = list(wish.labels or named or ())
    if len(found) != count or len(set(found)) != count:
        raise InvalidOption(f"the model has {count} outputs: name as many different ones, --labels A,B,...")
    return found


def text_header(
    source: TextSource,
    form: str,
    inputs: Sequence[str],
    labels: Sequence[str],
    activation: str,
    origin: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the manifest's fields of a text classifier."""
    return {
        "schema": 1,
        "task": "text-classification",
        "format": form,
        "inputs": [{"name": name, "dtype": "int32", "shape": [1, source.width]} for name in inputs],
        "outputs": [{"name": "logits", "dtype": "float32", "shape": [1, len(labels)]}],
        "text": {
            "labels": list(labels),
            "activation": activation,
            "thresholds": {},
            "max_tokens": source.max_tokens,
            "tokenizer": TOKENIZER,
            "pad_id": source.pad_id,
        },
        "provenance": dict(origin),
    }


def logit_differences(
    source: TextSource, folder: Path, header: Mapping[str, Any], texts: Sequence[str], expected: npt.NDArray[np.float32]
) -> str:
    """Return how the logits of the files in a folder differ from the source's, as a line of the report."""
    manifest = build(folder, {**header, "name": "imported", "version": "0"})
    difference = np.abs(source.served(texts, load(folder, manifest, 1).runner) - expected)
    return f"logits differ from transformers' by {difference.mean():.2g} on average, {difference.max():.2g} at most"
