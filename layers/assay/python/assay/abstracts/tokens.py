"""Token ids by the model's own tokenizer file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from assay.errors import AssayError, BundleInvalid

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """One text: ids int32 [T] with its special tokens, T <= max_tokens, and whether more was cut off.

    `more` holds what follows in further windows of the same kind, where windows overlap.
    """

    ids: npt.NDArray[np.int32]
    truncated: bool
    more: tuple[npt.NDArray[np.int32], ...] = ()
    windows: tuple[npt.NDArray[np.int32], ...] = field(init=False)
    """All that is read of the text, window by window."""

    def __post_init__(self) -> None:
        """Line the windows up."""
        object.__setattr__(self, "windows", (self.ids, *self.more))


class LocatedToken(NamedTuple):
    """A token of a text: its id, its first and last character, and the number of its word, None if it is special."""

    id: int
    span: tuple[int, int]
    word: int | None


class TextTokenizer:
    """A `tokenizer.json`, whose own truncation and padding settings give way to `max_tokens` and none.

    With an `overlap`, a longer text becomes windows of `max_tokens` that share so many tokens; else it is cut.
    Raises BundleInvalid where the file is no tokenizer, or the library gives up on a text.
    """

    def __init__(self, path: Path, max_tokens: int, overlap: int = 0) -> None:
        self._overlap = min(overlap, max_tokens // 2)
        with failures_as_invalid(f"{path.name} is not a tokenizer"):
            self._tokenizer = _load(path)
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(max_tokens, stride=self._overlap)

    @property
    def size(self) -> int:
        """How many token ids there are, from 0."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, in order."""
        with failures_as_invalid("the model's tokenizer failed on a text"):
            encodings = self._tokenizer.encode_batch(list(texts))
        return [self._tokens(each) for each in encodings]

    def locate(self, text: str) -> tuple[list[LocatedToken], bool]:
        """Return the tokens of a text's first window and where they stand, and whether all of the text is read."""
        with failures_as_invalid("the model's tokenizer failed on a text"):
            found = self._tokenizer.encode(text)
        located = map(LocatedToken, found.ids, found.offsets, found.word_ids)
        return list(located), bool(self._overlap) or not found.overflowing

    def _tokens(self, encoding: "Encoding") -> Tokens:
        ids, rest = np.array(encoding.ids, np.int32), encoding.overflowing
        if not self._overlap:
            return Tokens(ids, bool(rest))
        return Tokens(ids, truncated=False, more=tuple(np.array(each.ids, np.int32) for each in rest))


@contextmanager
def failures_as_invalid(message: str) -> Iterator[None]:
    """Turn what the tokenizer library raises into BundleInvalid.

    It raises Exception itself, and where its Rust code panics a BaseException, which `except Exception` lets pass.
    Errors of this program pass as they are.
    """
    try:
        yield
    except (ImportError, AssayError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        raise BundleInvalid(f"{message}: {error}") from error


def _load(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer  # 30 ms that only classification needs

    return Tokenizer.from_file(str(path))
