"""From what the command line names to a ground to stand on: a stack, a local service's stores, or an address alone."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3

from tools.check.ground import Ground, Holdings, choose_specimens
from tools.check.wire import Signature, Wire
from tools.local.service import ROOT
from tools.local.template import REGION, Resolver, load

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
    """Return a client of the stack's address, with its own key or the caller's signature where calls want one."""
    url, access = named.url or outputs["ApiUrl"], parameters.get("Access", "KEYS")
    if access == "IAM":
        return Wire(url, signature=Signature(session.get_credentials(), session.region_name))
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

    resolver = Resolver(load(ROOT / "template.yaml"), {})
    uploads, results = (resolver.name(logical_id) for logical_id in BUCKETS)
    return Holdings(client, uploads, results)
