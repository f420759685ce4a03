"""pip-audit on what runs in the cloud: no pinned version has a known vulnerability.

    python -m tools.audit.advisories PIP_AUDIT LOCK...

Where the package index gives no advisories, as mirrors often do not, that is said, and nothing fails for it.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any


def audit_lock(command: str, lock: str) -> list[dict[str, Any]]:
    """Return pip-audit's dependencies of a lock: `name`, and `version` and `vulns` or `skip_reason`."""
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run([command, *options, "--requirement", lock], capture_output=True, text=True, check=False)
    if not done.stdout.startswith("{"):
        raise SystemExit(f"pip-audit: {done.stderr.strip() or done.returncode}")
    found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    return found


def describe_advisory(lock: str, dependencies: Sequence[dict[str, Any]]) -> tuple[str, bool]:
    """Return a line about a lock, and whether it has a vulnerability."""
    known = [
        f"{each['name']} {each['version']}: {vuln['id']}" for each in dependencies for vuln in each.get("vulns", ())
    ]
    skipped = sum("skip_reason" in each for each in dependencies)
    parts = [f"{len(dependencies) - skipped} of {len(dependencies)} packages looked up, {len(known)} vulnerabilities"]
    parts += ["the index gives no advisories for the rest"] if skipped else []
    return f"{lock}: {'; '.join([*parts, *known])}", bool(known)


def main() -> int:
    """Print a line a lock; 1 where something is vulnerable."""
    command, *locks = sys.argv[1:]
    lines = [describe_advisory(lock, audit_lock(command, lock)) for lock in locks]
    print("\n".join(line for line, _ in lines))
    return int(any(bad for _, bad in lines))


if __name__ == "__main__":
    sys.exit(main())
