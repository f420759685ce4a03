"""The monthly cost of an idle stack, counted in the template at the list prices of us-east-1."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.deploy import prices
from tools.local.stack import parse_rate
from tools.template import Resolver

FREE_ALARMS = 10
IMAGES_GB: Final = 0.396 + 0.348
"""Of the two images on a Debian base of 126 MB; docs/deploy.md has them one by one."""
SWEEP_SECONDS, SWEEP_GB, SWEEP_LOG_BYTES = 1.5, 0.5, 1000
"""An hourly call, always on a new environment: upper bounds of a run on two processors."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is billed: dollars a month at list price, and beyond what every account has for nothing."""

    name: str
    dollars: float
    beyond_free: float


def list_upkeep(template: Mapping[str, Any], parameters: Mapping[str, str], model_gb: float) -> list[Item]:
    """Return what is billed though nobody uses the stack, the dearest first."""
    resolver = Resolver(template, parameters)
    count = {kind: len(resolver.resources(f"AWS::{kind}")) for kind in ("CloudWatch::Alarm", "CloudWatch::Dashboard")}
    alarms, dashboards = count["CloudWatch::Alarm"], count["CloudWatch::Dashboard"]
    sweeps = sum(prices.HOURS_MONTH * 3600 / parse_rate(each) for each in _schedules(resolver))
    sweep = sweeps * (prices.LAMBDA_CALL + SWEEP_SECONDS * SWEEP_GB * prices.LAMBDA_GB_SECOND)
    firewalls = len(resolver.resources("AWS::WAFv2::WebACL"))
    logged = sweeps * SWEEP_LOG_BYTES / 1e9 * prices.LOG_GB
    items = [
        Item(f"dashboard in CloudWatch ({dashboards})", dashboards * prices.DASHBOARD_MONTH, 0.0),
        Item(f"alarms ({alarms})", alarms * prices.ALARM_MONTH, max(0, alarms - FREE_ALARMS) * prices.ALARM_MONTH),
        Item(f"two images in one ECR repository ({IMAGES_GB:.2f} GB)", *(IMAGES_GB * prices.REGISTRY_GB_MONTH,) * 2),
        Item(f"models in S3 ({model_gb:.2f} GB)", *(model_gb * prices.S3_GB_MONTH,) * 2),
        Item(f"the hourly sweep ({sweeps:.0f} calls)", sweep, 0.0),
        Item("the sweep's log", logged, 0.0),
        Item(f"web application firewall ({firewalls})", *(firewalls * prices.FIREWALL_MONTH,) * 2),
    ]
    return sorted((each for each in items if each.dollars), key=lambda each: -each.dollars)


def _schedules(resolver: Resolver) -> Iterator[str]:
    for function in resolver.resources("AWS::Serverless::Function").values():
        for event in function.get("Events", {}).values():
            if event["Type"] == "Schedule":
                yield str(event["Properties"]["Schedule"])


def count_model_gb(folder: Path) -> float:
    """Return the size of the bundles that ship, in GB."""
    bundles = [path for path in folder.glob("*/*") if re.fullmatch(r"[0-9].*", path.name)]
    return sum(file.stat().st_size for bundle in bundles for file in bundle.rglob("*") if file.is_file()) / 1e9
