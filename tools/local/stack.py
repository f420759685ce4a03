"""Read functions, routes, triggers and stores from the template as plain values."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from tools.template import Resolver, load_template


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function's logical id, and the seconds from one call to the next."""

    function: str
    seconds: float


def parse_rate(expression: str) -> float:
    """Return the seconds of `rate(15 minutes)`; raises ValueError for what is no rate."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if not found:
        raise ValueError(f"{expression!r} is no rate(N minutes), rate(N hours) or rate(N days)")
    return int(found[1]) * _SECONDS[found[2]]


_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}


MAX_RETRIES = 2
_FUNCTION = "AWS::Serverless::Function"


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function: its handler's dotted name, environment, memory in MB, timeout in seconds, dead-letter ARN."""

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    memory: int
    timeout: int
    dead_letter: str | None
    wrap_dead_letter: bool
    retries: int


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path of the REST API and the logical id of the function that answers it."""

    method: str
    path: str
    function: str

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path parameters if this route serves the path (a trailing slash is the same route)."""
        found = re.fullmatch(_pattern(self.path), path)
        return found.groupdict() if found else None


def _pattern(template: str) -> str:
    """Turn `/models/{name}/classify` or `/{rest+}` into a regular expression."""
    parts = re.split(r"(\{[^}]+\})", template.rstrip("/"))
    return "".join(_segment(part) for part in parts) + "/*"


def _segment(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}")
    return f"(?P<{name[:-1]}>.+?)" if name.endswith("+") else f"(?P<{name}>[^/]+)"


@dataclass(frozen=True, slots=True)
class Trigger:
    """An S3 notification: events such as `s3:ObjectCreated:*` of a bucket, filtered by prefix and suffix of the key."""

    bucket: str
    events: tuple[str, ...]
    prefix: str
    suffix: str
    function: str

    def matches(self, bucket: str, event: str, key: str) -> bool:
        """Say whether an event of a bucket and (decoded) key reaches the function."""
        wanted = any(fnmatchcase(event, pattern) for pattern in self.events)
        return bucket == self.bucket and wanted and key.startswith(self.prefix) and key.endswith(self.suffix)


