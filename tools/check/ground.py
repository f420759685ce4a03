"""Where a run stands: the address it calls, what it sends, and, for whoever owns the stack, what lies behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tools.check.promises import Untried
from tools.check.specimens import Specimens
from tools.check.wire import Wire, read

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
        models = read(wire.get("/models"))["models"]
        gate = next(model for model in models if "gate" in model["default_for"])
        return Specimens(int(gate["length"]), str(gate["alphabet"]))
    except Exception:  # the checks of /models say what is wrong with it
        return Specimens(LENGTH, ALPHABET)
