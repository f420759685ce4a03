"""`assay jobs`: show and follow by the API; list, redrive and verify with AWS credentials; cancel by either."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from assay.aws.clients import client
from assay.aws.dynamodb import from_item
from assay.client import Assay
from assay.jobs.ending import cancel
from tools.admin.dead_letters import drain, redrive_job
from tools.admin.proofs import verify_job
from tools.admin.resources import find_deployed
from tools.cli.arguments import add_service
from tools.cli.file_names import known_errors
from tools.cli.output import report_failure
from tools.cli.remote import follow_job
from tools.terminal import explain, format_table, printable

SHOWN = 50
WHICH = "say which service: --url, e.g. http://127.0.0.1:3000"
Command = Callable[[argparse.Namespace], int]


def add_arguments(jobs: argparse.ArgumentParser) -> None:
    """Add list, show, follow, cancel, rerun, redrive and verify."""
    commands = jobs.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = _add(commands, "list", _list, "the latest jobs")
    listed.add_argument("--state", choices=("QUEUED", "RUNNING", "SUCCEEDED", "FAILED"), help="only those")
    shown = _add(commands, "show", _show, "a job, with links to its results")
    shown.add_argument("job", help="the job's id, or its upload's key")
    cancelled = _add(commands, "cancel", _cancel, "stop a job: your own by --url, anybody's by --stack or --endpoint")
    cancelled.add_argument("job", help="the job's id")
    followed = _add(commands, "follow", _follow, "wait for the end of a job, its progress shown, and show it")
    followed.add_argument("job", help="the job's id")
    again = _add(commands, "rerun", _rerun, "begin a job over the same file with other options, without another upload")
    again.add_argument("job", help="the job's id")
    again.add_argument("--threshold", type=float, help="another threshold")
    again.add_argument("--top-k", type=int, help="another number of rows, or of labels")
    again.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any other option, as gate=off")
    for each in (shown, followed, cancelled, again):
        add_service(each, "the service")
    redrive = _add(commands, "redrive", _redrive, "begin a FAILED job again; its finished shards are kept")
    redrive.add_argument("job", nargs="?", help="the job's id")
    redrive.add_argument("--dead-letters", action="store_true", help="everything in the dead-letter queue instead")
    proved = _add(commands, "verify", _verify, "recompute a job's counts from its results and from its file")
    proved.add_argument("job", help="the job's id")
    proved.add_argument("--results-only", action="store_true", help="leave the dropped file out")
    for each in (listed, cancelled, redrive, proved):
        each.add_argument("--stack", help="the CloudFormation stack; AWS credentials as for `aws`")
        each.add_argument("--endpoint", help="a local service instead: what `assay up` prints after `S3:`")


def _add(commands: Any, name: str, command: Command, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=what, description=what)
    parser.set_defaults(run=lambda options: _run(command, options))
    return parser


def _run(command: Command, options: argparse.Namespace) -> int:
    """Run a command, its failure told in one line."""
    try:
        return command(options)
    except BrokenPipeError:
        raise
    except known_errors() as error:
        return report_failure(explain(error))


def _show(options: argparse.Namespace) -> int:
    by_key = "/" in options.job
    path, query = ("/jobs", {"upload": options.job}) if by_key else (f"/jobs/{options.job}", {})
    return _ask(options, "GET", path, query)


def _follow(options: argparse.Namespace) -> int:
    if not options.url:
        return report_failure(WHICH)
    with Assay(options.url, options.key) as service:
        job = follow_job(service, options.job)
    print(json.dumps(job, indent=2))
    return 0 if job["state"] == "SUCCEEDED" else 1


def _rerun(options: argparse.Namespace) -> int:
    wrong = [each for each in options.set if "=" not in each]
    if wrong:
        return report_failure(f"--set takes NAME=VALUE, not {wrong[0]!r}")
    given = {name: value for name, _, value in (each.partition("=") for each in options.set)}
    given |= {name: value for name in ("threshold", "top_k") if (value := getattr(options, name)) is not None}
    return _ask(options, "POST", f"/jobs/{options.job}/rerun", {}, given)


def _cancel(options: argparse.Namespace) -> int:
    if options.stack or options.endpoint:
        print(f"{options.job}: {cancel(find_deployed(options.stack, options.endpoint).desk, options.job).reason}")
        return 0
    return _ask(options, "POST", f"/jobs/{options.job}/cancel", {})


def _ask(
    options: argparse.Namespace, method: str, path: str, query: dict[str, str], body: dict[str, Any] | None = None
) -> int:
    if not options.url:
        return report_failure(WHICH)
    with Assay(options.url, options.key) as service:
        print(json.dumps(service.ask(method, path, body, **query), indent=2))
    return 0


def _list(options: argparse.Namespace) -> int:
    there = find_deployed(options.stack, options.endpoint)
    jobs = sorted(_read_records(there.ids["StateTable"]), key=lambda job: str(job["updated"]), reverse=True)
    kept = [job for job in jobs if options.state in (None, job["state"])]
    columns = ("id", "state", "updated", "upload", "reason")
    rows = [[printable(str(job.get(name, ""))).replace("\n", "?") for name in columns] for job in kept[:SHOWN]]
    print(format_table(columns, rows))
    if len(kept) > SHOWN:
        print(f"and {len(kept) - SHOWN} older", file=sys.stderr)
    return 0


def _read_records(name: str) -> Iterator[dict[str, Any]]:
    """Yield the records of jobs, in no order; reads the whole table."""
    pages = (
        client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=name, FilterExpression="begins_with(pk, :job)", ExpressionAttributeValues={":job": {"S": "job#"}}
        )
    )
    for page in pages:
        for item in map(from_item, page["Items"]):
            yield {**item, "id": str(item["pk"]).partition("#")[2]}


def _verify(options: argparse.Namespace) -> int:
    desk = find_deployed(options.stack, options.endpoint).desk
    proofs = list(verify_job(desk.results, None if options.results_only else desk.uploads, options.job))
    marks = {True: "✓", False: "✗", None: "-"}
    print(
        format_table(("", "what", "found"), [[marks[each.holds], each.name, printable(each.said)] for each in proofs])
    )
    return 1 if any(each.holds is False for each in proofs) else 0


def _redrive(options: argparse.Namespace) -> int:
    if bool(options.job) == options.dead_letters:
        return report_failure("say which job, or --dead-letters for all that lies in the dead-letter queue")
    there = find_deployed(options.stack, options.endpoint)
    if options.dead_letters:
        told = list(map(_line, drain(there)))
        print(f"{len(told)} begun again or found done", file=sys.stderr)
        return 0
    line = redrive_job(there, options.job)
    return 0 if "runs again" in _line(line) else 1


def _line(text: str) -> str:
    print(printable(text))
    return text
