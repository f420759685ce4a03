"""A request to deploy: region, stack name and parameters, checked against the template first."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

LONGEST_STACK: Final = 70
"""Letters of a stack's name: the state machine's name is the stack's and ten more, and AWS takes 80."""
BUILD_ONLY: Final = ("BaseImage", "WithTensorFlow")
"""Parameters that `sam build` reads; the template only hands them on."""
ROUTE_LIMITS: Final = (("RequestsPerSecond", "RouteRequestsPerSecond"), ("RequestBurst", "RouteRequestBurst"))


class DeploymentRefused(RuntimeError):
    """The request cannot be carried out; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class DeploymentRequest:
    """A stack by name and region, and the parameters to change; the others keep their value or default."""

    stack: str
    region: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_parameters(text: str, template: Mapping[str, Any]) -> dict[str, str]:
    """Return `Name=value Name="other value"` by name. Raises DeploymentRefused, naming all that is wrong."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise DeploymentRefused(f"PARAMETERS {text!r} cannot be read: {error}") from None
    given = dict(word.partition("=")[::2] for word in words)
    faults = [f"{word!r} is not Name=value" for word in words if "=" not in word]
    faults += [fault for word in words if "=" in word for fault in _faults(*word.partition("=")[::2], template)]
    if faults:
        raise DeploymentRefused("\n".join(f"PARAMETERS: {fault}" for fault in faults))
    return given


def _faults(name: str, value: str, template: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a parameter, none where nothing is."""
    known = template["Parameters"]
    if name not in known:
        return [f"there is no parameter {name}; there are {', '.join(sorted(known))}"]
    said = known[name]
    if "AllowedValues" in said and value not in map(str, said["AllowedValues"]):
        return [f"{name}={value}: one of {', '.join(map(str, said['AllowedValues']))}"]
    if "AllowedPattern" in said and not re.fullmatch(said["AllowedPattern"], value):
        return [f"{name}={value}: {said.get('ConstraintDescription') or said['Description']}"]
    if said["Type"] == "Number" and "AllowedValues" not in said:
        return _outside(name, value, said["MinValue"], said["MaxValue"])
    return []


def _outside(name: str, value: str, least: int, most: int) -> list[str]:
    if re.fullmatch(r"[0-9]{1,12}", value) and least <= int(value) <= most:
        return []
    return [f"{name}={value}: a whole number from {least:,} to {most:,}"]


def require_name(stack: str) -> None:
    """Raise DeploymentRefused for a name that CloudFormation, or what the stack makes of it, would not take."""
    if not re.fullmatch(rf"[A-Za-z][A-Za-z0-9-]{{0,{LONGEST_STACK - 1}}}", stack):
        raise DeploymentRefused(
            f"STACK={stack}: a letter, then letters, digits and hyphens, at most {LONGEST_STACK} in all, for the state "
            "machine's name is the stack's and ten letters more"
        )


def require_room_for_keys(values: Mapping[str, str]) -> None:
    """Raise DeploymentRefused where a key may ask more than its routes take, so that it would never get it."""
    for key, route in ROUTE_LIMITS:
        if int(values[key]) > int(values[route]):
            raise DeploymentRefused(f"{key}={values[key]} is over {route}={values[route]}: raise {route} too")


def complete(template: Mapping[str, Any], earlier: Mapping[str, str], wished: Mapping[str, str]) -> dict[str, str]:
    """Return every parameter's value: as wished, else as the stack has it, else the default."""
    defaults = {name: str(said["Default"]) for name, said in template["Parameters"].items()}
    return {**defaults, **{name: value for name, value in earlier.items() if name in defaults}, **wished}
