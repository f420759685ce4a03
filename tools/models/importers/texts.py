"""What text importers share: a tokenizer file for the bundle, the source's scores of texts, the manifest's fields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from assay.abstracts.tokens import TextTokenizer, Tokens
from assay.errors import InvalidOption
from assay.models.loading import load_model
from assay.models.text_classifier import ACTIVATIONS, stack
from tools.models.build import build_manifest
from tools.models.importers.result import ImportRequest, probe_texts
from tools.models.importers.tokenizer_files import added_texts, write_tokenizer

TOKENIZER: Final = "tokenizer.json"
_LONGEST: Final = 512
_SHARED: Final = 8
"""Windows of a long text share an eighth of their tokens."""

Window = Callable[[Sequence[int]], npt.NDArray[np.float32]]
Logits = Callable[[npt.NDArray[np.int32], npt.NDArray[np.int32]], Any]


@dataclass(frozen=True)
class TextSource:
    """A tokenizer in the bundle's folder, and how many tokens of a text are read (`width`: always that many)."""

    tokenizer: TextTokenizer
    pad_id: int
    max_tokens: int
    width: int | None
    overlap: int = 0
    path: Path = Path(TOKENIZER)

    @classmethod
    def of(cls, wish: ImportRequest, source: Path, folder: Path, width: int | None, longest: int = _LONGEST) -> Self:
        """Write tokenizer.json to the folder and return what reads it; `longest` is what the network can read."""
        pad_id = write_tokenizer(source, folder / TOKENIZER)
        most = min(wish.max_tokens or longest, width or longest, longest)
        overlap = max(1, most // _SHARED) if wish.chunks else 0
        path = folder / TOKENIZER
        return cls(TextTokenizer(path, most, overlap), pad_id, most, width, overlap, path)

    def added_texts(self) -> list[str]:
        """Return texts that hold every token which was added to the vocabulary."""
        return added_texts(Tokenizer.from_file(str(self.path)))

    def beyond(self, rows: int) -> list[str]:
        """Return the tokens whose ids are not among so many embeddings."""
        vocabulary = Tokenizer.from_file(str(self.path)).get_vocab()
        return sorted(
            (token for token, index in vocabulary.items() if index >= rows), key=lambda token: vocabulary[token]
        )

    def scores(self, texts: Sequence[str], logits: Logits, activation: str) -> npt.NDArray[np.float32]:
        """Return scores [N, labels] of texts by a source's logits of ids and mask [1, T]; windows are averaged."""
        return np.stack([self._score(tokens, logits, activation) for tokens in self.tokenizer.encode(texts)])

    def _score(self, tokens: Tokens, logits: Logits, activation: str) -> npt.NDArray[np.float32]:
        windows = [tokens.ids, *tokens.more]
        rows = np.concatenate([self._logits(ids, logits) for ids in windows]).astype(np.float32)
        return average_windows(ACTIVATIONS[activation](rows), [len(ids) for ids in windows])

    def _logits(self, ids: npt.NDArray[np.int32], logits: Logits) -> Any:
        return logits(*stack([ids], 1, self.width or len(ids), self.pad_id))


def average_windows(scores: npt.NDArray[np.float32], tokens: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return the scores [labels] of a text from those of its windows, each weighing as many tokens as it has."""
    return np.asarray(np.average(scores, axis=0, weights=tokens), np.float32)


def labels_of(wish: ImportRequest, count: int, named: Sequence[str] | None = None) -> list[str]:
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
            "overlap": source.overlap,
        },
        "provenance": dict(origin),
    }


def logit_differences(
    source: TextSource,
    folder: Path,
    header: Mapping[str, Any],
    expected: Window,
) -> str:
    """Return how the logits of a folder's files differ from `expected` on the probes, as a line of the report."""
    runner = load_model(folder, build_manifest(folder, {**header, "name": "imported", "version": "0"}), 1).runner
    differences = []
    for tokens in source.tokenizer.encode(probe_texts()):
        given = {"input_ids": tokens.ids[None], "attention_mask": np.ones_like(tokens.ids)[None]}
        differences.append(np.abs(runner.run(given)[0] - expected(tokens.ids.tolist())))
    mean, most = np.mean(differences), np.max(differences)
    return f"logits differ from the source's by {mean:.2g} on average, {most:.2g} at most"
