"""Read a CloudFormation template and resolve its intrinsic functions for the account that runs on this machine."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ACCOUNT = "123456789012"
REGION = "us-east-1"
STACK = "assay-local"
PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/local",
}
NO_VALUE = object()

_NAME_PROPERTY = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Serverless::StateMachine": "Name",
}
_ARN = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{{name}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",
    "AWS::Serverless::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",
    "AWS::Serverless::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{name}}",
}
_REF_IS_ARN = {"AWS::Serverless::StateMachine", "AWS::SNS::Topic"}
_PLACEHOLDER = re.compile(r"\$\{(!?)([A-Za-z0-9:.]+)\}")


class _Loader(yaml.SafeLoader):
    """A YAML loader that reads `!Ref X` and its kin as the long form `{"Ref": X}`."""


def _read_tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)} if isinstance(node, yaml.MappingNode) else {}


yaml.add_multi_constructor("!", _read_tag, Loader=_Loader)


def load_template(path: Path) -> dict[str, Any]:
    """Parse a template file into plain dictionaries, intrinsic functions in their long form."""
    # A subclass of SafeLoader: it builds nothing but dictionaries, lists and scalars.
    document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # nosec B506
    if not isinstance(document, dict) or "Resources" not in document:
        raise ValueError(f"{path} is not a CloudFormation template: it has no Resources")
    return document


@dataclass
class Resolver:
    """Resolves Ref, Sub, GetAtt, If and their kin; parameters take their defaults unless overridden."""

    document: Mapping[str, Any]
    overrides: Mapping[str, str] = field(default_factory=dict)

    def resource(self, logical_id: str) -> dict[str, Any]:
        """Return a resource with its Properties resolved, or an empty one if its Condition is false."""
        raw = self.document["Resources"][logical_id]
        if "Condition" in raw and not self.condition(raw["Condition"]):
            return {}
        return {"Type": raw["Type"], "Properties": self.resolve(raw.get("Properties", {}))}

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resolved Properties of every existing resource of a type, by logical id."""
        found = {name: self.resource(name) for name, raw in self.document["Resources"].items() if raw["Type"] == kind}
        return {name: resource["Properties"] for name, resource in found.items() if resource}

    def resolve(self, value: Any) -> Any:
        """Resolve a value and everything inside it; `AWS::NoValue` removes the entry."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1 and (function := self._function(next(iter(value)))):
            return function(next(iter(value.values())))
        resolved = ((key, self.resolve(item)) for key, item in value.items())
        return {key: item for key, item in resolved if item is not NO_VALUE}

    def condition(self, name: str) -> bool:
        """Evaluate a named condition."""
        return bool(self.resolve(self.document["Conditions"][name]))

    def _function(self, name: str) -> Callable[[Any], Any] | None:
        return {
            "Ref": self._ref,
            "Condition": lambda value: (
                self.condition(value) if isinstance(value, str) else {"Condition": self.resolve(value)}
            ),
            "Fn::Sub": self._sub,
            "Fn::GetAtt": self._attribute,
            "Fn::Join": lambda pair: str(pair[0]).join(map(str, self.resolve(pair[1]))),
            "Fn::If": lambda three: self.resolve(three[1] if self.condition(three[0]) else three[2]),
            "Fn::Equals": lambda pair: self.resolve(pair[0]) == self.resolve(pair[1]),
            "Fn::Not": lambda one: not self.resolve(one[0]),
            "Fn::And": lambda many: all(map(self.resolve, many)),
            "Fn::Or": lambda many: any(map(self.resolve, many)),
            "Fn::Select": lambda pair: self.resolve(pair[1])[int(self.resolve(pair[0]))],
            "Fn::Split": lambda pair: str(self.resolve(pair[1])).split(pair[0]),
            "Fn::FindInMap": self._find,
        }.get(name)

    def _find(self, keys: list[Any]) -> Any:
        first, second, third = map(self.resolve, keys)
        return self.document["Mappings"][first][second][third]

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        parameter = self.document.get("Parameters", {}).get(name)
        if parameter is not None:
            return self.overrides.get(name, parameter.get("Default", ""))
        return self._identity(name)

    def _identity(self, logical_id: str) -> str:
        kind = self.document["Resources"].get(logical_id, {}).get("Type", "")
        if kind == "AWS::SQS::Queue":
            return f"http://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.name(logical_id)}"
        return self.arn(logical_id) if kind in _REF_IS_ARN else self.name(logical_id)

    def name(self, logical_id: str) -> str:
        """Return the physical name of a resource: its own name property, else one made from the logical id."""
        raw = self.document["Resources"].get(logical_id, {})
        given = raw.get("Properties", {}).get(_NAME_PROPERTY.get(raw.get("Type", ""), ""), NO_VALUE)
        resolved = self.resolve(given) if given is not NO_VALUE else NO_VALUE
        return f"{STACK}-{logical_id}" if resolved is NO_VALUE else str(resolved)

    def arn(self, logical_id: str) -> str:
        """Return the ARN of a resource on this machine."""
        kind = self.document["Resources"].get(logical_id, {}).get("Type", "")
        return _ARN.get(kind, f"arn:aws:local:{REGION}:{ACCOUNT}:{{name}}").format(name=self.name(logical_id))

    def _attribute(self, path: list[str] | str) -> str:
        logical_id, attribute = path.split(".", 1) if isinstance(path, str) else path
        if attribute == "QueueName":
            return self.name(logical_id)
        return self.arn(logical_id) if attribute == "Arn" else f"{self.name(logical_id)}.{attribute}"

    def _sub(self, value: Any) -> str:
        text, variables = value if isinstance(value, list) else (value, {})

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in variables:
                return str(self.resolve(variables[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _PLACEHOLDER.sub(replace, text)
