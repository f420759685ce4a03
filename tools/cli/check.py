"""`assay check`: test a live deployment, promise by promise."""

import argparse
import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

from assay.client.sessions import VARIABLE
from tools.check.ground import Ground, Named, NoGround, find_ground
from tools.check.runs import NAMES, as_json, format_summary, line, run_checks
from tools.cli.arguments import add_service
from tools.cli.output import report_failure
from tools.terminal import printable


def add_arguments(check: argparse.ArgumentParser) -> None:
    """Add what names a deployment and what is tried of it."""
    add_service(check, "the deployment's address, e.g. http://127.0.0.1:3000 (default: the stack's)")
    check.add_argument(
        "--stack", help="its CloudFormation stack: address, key, buckets, alarms and logs are found there"
    )
    check.add_argument("--region", help="the stack's region (default: as for `aws`)")
    check.add_argument("--endpoint", help="a local service's S3: what `assay up` prints after `S3:`")
    megabytes = "how large its shards are, where no stack says so (default 64)"
    check.add_argument("--shard-megabytes", type=float, metavar="N", help=megabytes)
    check.add_argument("--without", action="append", default=[], metavar="NAME", help="skip a check; may be repeated")
    check.add_argument("--only", action="append", default=[], metavar="NAME", help="try only this; may be repeated")
    check.add_argument("--json", action="store_true", help="write JSON instead of a table")
    check.set_defaults(run=check_deployment)


def check_deployment(options: argparse.Namespace) -> int:
    """Try every promise of a deployment and print how each ended; 1 where one is broken, or it can't be found."""
    unknown = [name for name in (*options.without, *options.only) if name not in NAMES]
    if unknown:
        return report_failure(f"there is no check {', '.join(unknown)}; there are {', '.join(NAMES)}")
    key = options.key or os.environ.get(VARIABLE)
    try:
        ground = find_ground(
            Named(options.url, key, options.stack, options.endpoint, options.region, options.shard_megabytes)
        )
    except (NoGround, BotoCoreError, ClientError) as error:
        return report_failure(str(error))
    return _try_all(ground, options)


def _try_all(ground: Ground, options: argparse.Namespace) -> int:
    findings = []
    for finding in run_checks(ground, options.without, options.only):
        findings.append(finding)
        if not options.json:
            print(printable(line(finding, sys.stdout.encoding or "ascii")), flush=True)
    print(as_json(ground.wire.url, findings) if options.json else format_summary(findings))
    return 1 if any(finding.mark == "broken" for finding in findings) else 0
