"""What a run of checks has: the address it calls, what it sends, and, with credentials, the stack's resources."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import boto3

from tools.check.promises import Untried
from tools.check.specimens import Specimens
from tools.check.wire import RequestSignature, Wire, read_json
from tools.paths import ROOT
from tools.template import REGION, Resolver, load_template

LENGTH: Final = 50
ALPHABET: Final = "ACDEFGHIKLMNPQRSTVWY"
SHARD_MEGABYTES: Final = 64
"""The template's default."""
MEGABYTE: Final = 1_000_000
OPEN: Final = {"threshold": "-1e9"}
"""Everything passes the gate."""
NO_STACK: Final = "needs --stack and credentials that may read it"


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a stack owns: names of buckets, parameters, physical ids by resource type.

    `client(service)` gives a boto3 client. A local service has no ids, for it runs no CloudFormation.
    """

    client: Callable[[str], Any]
    uploads: str
    results: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[str]:
        """Return the ids of resources of some types. Raises Untried for a local service."""
        if not self.ids:
            raise Untried(NO_STACK)
        return [name for kind in kinds for name in self.ids.get(kind, ())]


@dataclass
class Ground:
    """One run: `started` is its begin in seconds since the epoch; what it made is noted, to be cleaned away."""

    wire: Wire
    specimens: Specimens
    started: float
    holdings: Holdings | None = None
    shard_megabytes: float | None = None
    uploads: set[str] = field(default_factory=set)
    jobs: set[str] = field(default_factory=set)

    @property
    def held(self) -> Holdings:
        """Return what lies behind the address. Raises Untried for a mere caller."""
        if self.holdings is None:
            raise Untried("needs the buckets: --stack with credentials, or --endpoint of a local service")
        return self.holdings

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the stack, None where it is not known."""
        return self.holdings.parameters.get(name) if self.holdings else None

    @property
    def shard_bytes(self) -> int:
        """Return how large a shard of sequences is, as far as it is known; one of abstracts is a sixteenth of it."""
        known = self.shard_megabytes or float(self.parameter("ShardMegabytes") or SHARD_MEGABYTES)
        return int(known * MEGABYTE)


def choose_specimens(wire: Wire) -> Specimens:
    """Return what suits the models that rank there; what the default models take where it cannot be seen."""
    try:
        models = read_json(wire.get("/models"))["models"]
        gate = next(model for model in models if "gate" in model["default_for"])
        return Specimens(int(gate["length"]), str(gate["alphabet"]))
    except Exception:  # the checks of /models say what is wrong with it
        return Specimens(LENGTH, ALPHABET)


BUCKETS: Final = ("UploadsBucket", "ResultsBucket")


class NoGround(RuntimeError):
    """What was named is no deployment of Assay's that can be found."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the command line names: `endpoint` is that of a local service's S3."""

    url: str | None = None
    key: str | None = None
    stack: str | None = None
    endpoint: str | None = None
    region: str | None = None
    shard_megabytes: float | None = None


def find_ground(named: Named) -> Ground:
    """Return the ground that is named. Raises NoGround, AWS's errors."""
    if named.stack:
        return _of_stack(named, boto3.Session(region_name=named.region))
    if not named.url:
        raise NoGround("say which deployment: --stack NAME with AWS credentials, or --url URL")
    return _stand(named, Wire(named.url, named.key), _local(named.endpoint) if named.endpoint else None)


def _stand(named: Named, wire: Wire, holdings: Holdings | None) -> Ground:
    return Ground(wire, choose_specimens(wire), time.time(), holdings, named.shard_megabytes)


def _of_stack(named: Named, session: Any) -> Ground:
    formation = session.client("cloudformation")
    [stack] = formation.describe_stacks(StackName=named.stack)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
    parameters = {each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", ())}
    logical, kinds = _resources(formation, str(named.stack))
    missing = [name for name in BUCKETS if name not in logical]
    if missing:
        raise NoGround(f"stack {named.stack} has no {' and no '.join(missing)}: is it Assay's?")
    uploads, results = (logical[logical_id] for logical_id in BUCKETS)
    holdings = Holdings(session.client, uploads, results, parameters, kinds)
    return _stand(named, _wire(named, session, outputs, parameters, logical), holdings)


def _wire(
    named: Named,
    session: Any,
    outputs: Mapping[str, str],
    parameters: Mapping[str, str],
    logical: Mapping[str, str],
) -> Wire:
    """Return a client of the stack's address, with its key, or the caller's signature if calls need one."""
    url, access = named.url or outputs["ApiUrl"], parameters.get("Access", "KEYS")
    if access == "IAM":
        return Wire(url, signature=RequestSignature(session.get_credentials(), session.region_name))
    if access == "OPEN" or named.key:
        return Wire(url, named.key if access == "KEYS" else None)
    found = session.client("apigateway").get_api_key(apiKey=logical["ApiKey"], includeValue=True)
    return Wire(url, found["value"])


def _resources(formation: Any, stack: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the physical ids of a stack's resources by logical id, and by type."""
    logical: dict[str, str] = {}
    kinds: dict[str, list[str]] = {}
    for page in formation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for each in page["StackResourceSummaries"]:
            physical = each.get("PhysicalResourceId", "")
            logical[each["LogicalResourceId"]] = physical
            kinds.setdefault(each["ResourceType"], []).append(physical)
    return logical, kinds


def _local(endpoint: str) -> Holdings:
    """Return the stores of a local service, whose names are the template's."""
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)

    def client(service: str) -> Any:
        opened: Any = session.client  # its stubs want a literal name
        return opened(service, endpoint_url=endpoint)

    resolver = Resolver(load_template(ROOT / "template.yaml"), {})
    uploads, results = (resolver.name(logical_id) for logical_id in BUCKETS)
    return Holdings(client, uploads, results)
