"""Options as requests carry them, in JSON or as text: integers, numbers, truths, and only names that are known."""

import math
from collections.abc import Iterable

from assay.errors import InvalidOption


def integer(value: object, name: str) -> int:
    """Return an option as an integer, from JSON or text. Raises InvalidOption."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 20:
        try:
            return int(value)
        except ValueError:
            pass
    raise InvalidOption(f"{name} must be an integer", option=name)


def number(value: object, name: str) -> float:
    """Return an option as a finite number, from JSON or text. Raises InvalidOption."""
    try:
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InvalidOption(f"{name} must be a finite number", option=name)
    return found


def truth(value: object, name: str) -> bool:
    """Return an option as true or false, from JSON or text. Raises InvalidOption."""
    if isinstance(value, bool):
        return value
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if found is None:
        raise InvalidOption(f"{name} must be true or false", option=name)
    return found


def hold_known(given: Iterable[str], known: Iterable[str], what: str = "option") -> None:
    """Raise InvalidOption that names the first name of `given` that is not among `known`, and those that are."""
    unknown = sorted(set(given) - {*known})
    if unknown:
        named = ", ".join(known) or "none"
        raise InvalidOption(f"unknown {what} {unknown[0]!r}; known: {named}", option=unknown[0])
