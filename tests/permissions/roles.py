"""What the roles of the template allow: actions on patterns of ARNs, and conditions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from tests.permissions.needs import Names, Need
from tests.unit.templates import functions, written
from tools.template import Resolver

PARAMETERS = {"JobEmail": "who@lab.example.org", "Tracing": "Active", "CacheDays": "1"}


@dataclass(frozen=True, slots=True)
class Grant:
    """One action of one statement, on one pattern; `keys` is what every partition key must look like."""

    sid: str
    action: str
    pattern: str
    keys: str = "*"

    def covers(self, need: Need) -> bool:
        """Say whether it allows a call."""
        held = all(fnmatchcase(key, self.keys) for key in need.keys)
        return need.action == self.action and fnmatchcase(need.arn, self.pattern) and held


@cache
def stack() -> Resolver:
    """Return the template with everything switched on that gives roles permissions."""
    return Resolver(written(), PARAMETERS)


def names() -> Names:
    """Return the stack's ARNs."""
    variables = stack().resolve(written()["Globals"]["Function"]["Environment"]["Variables"])
    buckets = {name: f"arn:aws:s3:::{variables[f'ASSAY_{name.upper()}_BUCKET']}"
               for name in ("uploads", "results", "models")}  # fmt: skip
    return Names(buckets, stack().arn("StateTable"), variables["ASSAY_FILE_MACHINE"], variables["ASSAY_JOB_TOPIC"])


def role_of(function: str) -> str:
    """Return the logical id of a function's role."""
    return str(functions()[function]["Role"]["Fn::GetAtt"][0])


def grants(role: str) -> Iterator[Grant]:
    """Yield all that a role may do, by its own policies and by those attached to it."""
    attached = [each for each in stack().resources("AWS::IAM::Policy").values() if stack().name(role) in each["Roles"]]
    for policy in [*stack().resource(role)["Properties"]["Policies"], *attached]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield from _of(statement)


def _of(statement: Mapping[str, Any]) -> Iterator[Grant]:
    assert statement["Effect"] == "Allow"
    keys = _keys(statement.get("Condition"))
    for action in listed(statement["Action"]):
        for pattern in listed(statement["Resource"]):
            yield Grant(statement["Sid"], action, pattern, keys)


def _keys(condition: Any) -> str:
    if condition is None:
        return "*"
    [found] = condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    return str(found)


def listed(value: Any) -> list[Any]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]
