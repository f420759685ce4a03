"""Who calls: a name for the holder of an API key or the signer of a request, from which neither can be told."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

_SESSION: Final = re.compile(r"(:assumed-role/[^/]+)/.*", re.DOTALL)
"""What names one session of a role: a task or a function has another one each time it starts."""
_LETTERS: Final = 32


def caller(event: Mapping[str, Any]) -> str:
    """Return a hash of what API Gateway found of the caller, a signature's role or user before an API key's id.

    Empty where it found neither: the route is open. What the request itself says of its sender counts for nothing.
    """
    identity = (event.get("requestContext") or {}).get("identity") or {}
    found = _SESSION.sub(r"\1", identity.get("userArn") or "") or identity.get("apiKeyId") or ""
    return sha256(f"caller {found}".encode()).hexdigest()[:_LETTERS] if found else ""
