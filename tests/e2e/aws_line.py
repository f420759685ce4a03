"""As much of AWS's command line as the runbook uses, over boto3: `aws SERVICE OPERATION --option value ...`.

The real one is not available offline. Names and types of options come from the service's model, as in the real one.
"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name


def main(words: list[str]) -> None:
    """Run one command and print its answer."""
    service, operation, *rest = words
    open_client: Any = boto3.client
    client = open_client(service.removesuffix("api"), aws_access_key_id="a", aws_secret_access_key="b")
    said = dict(zip((name.removeprefix("--") for name in rest[::2]), rest[1::2], strict=True))
    query, form = said.pop("query", ""), said.pop("output", "json")
    method = operation.replace("-", "_")
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
    names = {xform_name(name, "-"): name for name in shape.members}
    given = {names[name]: typed(shape.members[names[name]], value) for name, value in said.items()}
    answer = getattr(client, method)(**given)
    answer.pop("ResponseMetadata")
    found = jmespath.search(query, answer) if query else answer
    print(text(found) if form == "text" else json.dumps(found, default=str))


def typed(shape: Any, value: str) -> Any:
    """Return an option's value as the service wants it."""
    match shape.type_name:
        case "integer":
            return int(value)
        case "list":
            return [value]
        case "map":
            return dict([value.split("=", 1)])
        case "blob":
            return Path(value).read_bytes()
    return value


def text(found: Any) -> str:
    """Return an answer as `--output text` writes it."""
    if isinstance(found, list):
        return "\n".join("\t".join(map(str, each)) if isinstance(each, list) else str(each) for each in found)
    return str(found)


if __name__ == "__main__":
    main(sys.argv[1:])
