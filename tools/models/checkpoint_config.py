"""A `config.json`, each value read as the kind that it must be: what is wrong is said by its key."""

import math
from collections.abc import Mapping
from typing import Any, Final

from assay.errors import UnreadableInput
from tools.models.activations import TRANSFORMERS

_SHOWN: Final = 60
_MOST: Final = 1 << 24


class CheckpointConfig:
    """The settings of a Hugging Face folder; every reading raises UnreadableInput for a value of a wrong kind."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def integer(self, *names: str, default: int, least: int = 1) -> int:
        """Return a whole number of at least `least`, under the first of the names that is there."""
        name, value = self._found(names, default)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not least <= value <= _MOST:
            raise self._wrong(name, value, f"a whole number from {least}")
        return value

    def number(self, *names: str, default: float) -> float:
        """Return a number that is greater than 0."""
        name, value = self._found(names, default)
        if type(value) not in (int, float) or not 0 < value < math.inf:
            raise self._wrong(name, value, "a number above 0")
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self._wrong(name, value, "true or false")
        return value

    def word(self, *names: str, default: str) -> str:
        """Return a text."""
        name, value = self._found(names, default)
        if not isinstance(value, str):
            raise self._wrong(name, value, "a text")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """Return several texts, from a list or from one text with | between them."""
        value = self.values.get(name)
        found = value.split("|") if isinstance(value, str) else [] if value is None else value
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self._wrong(name, value, "a list of texts")
        return tuple(each.strip().lower() for each in found if each.strip())

    def activation(self, *names: str, default: str) -> str:
        """Return the canonical name of an activation; one that is not served is refused by its name."""
        found = self.word(*names, default=default)
        if found not in TRANSFORMERS:
            known = ", ".join(TRANSFORMERS)
            raise UnreadableInput(f"config.json: {names[0]} is {found[:_SHOWN]!r}, which is not served: only {known}")
        return TRANSFORMERS[found]

    def refuse(self, name: str, complaint: str, *allowed: Any) -> None:
        """Raise UnreadableInput where a key is there with another value than those allowed (or null)."""
        value = self.values.get(name)
        if value is not None and not any(value == each and type(value) is type(each) for each in allowed):
            raise UnreadableInput(f"config.json: {name} is {_shown(value)}: {complaint}")

    def _found(self, names: tuple[str, ...], default: Any) -> tuple[str, Any]:
        return next(((name, self.values[name]) for name in names if name in self.values), (names[0], default))

    def _wrong(self, name: str, value: object, kind: str) -> UnreadableInput:
        return UnreadableInput(f"config.json: {name} is {_shown(value)}, and must be {kind}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
