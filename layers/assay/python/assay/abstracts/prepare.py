"""What a model may be given: an abstract cleaned and within its limits."""

from time import thread_time
from typing import Final

from assay.abstracts.cleaning import clean, decode_entities, strip_markup
from assay.errors import InvalidAbstract

SHORTEST: Final = 50
LONGEST: Final = 5_000
SECONDS: Final = 2.0
"""CPU time that the cleaning of one text may take; an honest one takes a thousandth of it."""
SLOW: Final = "slow"
_LONGEST_RAW: Final = 200_000
_LONGEST_PLAIN: Final = 4 * LONGEST
"""No more characters without markup become 5,000: NFKC puts at most four together."""


def prepare(text: object) -> str:
    """Return the cleaned abstract.

    Raises InvalidAbstract unless it is text of 50 to 5,000 characters after cleaning, and where cleaning it has taken
    more than 2 s of CPU time, so that no text holds up those behind it.
    """
    if not isinstance(text, str):
        raise InvalidAbstract(f"an abstract must be a string, not {_kind(text)}")
    started = thread_time()
    plain = _within_reach(text)
    _hold_to_time(started)
    cleaned = _encodable(clean(plain))
    _hold_to_time(started)
    if SHORTEST <= len(cleaned) <= LONGEST:
        return cleaned
    raise InvalidAbstract(
        f"the abstract has {len(cleaned):,} characters after cleaning, {SHORTEST} to {LONGEST:,} are needed",
        characters=len(cleaned),
        minimum=SHORTEST,
        maximum=LONGEST,
    )


def _within_reach(text: str) -> str:
    """Return a text that is worth normalising: one that is long is stripped of its markup first."""
    if len(text) > _LONGEST_RAW:
        raise InvalidAbstract(f"the abstract has {len(text):,} characters, {SHORTEST} to {LONGEST:,} are needed")
    plain = text if len(text) <= _LONGEST_PLAIN else strip_markup(decode_entities(text))
    if len(plain) > _LONGEST_PLAIN:
        raise InvalidAbstract(
            f"the abstract has more than {LONGEST:,} characters after cleaning, {SHORTEST} to {LONGEST:,} are needed",
            minimum=SHORTEST,
            maximum=LONGEST,
        )
    return plain


def _hold_to_time(started: float) -> None:
    if thread_time() - started > SECONDS:
        raise InvalidAbstract(
            f"the abstract takes more than {SECONDS:g} s to clean: send it as plain text", reason=SLOW
        )


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON escapes can carry and no tokenizer or reply can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _kind(value: object) -> str:
    names = {"NoneType": "null", "dict": "an object", "list": "a list", "bool": "a boolean"}
    return names.get(type(value).__name__, "a number")
