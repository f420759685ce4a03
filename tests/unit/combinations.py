"""What a template creates under each combination of the parameters that its conditions read, and what that misses."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Template = Mapping[str, Any]
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z][A-Za-z0-9:.]*)\}")
_COMPOSED = {"Fn::And": all, "Fn::Or": any}


class Missing(NamedTuple):
    """Something created that mentions what is not: its place, the name, and how it is mentioned."""

    place: str
    name: str
    how: str


def combinations(template: Template) -> Iterator[dict[str, str]]:
    """Yield a value for each parameter that a condition reads, in every combination that makes a difference."""
    values = {name: _values(template, name) for name in sorted(set(_read(template["Conditions"])))}
    for chosen in itertools.product(*values.values()):
        yield dict(zip(values, chosen, strict=True))


def _read(value: Any) -> Iterator[str]:
    """Yield the parameters that conditions mention."""
    if isinstance(value, Mapping):
        yield from ([value["Ref"]] if "Ref" in value else ())
        for each in value.values():
            yield from _read(each)
    elif isinstance(value, list):
        for each in value:
            yield from _read(each)


def _values(template: Template, name: str) -> list[str]:
    """Return all values that are allowed, or those that a parameter is compared with, its default, and another."""
    allowed = template["Parameters"][name].get("AllowedValues")
    if allowed:
        return [str(each) for each in allowed]
    default = str(template["Parameters"][name].get("Default", ""))
    return sorted({default, "another", *_compared(template["Conditions"], name)})


def _compared(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _compared(each, name)
    elif isinstance(value, Mapping):
        sides = value.get("Fn::Equals", [])
        if {"Ref": name} in sides:
            yield from (str(side) for side in sides if not isinstance(side, Mapping))
        for each in value.values():
            yield from _compared(each, name)


def evaluate(template: Template, given: Mapping[str, str]) -> dict[str, bool]:
    """Return which conditions hold."""
    return {name: _holds(template, each, given) for name, each in template["Conditions"].items()}


def _holds(template: Template, said: Mapping[str, Any], given: Mapping[str, str]) -> bool:
    [(function, inner)] = said.items()
    if function == "Condition":
        return _holds(template, template["Conditions"][inner], given)
    if function == "Fn::Not":
        return not _holds(template, inner[0], given)
    if function in _COMPOSED:
        return _COMPOSED[function](_holds(template, each, given) for each in inner)
    left, right = (given[side["Ref"]] if isinstance(side, Mapping) else str(side) for side in inner)
    return left == right


def find_missing(template: Template, given: Mapping[str, str]) -> set[Missing]:
    """Return every mention, in what is created, of what is not."""
    holds = evaluate(template, given)
    created = {name: each for name, each in template["Resources"].items() if _is_created(each, holds)}
    known = {*created, *template["Parameters"]}
    told = {f"output {name}": each for name, each in template.get("Outputs", {}).items() if _is_created(each, holds)}
    return {
        Missing(place, name, how)
        for place, each in {**created, **told}.items()
        for name, how in _mentions(each, holds)
        if name not in known and not name.startswith("AWS::")
    }


def _is_created(part: Mapping[str, Any], holds: Mapping[str, bool]) -> bool:
    return "Condition" not in part or holds[part["Condition"]]


def _mentions(value: Any, holds: Mapping[str, bool]) -> Iterator[tuple[str, str]]:
    """Yield the logical ids and parameters that a part mentions where it is created, each with how."""
    if isinstance(value, list):
        for each in value:
            yield from _mentions(each, holds)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _mention(key, inner, holds)


def _mention(key: str, inner: Any, holds: Mapping[str, bool]) -> Iterator[tuple[str, str]]:
    if key == "Ref":
        yield inner.split(".")[0], key
    elif key == "DependsOn":
        yield from ((name, key) for name in ([inner] if isinstance(inner, str) else inner))
    elif key == "Fn::GetAtt":
        yield (inner[0] if isinstance(inner, list) else inner.split(".")[0]), key
    elif key == "Fn::If":
        yield from _mentions(inner[1] if holds[inner[0]] else inner[2], holds)
    elif key == "Fn::Sub":
        text, own = inner if isinstance(inner, list) else (inner, {})
        yield from ((name.split(".")[0], key) for name in _PLACEHOLDER.findall(text) if name.split(".")[0] not in own)
        yield from _mentions(own, holds)
    else:
        yield from _mentions(inner, holds)
