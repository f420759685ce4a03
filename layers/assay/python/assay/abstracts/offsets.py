"""Where each character of a cleaned abstract stands in the text as it was given."""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from assay.abstracts.cleaning import LONGEST_PLAIN, clean_by, decode_entities, strip_markup

Span = tuple[int, int]
# Normalisation composes and splits characters within such a run, never across its ends: ASCII begins anew.
_RUN: Final = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")
_ENDS: Final = re.compile(r"\A\s+|\s+\Z")


class CleanedText:
    """A text, cleaned as `prepare` cleans it, and where each of its characters comes from.

    Characters that cleaning put together or apart share the place of all of them.
    """

    def __init__(self, given: str) -> None:
        self.given = given
        self._spans: list[Span] = [(at, at + 1) for at in range(len(given))]
        shorter = given if len(given) <= LONGEST_PLAIN else strip_markup(decode_entities(given, self), self)
        text = self.sub(_ENDS, "", clean_by(self, self.sub(_ENDS, "", shorter)))
        self.text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates, one character for one

    def place(self, start: int, end: int) -> Span:
        """Return where characters `start` to `end` of the cleaned text, at least one, stand in the given one."""
        return self._spans[start][0], self._spans[end - 1][1]

    def sub(self, pattern: re.Pattern[str], replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Replace as a pattern does, and keep the places in step."""
        pieces: list[str] = []
        spans: list[Span] = []
        done = 0
        for found in pattern.finditer(text):
            new = replacement if isinstance(replacement, str) else replacement(found)
            pieces += text[done : found.start()], new
            spans += self._spans[done : found.start()] + self._carry(found.start(), found[0], new)
            done = found.end()
        self._spans = spans + self._spans[done:]
        return "".join(pieces) + text[done:]

    def normalize(self, text: str) -> str:
        """Return a text in NFKC, and keep the places in step."""
        return self.sub(_RUN, lambda run: unicodedata.normalize("NFKC", run[0]), text)

    def _carry(self, start: int, old: str, new: str) -> list[Span]:
        """Return the places of what replaces `old`: what both begin or end with keeps its own."""
        if len(new) < 2:
            return [(self._spans[start][0], self._spans[start + len(old) - 1][1])] * len(new)
        most = min(len(old), len(new))
        head = next((at for at in range(most) if old[at] != new[at]), most)
        tail = next((at for at in range(most - head) if old[-1 - at] != new[-1 - at]), most - head)
        known = self._spans[start : start + len(old)]
        between = known[head : len(old) - tail] or known[head : head + 1] or known[-1:]
        whole = between[0][0], between[-1][1]
        return known[:head] + [whole] * (len(new) - head - tail) + known[len(known) - tail :]
