"""What a model may be given: an abstract cleaned and within its limits."""

from assay.abstracts.cleaning import clean
from assay.errors import InvalidAbstract

SHORTEST = 50
LONGEST = 5_000
_LONGEST_RAW = 200_000


def prepare(text: object) -> str:
    """Return the cleaned abstract; InvalidAbstract unless it is text of 50 to 5,000 characters after cleaning."""
    if not isinstance(text, str):
        raise InvalidAbstract(f"an abstract must be a string, not {_kind(text)}")
    if len(text) > _LONGEST_RAW:
        raise InvalidAbstract(f"the abstract has {len(text):,} characters, {SHORTEST} to {LONGEST:,} are needed")
    cleaned = _encodable(clean(text))
    if SHORTEST <= len(cleaned) <= LONGEST:
        return cleaned
    raise InvalidAbstract(
        f"the abstract has {len(cleaned):,} characters after cleaning, {SHORTEST} to {LONGEST:,} are needed",
        characters=len(cleaned),
        minimum=SHORTEST,
        maximum=LONGEST,
    )


def _encodable(text: str) -> str:
    """Replace lone surrogates, which JSON escapes can carry and no tokenizer or reply can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _kind(value: object) -> str:
    names = {"NoneType": "null", "dict": "an object", "list": "a list", "bool": "a boolean"}
    return names.get(type(value).__name__, "a number")
