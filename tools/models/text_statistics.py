"""What a classifier's texts are like, learned from some of them; and how many of others would be told as odd."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from assay.abstracts.classification import UsualTexts
from assay.abstracts.tokens import TextTokenizer

SMALL_WORDS: Final = (
    "the of and in a to we is for that with this by an on as are be from which it our these at or can between using "
    "has have been also their its not but was were such than more when into show results both where one two through "
    "under here there they if then each only other may how all"
)
"""The words that stand in nearly every English abstract."""
SIGNS: Final = ";=\"#<>[]&|*@!'"
"""What code and markup are full of and abstracts, LaTeX included, are not."""
PERCENT: Final = {"likelihood": 0.3, "small_words": 0.4, "signs": 0.3, "shortest": 0.1, "longest": 0.1}
"""Percent of the held-out texts that lie beyond a limit; lengths are of the training texts, which are more."""
Ids = npt.NDArray[np.int32]


class EncodedText(NamedTuple):
    """A cleaned text and its tokens, cut or in windows as the model reads them."""

    text: str
    ids: Ids


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A classifier's tokens: how many there are, which say nothing, and the ids of `SMALL_WORDS` and of `SIGNS`."""

    size: int
    special: tuple[int, ...]
    small_words: tuple[int, ...]
    signs: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: TextTokenizer, pad_id: int) -> Self:
        """Return that of a tokenizer: what stands around every text, and padding, says nothing."""
        special = {*tokenize(tokenizer, [""])[0].ids.tolist(), pad_id}
        words = (_single(tokenizer, words, special) for words in (SMALL_WORDS.split(), SIGNS))
        return cls(tokenizer.size, tuple(sorted(special)), *words)


def tokenize(tokenizer: TextTokenizer, texts: Sequence[str]) -> list[EncodedText]:
    """Return texts with their tokens."""
    found = zip(texts, tokenizer.encode(texts), strict=True)
    return [EncodedText(text, np.concatenate(tokens.windows)) for text, tokens in found]


def _single(tokenizer: TextTokenizer, words: Iterable[str], special: Set[int]) -> tuple[int, ...]:
    """Return the ids of words that are one token, with or without a blank before them; no others."""
    listed = list(words)
    spelled = tokenize(tokenizer, [*listed, *(f" {word}" for word in listed)])
    alone = [[each for each in ids.tolist() if each not in special] for _, ids in spelled]
    return tuple(sorted({ids[0] for ids in alone if len(ids) == 1}))


def count_tokens(texts: Sequence[EncodedText], known: Vocabulary) -> npt.NDArray[np.float32]:
    """Return the logarithm of each token's share [V], smoothed by half a token; NaN for special tokens."""
    special = list(known.special)
    counts = np.bincount(np.concatenate([each.ids for each in texts]), minlength=known.size).astype(np.float64)
    counts[special] = 0
    found = np.log((counts + 0.5) / (counts.sum() + 0.5 * len(counts)))
    found[special] = np.nan
    return np.asarray(found, np.float32)


def learn_usual_texts(
    known: Vocabulary,
    training: Sequence[EncodedText],
    held_out: Sequence[EncodedText],
    percent: Mapping[str, float] = PERCENT,
) -> UsualTexts:
    """Return the tables of training texts, and the limits beyond which few of the held-out ones lie."""
    likelihoods = count_tokens(training, known)
    small_words, signs = np.zeros((2, len(likelihoods)), np.bool_)
    small_words[list(known.small_words)] = True
    signs[list(known.signs)] = True
    told = [ids[~np.isnan(likelihoods[ids])] for _, ids in held_out]
    told = [ids for ids in told if len(ids)]
    lengths = [len(text) for text, _ in training]
    return UsualTexts(
        likelihoods,
        small_words,
        signs,
        round(_lower([likelihoods[ids].mean() for ids in told], percent["likelihood"]), 3),
        round(_lower([small_words[ids].mean() for ids in told], percent["small_words"]), 4),
        round(_upper([signs[ids].mean() for ids in told], percent["signs"]), 4),
        int(_lower(lengths, percent["shortest"])),
        int(_upper(lengths, percent["longest"])),
    )


def _lower(values: Sequence[float], percent: float) -> float:
    """Return one of the values, with at most so many percent of them below it."""
    return float(np.percentile(values, percent, method="lower"))


def _upper(values: Sequence[float], percent: float) -> float:
    """Return one of the values, with at most so many percent of them above it."""
    return float(np.percentile(values, 100 - percent, method="higher"))


def count_notices(known: UsualTexts, texts: Sequence[EncodedText]) -> dict[str, Any]:
    """Return how many texts there are, the share that gets a notice, and the share of each code."""
    return share_notices(Counter(known.judge(text, ids) for text, ids in texts))


def share_notices(told: Counter[str]) -> dict[str, Any]:
    """Return the same of notices that were counted, by code, "" for none."""
    rows = told.total()
    share = {code: round(count / rows, 4) for code, count in sorted(told.items()) if code}
    return {"rows": rows, "noticed": round(1 - told[""] / rows, 4), **share}
