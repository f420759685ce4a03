"""What a checkpoint answers by its own weights and tokenizer, in NumPy float64: the reference of every text import."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import transformers

from assay.errors import UnreadableInput
from assay.models.text_classifier import ACTIVATIONS
from tools.models.importers.checkpoint import State
from tools.models.importers.forward_pass import build_forward_pass
from tools.models.importers.texts import TextSource, average_windows

Logits = npt.NDArray[np.float32]
Head = Callable[[Logits], Logits]


class CheckpointReference:
    """A checkpoint's forward pass and transformers' tokenizer of it; `code` in the folder is not looked at."""

    def __init__(self, config: Mapping[str, Any], state: State, tokenizer: Path) -> None:
        self._tokenizer = _tokenizer(tokenizer)
        self._network = build_forward_pass(config, state)

    def ids(self, text: str, max_tokens: int, overlap: int = 0) -> list[list[int]]:
        """Return the token ids of a text; with an `overlap`, of all its windows."""
        if not overlap:
            return [list(self._tokenizer(text, truncation=True, max_length=max_tokens)["input_ids"])]
        more = {"stride": overlap, "return_overflowing_tokens": True}
        return list(self._tokenizer([text], truncation=True, max_length=max_tokens, **more)["input_ids"])

    def logits(self, ids: Sequence[int]) -> Logits:
        """Return logits [labels] of one window; UnreadableInput where the weights do not fit config.json."""
        return _run(self._network.logits, ids)

    def states(self, ids: Sequence[int]) -> Logits:
        """Return the last hidden states [T, hidden] of one window."""
        return _run(self._network.states, ids)

    def pool(self, hidden: Logits) -> Logits:
        """Return what the network's own pooler makes of last hidden states."""
        return _run(self._network.pool, hidden)

    def scores(self, texts: Sequence[str], source: TextSource, activation: str, head: Head | None = None) -> Logits:
        """Return scores [N, labels], by a `head` over the hidden states where the network has none."""
        answer, found = self.answer(head), []
        for text in texts:
            windows = self.ids(text, source.max_tokens, source.overlap)
            rows = ACTIVATIONS[activation](np.stack([answer(ids) for ids in windows]))
            found.append(average_windows(rows, [len(ids) for ids in windows]))
        return np.stack(found)

    def answer(self, head: Head | None) -> Callable[[Sequence[int]], Logits]:
        """Return what gives the logits [labels] of one window."""
        return self.logits if head is None else lambda ids: head(self.states(ids))


def _run(part: Callable[[Any], Any], given: object) -> Logits:
    try:
        return np.asarray(part(given), np.float32)
    except (IndexError, TypeError, ValueError) as error:  # NumPy's words for shapes that do not fit
        raise UnreadableInput(f"the weights do not fit config.json: {' '.join(str(error).split())[:300]}") from error


def _tokenizer(folder: Path) -> Any:
    try:
        if folder.is_file():
            return transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder))
        return transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers raises many kinds
        raise UnreadableInput(f"transformers can't read the tokenizer of {folder.name}: {error}") from error
