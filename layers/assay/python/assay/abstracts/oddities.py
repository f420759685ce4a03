"""What is odd about a text, from its tokens: not English, not prose, unfamiliar words, too short or too long.

A classifier answers to anything. These checks say where an answer means little. They measure the length of the text and
how likely its tokens are in the training texts (a unigram model). They also count small words of English prose, and
signs of code and markup. The limits are in the bundle's reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

TOO_SHORT: Final = "too_short"
TOO_LONG: Final = "too_long"
NOT_ENGLISH: Final = "not_english"
NOT_PROSE: Final = "not_prose"
UNFAMILIAR: Final = "unfamiliar_words"
ODDITIES: Final[Mapping[str, str]] = {
    NOT_ENGLISH: "The text reads like another language than English, which the model learned: its labels mean little.",
    NOT_PROSE: "The text does not read like English prose (code, a table, sequences, noise?): its labels mean little.",
    UNFAMILIAR: "The text's words are rare or unknown in what the model learned from: its labels may mean little.",
    TOO_SHORT: "The text is shorter than nearly all that the model learned from: send the whole abstract.",
    TOO_LONG: "The text is longer than nearly all that the model learned from: send the abstract alone.",
}
"""What a result's `notice` may say, and what that means; of several that hold the first is said."""
_FOREIGN_LETTERS: Final = 0.03
_FOREIGN_WORDS: Final = 0.08
_WORD: Final = re.compile(r"[^\W\d_]+")
# Words that are among the thirty commonest of a language and are none in English.
_COMMON: Final = (
    "le la les des une dans qui que est du au sur et pour par ne pas der die und den von zu das mit sich auf ist im "
    "dem nicht ein eine auch als werden el los las una por con para se del al lo como il di che della sono nel gli "
    "dei non un os da uma em do dos ao mais het een van dat niet voor zijn met te og det att som en av ikke på nie na "
    "jest że się si și este sau pentru cu din je že jako bir ve bu için ile olarak ja on ei että tai az és egy hogy "
    "nem"
)
_SMALL_WORDS: Final = frozenset(_COMMON.split())


@dataclass(frozen=True, eq=False, slots=True)
class UsualTexts:
    """What the texts that a model learned from are like.

    By token id: `likelihoods` float32 [V], the logarithm of a token's share among all, NaN for tokens that say nothing
    ([CLS], padding); `small_words` and `signs` bool [V]. A text is odd whose mean likelihood or whose share of small
    words is below its limit, or whose share of signs above; lengths are in characters after cleaning.
    """

    likelihoods: npt.NDArray[np.float32]
    small_words: npt.NDArray[np.bool_]
    signs: npt.NDArray[np.bool_]
    least_likelihood: float
    least_small_words: float
    most_signs: float
    shortest: int
    longest: int

    def judge(self, text: str, ids: npt.NDArray[np.int32]) -> str:
        """Return the code of what is odd about a cleaned text with these tokens, empty where nothing is."""
        likelihoods = self.likelihoods[ids]
        told = ~np.isnan(likelihoods)
        count = int(told.sum()) or 1
        rare = float(np.nansum(likelihoods)) / count < self.least_likelihood
        few = self.small_words[ids].sum() / count < self.least_small_words
        if few or self.signs[ids].sum() / count > self.most_signs:
            return NOT_ENGLISH if few and is_foreign(text) else NOT_PROSE
        if rare:
            return UNFAMILIAR
        if len(text) < self.shortest:
            return TOO_SHORT
        return TOO_LONG if len(text) > self.longest else ""


def is_foreign(text: str) -> bool:
    """Say whether a text looks like prose in another language than English: by its letters, by its small words."""
    if sum(letter > "\x7f" and letter.isalpha() for letter in text) > _FOREIGN_LETTERS * len(text):
        return True
    words = _WORD.findall(text.lower())
    return sum(word in _SMALL_WORDS for word in words) > _FOREIGN_WORDS * len(words)
