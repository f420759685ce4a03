"""Token ids by the model's own tokenizer file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """One text: ids int32 [T] with its special tokens, T <= max_tokens, and whether more was cut off."""

    ids: npt.NDArray[np.int32]
    truncated: bool


class TextTokenizer:
    """A `tokenizer.json`, whose own truncation and padding settings give way to `max_tokens` and none."""

    def __init__(self, path: Path, max_tokens: int) -> None:
        self._tokenizer = _load(path)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, in order."""
        encodings = self._tokenizer.encode_batch(list(texts))
        return [Tokens(np.array(each.ids, np.int32), bool(each.overflowing)) for each in encodings]


def _load(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer  # 30 ms that only classification needs

    return Tokenizer.from_file(str(path))
