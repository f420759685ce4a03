"""AWS's own validator of templates, on what SAM makes of the template.

    python -m tools.audit.validation TEMPLATE...

Run with the environment of `make audit`. It knows what cfn-lint passes over, such as a DependsOn on a resource that is
not always created.
"""

import sys
from collections.abc import Iterable
from typing import Any

SEVERE = ("ERROR", "FATAL")


def severe(diagnostics: Iterable[Any]) -> list[str]:
    """Return a line for each diagnostic for which CloudFormation would refuse the template."""
    kept = [each for each in diagnostics if each.severity.name in SEVERE]
    return [f"{each.rule_id} {getattr(each.entity, 'logical_id', '')}: {each.message}" for each in kept]


def main() -> int:
    """Print what is wrong with each template; 1 where something is."""
    from cloudformation_validate import CompositeEngine

    engine, wrong = CompositeEngine(), False
    for path in sys.argv[1:]:
        found = list(engine.validate_template(path).diagnostics)
        lines = severe(found)
        wrong = wrong or bool(lines)
        print("\n".join([f"{path}: {len(lines)} errors, {len(found)} remarks", *lines]))
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
