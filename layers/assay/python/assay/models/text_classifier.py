"""A text classifier: tokenizer, batches in the model's shape, and the activation that its manifest names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.abstracts.classification import ODDITIES, Prediction
from assay.abstracts.tokens import Tokens
from assay.errors import BundleInvalid, ModelUnavailable
from assay.models.loading import LoadedModel

_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})
Scores = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]
MULTIPLE = 8
MOST_TOKENS = 4096


def _sigmoid(logits: Scores) -> Scores:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits), np.float32)


def _softmax(logits: Scores) -> Scores:
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(shares / shares.sum(-1, keepdims=True), np.float32)


ACTIVATIONS: Mapping[str, Callable[[Scores], Scores]] = {
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "none": lambda logits: logits,
}


class TextClassifier:
    """Classifies cleaned texts with one loaded model; BundleInvalid when its inputs are not a BERT's.

    It costs nothing to make once the model has its tokenizer, so each user makes one. With `alone`, each text has a run
    to itself, so that its scores are the same bits whatever stands beside it.
    """

    def __init__(self, model: LoadedModel, *, alone: bool = False) -> None:
        self.model, self.text, self._alone = model, model.text, alone
        self.longest = model.longest
        self.rows, self.width = _shape(model)
        self._activate = ACTIVATIONS[self.text.activation]
        self._tokenizer = model.tokenizer
        self._usual = model.usual_texts
        self.checks: Sequence[str] = [*ODDITIES] if self._usual else []
        """The codes of what a text is checked for; a bundle that does not know its training texts checks nothing."""

    def classify(self, texts: Sequence[str]) -> list[Prediction]:
        """Return a prediction for each text, in order; a repeated text is computed once."""
        distinct = list(dict.fromkeys(texts))
        known = dict(zip(distinct, self._classify(distinct), strict=True))
        return [known[text] for text in texts]

    def _classify(self, texts: Sequence[str]) -> list[Prediction]:
        tokens = self._tokenizer.encode(texts)
        scores = iter(self._windows([ids for each in tokens for ids in each.windows]))
        known, pairs = self._usual, zip(texts, tokens, strict=True)
        notices = [known.judge(text, np.concatenate(each.windows)) if known else "" for text, each in pairs]
        return [
            _average_windows(each, [next(scores) for _ in each.windows], notice)
            for each, notice in zip(tokens, notices, strict=True)
        ]

    def run_alone(self) -> "TextClassifier":
        """Return a classifier with the same model that gives each text a run to itself."""
        return TextClassifier(self.model, alone=True)

    def _windows(self, windows: list[Ids]) -> Scores:
        """Return the scores [windows, labels]."""
        scores = np.empty((len(windows), len(self.text.labels)), np.float32)
        lengths = [len(ids) for ids in windows]
        runs = [*batches(lengths, 1 if self._alone else self.rows, self.longest)][::-1]
        found = self.model.run_all([self._stack([windows[index] for index in batch]) for batch in runs])
        for batch, logits in zip(runs, found, strict=True):
            scores[batch] = self._read(logits, len(batch))
        return scores

    def _stack(self, texts: list[Ids]) -> dict[str, npt.NDArray[Any]]:
        """Return the inputs of one run of the model."""
        width = self.width or padded_tokens(max(len(ids) for ids in texts), self.longest)
        return self._inputs(*stack(texts, self.rows or len(texts), width, self.text.pad_id))

    def _read(self, logits: Scores, texts: int) -> Scores:
        """Return the scores [texts, labels] of what one run answered."""
        known = logits[:texts]
        self._check(known, texts)
        return self._activate(known)

    def _inputs(self, ids: Ids, mask: Ids) -> dict[str, npt.NDArray[Any]]:
        known = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        return {each.name: known[each.name].astype(each.dtype, copy=False) for each in self.model.manifest.inputs}

    def _check(self, logits: Scores, rows: int) -> None:
        name = f"{self.model.manifest.name}/{self.model.manifest.version}"
        if logits.shape != (rows, len(self.text.labels)):
            raise BundleInvalid(f"{name} answers in shape {logits.shape} for {len(self.text.labels)} labels")
        if not np.isfinite(logits).all():
            raise ModelUnavailable(f"{name} gave a score that is not a finite number")


def _average_windows(tokens: Tokens, scores: list[Scores], notice: str) -> Prediction:
    """Return the prediction of a text: its windows' scores averaged, each weighing as many tokens as it has."""
    lengths = [len(ids) for ids in tokens.windows]
    joined = scores[0] if len(scores) == 1 else np.average(scores, axis=0, weights=lengths).astype(np.float32)
    return Prediction(joined, sum(lengths), tokens.truncated, notice=notice)


def _shape(model: LoadedModel) -> tuple[int | None, int | None]:
    """Return rows and tokens of a run, None where the model takes any number."""
    inputs = {each.name: (each.shape, each.dtype) for each in model.manifest.inputs}
    if inputs.keys() <= _INPUTS and "input_ids" in inputs and len({shape for shape, _ in inputs.values()}) == 1:
        match inputs["input_ids"]:
            case ((rows, width), "int32" | "int64"):
                return rows, width
    raise BundleInvalid(f"{model.manifest.name}: its inputs must be input_ids, attention_mask, integers of one shape")


def padded_tokens(length: int, longest: int, multiple: int = MULTIPLE) -> int:
    """Return the length rounded up to a multiple, so that few distinct shapes occur, but at most `longest`."""
    return min(-(-length // multiple) * multiple, longest)


def batches(lengths: Sequence[int], rows: int | None, longest: int) -> Iterator[list[int]]:
    """Yield indices of texts grouped by length, at most `rows` a batch (None: any) and 4,096 padded tokens."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        full = (len(batch) + 1) * padded_tokens(lengths[index], longest) > MOST_TOKENS
        if batch and (full or len(batch) == rows):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def stack(texts: Sequence[Ids], rows: int, width: int, pad_id: int) -> tuple[Ids, Ids]:
    """Return ids and mask int32 [rows, width]; rows beyond the texts repeat the first one."""
    ids, mask = np.full((rows, width), pad_id, np.int32), np.zeros((rows, width), np.int32)
    for row in range(rows):
        text = texts[row] if row < len(texts) else texts[0]
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
    return ids, mask
