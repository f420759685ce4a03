"""checkov on what CloudFormation deploys: every check of AWS passes, or is waived in waivers.yaml with a reason.

    python -m tools.audit.template_findings CHECKOV

CHECKOV is the command of that name. A failure that nobody waived ends with status 1, as does a waiver that
nothing needs any more.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tools.audit.transform import translate_template
from tools.paths import ROOT
from tools.template import load_template

WAIVERS = Path(__file__).parent / "waivers.yaml"


@dataclass(frozen=True, order=True, slots=True)
class TemplateFinding:
    """A check that a resource fails."""

    check: str
    resource: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a check may fail, for the resources named or, where none is, for all."""

    reason: str
    resources: frozenset[str]


def waivers(path: Path = WAIVERS) -> dict[str, Waiver]:
    """Read what is waived, by check."""
    read = yaml.safe_load(path.read_text("utf-8"))
    return {check: Waiver(each["reason"], frozenset(each.get("resources", ()))) for check, each in read.items()}


def drop_waived(findings: Iterable[TemplateFinding], waived: Mapping[str, Waiver]) -> list[TemplateFinding]:
    """Return the failures that nobody gave a reason for."""
    return sorted(each for each in findings if not _is_waived(each, waived))


def _is_waived(finding: TemplateFinding, waived: Mapping[str, Waiver]) -> bool:
    found = waived.get(finding.check)
    return found is not None and (not found.resources or finding.resource in found.resources)


def unneeded_waivers(findings: Iterable[TemplateFinding], waived: Mapping[str, Waiver]) -> list[str]:
    """Return the waivers, `check` or `check resource`, that no failure needs."""
    failed = {(each.check, each.resource) for each in findings}
    checks = {check for check, _ in failed}
    named = {(check, resource) for check, each in waived.items() for resource in each.resources}
    return sorted([*(set(waived) - checks), *(f"{check} {name}" for check, name in named - failed if check in checks)])


def check_template(checkov: str) -> tuple[int, list[TemplateFinding]]:
    """Return how many checks pass, and those that fail."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_text(json.dumps(translate_template(load_template(ROOT / "template.yaml"))), "utf-8")
        command = [checkov, "--file", str(file), "--framework", "cloudformation", "--output", "json", "--compact"]
        done = subprocess.run([*command, "--soft-fail"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout[done.stdout.index("{") : done.stdout.rindex("}") + 1])
    failed = report["results"]["failed_checks"]
    findings = [
        TemplateFinding(each["check_id"], each["resource"].partition(".")[2], each["check_name"]) for each in failed
    ]
    return int(report["summary"]["passed"]), findings


def main() -> int:
    """Print the outcome; 1 where something is not as it should be."""
    passed, findings = check_template(sys.argv[1])
    waived = waivers()
    for each in (failures := drop_waived(findings, waived)):
        print(f"{each.check} {each.resource}: {each.name}", file=sys.stderr)
    for name in (idle := unneeded_waivers(findings, waived)):
        print(f"{name}: waived, and nothing fails it any more", file=sys.stderr)
    print(f"checkov: {passed} checks pass, {len(findings) - len(failures)} are waived for {len(waived)} reasons")
    return 1 if failures or idle else 0


if __name__ == "__main__":
    sys.exit(main())
