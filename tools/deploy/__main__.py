"""`make deploy` and `make undeploy`: `python -m tools.deploy up | down --stack NAME --region REGION`.

An emulated AWS is addressed by AWS_ENDPOINT_URL, as everything that talks to AWS reads it; its API is then called under
`AWS_ENDPOINT_URL/_aws/execute-api/...`, or where --api-url says.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from assay.errors import AssayError
from tools.check.ground import Named, find_ground
from tools.cli.output import quiet, report_failure
from tools.deploy import removal
from tools.deploy.idle_cost import count_model_gb, list_upkeep
from tools.deploy.image_repository import keep_repository
from tools.deploy.parameters import DeploymentRefused, DeploymentRequest, read_parameters
from tools.deploy.preconditions import Clients, Footing, find_account, find_footing
from tools.deploy.rollout import (
    Address,
    Run,
    build_images,
    deploy_stack,
    forget_plan,
    list_failures,
    publish_shipped,
    read_address,
    require_docker,
    run_here,
    wait_until_warm,
)
from tools.paths import ROOT
from tools.template import load_template
from tools.terminal import printable

TEMPLATE: Final = ROOT / "template.yaml"
SAM: Final = str(ROOT / ".venv-sam" / "bin" / "sam")
ABSTRACT: Final = json.loads((ROOT / "events" / "classify.json").read_text("utf-8"))["body"]
SEQUENCE: Final = "SQVRKIAREVKKLIGDPRLRRIIERAKELVGNPKAEKVVQKLKQVAKRIE"


def main(arguments: list[str] | None = None) -> int:
    """Deploy or remove a stack; returns 1 where it cannot be done, or where `assay check` finds something broken."""
    options = _parser().parse_args(arguments)
    quiet()
    try:
        wish = DeploymentRequest(
            options.stack, _region(options.region), read_parameters(options.parameters, load_template(TEMPLATE))
        )
        os.environ["AWS_DEFAULT_REGION"] = wish.region  # for SAM, and for `assay check`
        clients = _clients(wish.region)
        return take_down(wish, clients, options) if options.command == "down" else bring_up(wish, clients, options)
    except DeploymentRefused as error:
        return report_failure(str(error))
    except (AssayError, BotoCoreError, ClientError) as error:
        return report_failure(f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "command", choices=("up", "down"), help="up: deploy, or change what is deployed; down: remove it"
    )
    parser.add_argument("--stack", default="assay", help="the stack's name (default assay)")
    parser.add_argument("--region", default="", help="AWS region (default: as for `aws`)")
    parser.add_argument("--parameters", default="", help="Name=value ... of template.yaml that are to change")
    parser.add_argument("--plan", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--built", action="store_true", help="deploy what `sam build` built, and build nothing")
    parser.add_argument("--api-url", default="", help="where the API answers, where the stack's output does not say so")
    parser.add_argument(
        "--delete-buckets", action="store_true", help="down: remove the buckets too, with what is in them"
    )
    parser.add_argument("--without", action="append", default=[], help="a check that is left out; may be repeated")
    return parser


def _region(given: str) -> str:
    region = given or boto3.Session().region_name
    if not region:
        raise DeploymentRefused("say in which region: REGION=eu-central-1, or AWS_DEFAULT_REGION, or `aws configure`")
    return str(region)


def _clients(region: str) -> Clients:
    session: Any = boto3.Session(region_name=region)
    return lambda service: session.client(service)


def bring_up(wish: DeploymentRequest, clients: Clients, options: argparse.Namespace, run: Run = run_here) -> int:
    """Deploy a stack and prove it, or show what would change with `plan`. Raises DeploymentRefused, AWS's errors."""
    template = load_template(TEMPLATE)
    require_docker()
    footing = find_footing(wish, template, clients)
    _tell(_write_opening(wish, footing))
    if not options.built:
        build_images(SAM, run, footing.values)
    repository = keep_repository(clients("ecr"), wish.stack)
    _roll_out(wish, footing, clients, repository, run, plan=options.plan)
    if options.plan:
        forget_plan(clients, wish.stack)
        _tell(["nothing was changed but the images pushed: this is what `make deploy` would do"])
        return 0
    address = read_address(wish, clients, options.api_url or os.environ.get("AWS_ENDPOINT_URL", ""))
    _settle(wish, address, clients)
    passed = _prove(wish, address, options.without, run)
    _tell(_write_closing(wish, footing, address, template))
    return 0 if passed else 1