@dataclass(frozen=True, slots=True)
class Rest:
    """The REST API: stage, media types passed as base64, gateway responses, what it answers to preflight.

    `closed` holds the methods and paths that want an API key; replies of `compressed_from` bytes or more are gzipped.
    """

    stage: str = "prod"
    binary: tuple[str, ...] = ()
    responses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cors: Mapping[str, str] = field(default_factory=dict)
    closed: frozenset[tuple[str, str]] = frozenset()
    compressed_from: int | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that the local service makes from the template."""

    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    triggers: tuple[Trigger, ...]
    rest: Rest
    buckets: Mapping[str, Mapping[str, Any]]
    tables: Mapping[str, Mapping[str, Any]]
    queues: Mapping[str, Mapping[str, Any]]
    machines: Mapping[str, Mapping[str, Any]]
    schedules: tuple[Schedule, ...] = ()

    def bucket(self, word: str) -> str:
        """Return the physical name of the bucket whose logical id starts with a word, e.g. `Uploads`."""
        return next(str(bucket["BucketName"]) for name, bucket in self.buckets.items() if name.startswith(word))


def read_stack(path: Path, overrides: Mapping[str, str] | None = None) -> Stack:
    """Read template.yaml; raises ValueError when it is not a template."""
    resolver = Resolver(_with_globals(load_template(path)), overrides or {})
    functions = resolver.resources(_FUNCTION)
    return Stack(
        functions={name: _function(resolver, name, properties) for name, properties in functions.items()},
        routes=tuple(_routes(functions)),
        triggers=(*_event_triggers(functions), *_bucket_triggers(resolver)),
        rest=_rest(resolver),
        buckets=_name_all(resolver, "AWS::S3::Bucket", "BucketName"),
        tables=_name_all(resolver, "AWS::DynamoDB::Table", "TableName"),
        queues=_name_all(resolver, "AWS::SQS::Queue", "QueueName"),
        machines=_name_all(resolver, "AWS::Serverless::StateMachine", "Name"),
        schedules=tuple(Schedule(name, parse_rate(each["Schedule"])) for name, each in _events(functions, "Schedule")),
    )


def _with_globals(document: dict[str, Any]) -> dict[str, Any]:
    """Merge `Globals: Function` and `Globals: Api` into each resource, as SAM does."""
    for kind, section in ((_FUNCTION, "Function"), ("AWS::Serverless::Api", "Api")):
        shared = document.get("Globals", {}).get(section, {})
        for resource in document["Resources"].values():
            if resource["Type"] == kind:
                resource["Properties"] = _merge(shared, resource.get("Properties", {}))
    return document


def _merge(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merge(base[key], value) if key in base else value for key, value in over.items()}
    return [*base, *over] if isinstance(base, list) and isinstance(over, list) else over


def _name_all(resolver: Resolver, kind: str, name: str) -> dict[str, Mapping[str, Any]]:
    return {key: {**value, name: resolver.name(key)} for key, value in resolver.resources(kind).items()}


def _function(resolver: Resolver, name: str, properties: Mapping[str, Any]) -> Function:
    command = properties.get("ImageConfig", {}).get("Command") or [properties.get("Handler", "")]
    asynchronous = properties.get("EventInvokeConfig", {})
    on_failure = asynchronous.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    variables = properties.get("Environment", {}).get("Variables", {})
    return Function(
        name=resolver.name(name),
        arn=resolver.arn(name),
        handler=str(command[0]),
        environment={key: str(value) for key, value in variables.items()},
        memory=int(properties.get("MemorySize", 128)),
        timeout=int(properties.get("Timeout", 3)),
        dead_letter=properties.get("DeadLetterQueue", {}).get("TargetArn") or on_failure,
        wrap_dead_letter="DeadLetterQueue" not in properties,
        retries=int(asynchronous.get("MaximumRetryAttempts", MAX_RETRIES)),
    )


def _events(functions: Mapping[str, Mapping[str, Any]], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, properties in functions.items():
        events = properties.get("Events", {}).values()
        yield from ((name, event["Properties"]) for event in events if event["Type"] == kind)


def _routes(functions: Mapping[str, Mapping[str, Any]]) -> Iterator[Route]:
    """Yield routes, those without a greedy parameter first, as API Gateway prefers them."""
    found = (_route(name, event) for name, event in _events(functions, "Api"))
    yield from sorted(found, key=lambda route: ("+}" in route.path, route.path.count("{"), route.path))


def _route(function: str, event: Mapping[str, Any]) -> Route:
    return Route(str(event["Method"]).upper(), event["Path"], function)


def _event_triggers(functions: Mapping[str, Mapping[str, Any]]) -> Iterator[Trigger]:
    for name, event in _events(functions, "S3"):
        events = event["Events"] if isinstance(event["Events"], list) else [event["Events"]]
        yield _trigger(event["Bucket"], events, event.get("Filter", {}), name)


def _bucket_triggers(resolver: Resolver) -> Iterator[Trigger]:
    ids = {resolver.arn(name): name for name in resolver.resources(_FUNCTION)}
    for name, bucket in resolver.resources("AWS::S3::Bucket").items():
        for item in bucket.get("NotificationConfiguration", {}).get("LambdaConfigurations", []):
            yield _trigger(resolver.name(name), [item["Event"]], item.get("Filter", {}), ids[item["Function"]])


def _trigger(bucket: str, events: list[str], filters: Mapping[str, Any], function: str) -> Trigger:
    rules = {rule["Name"].lower(): rule["Value"] for rule in filters.get("S3Key", {}).get("Rules", [])}
    return Trigger(bucket, tuple(events), rules.get("prefix", ""), rules.get("suffix", ""), function)


def _rest(resolver: Resolver) -> Rest:
    for properties in resolver.resources("AWS::Serverless::Api").values():
        binary = tuple(str(kind).replace("~1", "/") for kind in properties.get("BinaryMediaTypes", []))
        cors, body = properties.get("Cors", {}), properties.get("DefinitionBody", {})
        return Rest(
            stage=str(properties.get("StageName", "prod")),
            binary=binary,
            responses={**properties.get("GatewayResponses", {}), **_defined_responses(body)},
            cors={"AllowOrigin": cors} if isinstance(cors, str) else cors,
            closed=frozenset(_find_closed(body.get("paths", {}))),
            compressed_from=properties.get("MinimumCompressionSize"),
        )
    return Rest()


def _find_closed(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for path, methods in paths.items():
        yield from ((method.upper(), path) for method, said in methods.items() if said.get("security"))


def _defined_responses(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the gateway responses of an OpenAPI definition as SAM's own GatewayResponses spell them."""
    defined = body.get("x-amazon-apigateway-gateway-responses", {})
    return {kind: _response(each) for kind, each in defined.items()}


def _response(said: Mapping[str, Any]) -> dict[str, Any]:
    named = said.get("responseParameters", {}).items()
    headers = {key.removeprefix("gatewayresponse.header."): value for key, value in named}
    status = {"StatusCode": said["statusCode"]} if "statusCode" in said else {}
    return {
        **status,
        "ResponseParameters": {"Headers": headers},
        "ResponseTemplates": said.get("responseTemplates", {}),
    }
