"""The template as the tests read it: as written, and as CloudFormation receives it from SAM."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.audit.transform import translate_template
from tools.template import load_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
_SUB = re.compile(r"\$\{([A-Za-z0-9:.]+)\}")


@cache
def written() -> dict[str, Any]:
    """Return the template of the repository, with intrinsic functions in their long form."""
    return load_template(TEMPLATE)


def functions() -> dict[str, dict[str, Any]]:
    """Return the properties of each function, with those that Globals give to all."""
    shared = written()["Globals"]["Function"]
    return {name: _merged(shared, each["Properties"]) for name, each in of_type("AWS::Serverless::Function").items()}


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Return the resources of one type."""
    return {name: each for name, each in written()["Resources"].items() if each["Type"] == kind}


def handler(properties: dict[str, Any]) -> str:
    """Return the dotted name of a function's handler, image or zip."""
    return str(properties["Handler"] if properties["PackageType"] == "Zip" else properties["ImageConfig"]["Command"][0])


@cache
def transformed() -> dict[str, Any]:
    """Return what CloudFormation deploys: the template through SAM's own translator, as packaged."""
    return translate_template(written())


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids and parameter names that a piece of template mentions."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _reference(key, inner)


def _reference(key: str, inner: Any) -> Iterator[str]:
    if key == "Ref":
        yield inner
    elif key == "Fn::GetAtt":
        yield inner[0] if isinstance(inner, list) else inner.split(".")[0]
    elif key == "Fn::Sub":
        text, local = inner if isinstance(inner, list) else (inner, {})
        yield from (name.split(".")[0] for name in _SUB.findall(text) if name not in local)
        yield from references(local)
    else:
        yield from references(inner)


def _merged(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    both = shared | own
    variables = {**shared["Environment"]["Variables"], **own.get("Environment", {}).get("Variables", {})}
    return both | {"Environment": {"Variables": variables}, "Events": own.get("Events", {})}


def dump(document: dict[str, Any]) -> str:
    """Return a template as YAML."""
    return yaml.safe_dump(document)