def _roll_out(
    wish: DeploymentRequest, footing: Footing, clients: Clients, repository: str, run: Run, *, plan: bool
) -> None:
    try:
        deploy_stack(SAM, run, wish, footing, repository, plan=plan)
    except DeploymentRefused as error:
        raise DeploymentRefused("\n".join([str(error), *list_failures(clients, wish.stack)])) from error


def _settle(wish: DeploymentRequest, address: Address, clients: Clients) -> None:
    _tell(publish_shipped(clients("s3"), address.outputs["ModelsBucketName"], ROOT / "models"))
    wire = find_ground(Named(address.url, stack=wish.stack, region=wish.region)).wire
    _tell(
        wait_until_warm(
            {
                "GET /health": lambda: wire.get("/health").status_code,
                "POST /rank": lambda: wire.post("/rank", json={"sequences": [SEQUENCE]}).status_code,
                "POST /classify": lambda: (
                    wire.post("/classify", data=ABSTRACT, headers={"Content-Type": "application/json"}).status_code
                ),
            }
        )
    )


def _prove(wish: DeploymentRequest, address: Address, without: Iterable[str], run: Run) -> bool:
    left_out = [word for name in without for word in ("--without", name)]
    where = ["--stack", wish.stack, "--region", wish.region, "--url", address.url]
    try:
        run([sys.executable, "-m", "tools", "check", *where, *left_out])
    except DeploymentRefused as error:
        print(error)
        return False
    return True


def _write_opening(wish: DeploymentRequest, footing: Footing) -> list[str]:
    """Return what is about to be done."""
    what = "new stack" if footing.is_new else f"stack that is {footing.status}"
    given = [f"  {name}={value}" for name, value in sorted(footing.chosen.items())]
    lines = [f"{what} {wish.stack} in account {footing.account}, region {wish.region}"]
    lines += ["parameters that are set:", *given] if given else ["parameters: as they are"]
    return [*lines, *(f"note: {remark}" for remark in footing.remarks)]


def _write_closing(wish: DeploymentRequest, footing: Footing, address: Address, template: dict[str, Any]) -> list[str]:
    """Return what somebody needs who has a stack now."""
    cost = list_upkeep(template, footing.values, count_model_gb(ROOT / "models"))
    named = f"STACK={wish.stack} REGION={wish.region}"
    whole, beyond = sum(each.dollars for each in cost), sum(each.beyond_free for each in cost)
    lines = [
        f"address   {address.url}",
        f"key       {address.key_command or 'none is needed'}" if footing.values["Access"] != "IAM"
        else "key       none: calls are signed with AWS Signature Version 4",
        f"uploads   s3://{address.outputs['UploadsBucketName']}/rank/ and /classify/",
        f"results   s3://{address.outputs['ResultsBucketName']}/results/",
        f"models    s3://{address.outputs['ModelsBucketName']}/models/",
        f"idle      ${whole:.2f} a month at list price, ${beyond:.2f} beyond what every account has for nothing",
        f"prove     assay check --stack {wish.stack} --region {wish.region}",
        f"change    make deploy {named} PARAMETERS='Name=value'; all others stay unchanged",
        f"remove    make undeploy {named}, which keeps the buckets",
    ]  # fmt: skip
    return ["", *lines]


def take_down(wish: DeploymentRequest, clients: Clients, options: argparse.Namespace) -> int:
    """Remove a stack and say what stays. Raises DeploymentRefused, AWS's errors."""
    account = find_account(clients)
    print(f"stack {wish.stack} in account {account}, region {wish.region}", flush=True)
    _tell(removal.remove(wish, clients, with_buckets=options.delete_buckets))
    return 0


def _tell(lines: Iterable[str]) -> None:
    for each in lines:
        print(printable(each), flush=True)


if __name__ == "__main__":
    sys.exit(main())
