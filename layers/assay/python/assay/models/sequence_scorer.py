"""Scores of sequences, a fixed number of rows a run, so that a row's score never depends on its neighbours."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assay.errors import BundleInvalid
from assay.models.loading import LoadedModel

_FREE_BATCH: Final = 512


class SequenceScorer:
    """A `sequence-score` model over alphabet indices."""

    def __init__(self, model: LoadedModel) -> None:
        spec = model.manifest.sequence
        if spec is None:
            raise BundleInvalid(f"{model.manifest.name} is for {model.manifest.task}, not for sequence-score")
        tensor = model.manifest.inputs[0]
        self.model = model
        self.contract = spec.contract
        self.alphabet = spec.alphabet
        self.length = spec.length
        self.batch = tensor.shape[0] or _FREE_BATCH
        self._name = tensor.name
        self._dtype = np.dtype(tensor.dtype)
        self._encoding = spec.encoding

    def score(self, codes: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores [N] of codes [N, length]."""
        scores = np.empty(len(codes), np.float32)
        for start in range(0, len(codes), self.batch):
            rows = codes[start : start + self.batch]
            scores[start : start + len(rows)] = self._run(rows)[: len(rows)]
        return scores

    def _run(self, rows: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the scores [batch] of at most `batch` rows, the missing ones zeros."""
        if len(rows) < self.batch:
            rows = np.concatenate([rows, np.zeros((self.batch - len(rows), self.length), np.uint8)])
        return self.model.run({self._name: self._encode(rows)}).reshape(-1)

    def _encode(self, rows: NDArray[np.uint8]) -> NDArray[Any]:
        if self._encoding == "index":
            return rows.astype(self._dtype, copy=False)
        one_hot = np.eye(len(self.alphabet), dtype=self._dtype)[rows]
        return one_hot if self._encoding == "one_hot" else one_hot.reshape(len(rows), -1)
