"""`assay rank`: rank files, here with the service's code and models, or by a running service."""

import argparse
import os
import sys
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.jobs.workspace import result_key
from assay.options import RankOptions
from assay.settings import Settings
from tools.batch.inputs import place_input
from tools.batch.rank_file import rank_file as rank_here
from tools.batch.worker import BatchRun
from tools.cli import output, remote
from tools.cli.arguments import add_where, ranking_options
from tools.cli.file_names import each_alone, expand
from tools.cli.output import report_failure
from tools.paths import ROOT
from tools.terminal import explain


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    files = "the files, patterns, s3://BUCKET/KEY, or - for standard input; each file is ranked by itself"
    command.add_argument("files", nargs="+", metavar="FILE", help=files)
    command.add_argument("--top-k", type=int, default=100, help="how many to return, 1 to 10000 (default 100)")
    command.add_argument("--threshold", type=float, default=0.0, help="a sequence passes where gate > this (default 0)")
    command.add_argument(
        "--gate", choices=("on", "off"), help="off: everything passes, the gate's value is still given"
    )
    command.add_argument(
        "--gate-model", metavar="NAME", help="the gate, NAME or NAME@VERSION (default: the deployed one)"
    )
    command.add_argument("--score-model", metavar="NAME", help="the model that orders, NAME or NAME@VERSION")
    command.add_argument("--column", help="the CSV column that holds the sequences")
    command.add_argument("--window", type=int, metavar="N", help="cut FASTA records into stretches of N residues")
    command.add_argument("--step", type=int, metavar="N", help="residues from one stretch to the next (default 1)")
    command.add_argument(
        "--terminator", choices=("strip", "reject"), help="a final '*' (default strip, which takes it off)"
    )
    command.add_argument(
        "--gaps", choices=("reject", "remove"), help="'-', '.', '~' and '_' in sequences (default reject)"
    )
    command.add_argument("--pad", choices=("off", "linker"), help="linker: append LESSGGS where it is lacking")
    command.add_argument("--strict", action="store_true", help="fail if any line is rejected")
    command.add_argument("--output", choices=("top", "all"), help="all: with --out, every score as CSV.gz and Parquet")
    command.add_argument("--out", type=Path, metavar="DIR", help="write ranking.csv, rejected.csv, ranking.json there")
    command.add_argument("--format", choices=("table", "csv", "json"), help="what to print (default table)")
    command.add_argument("--csv", action="store_true", help="the same as --format csv")
    command.add_argument("--processes", type=_count, default=os.cpu_count() or 1, help="how many rank (default: cores)")
    add_where(command)
    command.set_defaults(run=rank_command)


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count} is less than 1")
    return count


def rank_command(options: argparse.Namespace) -> int:
    """Rank files and print the best of each.

    Returns 1 if one can't be read or done, no record in it could be ranked, or `--strict` found rejects.
    """
    if options.output == "all" and not options.out:
        return report_failure("--output all writes files: say where with --out DIR")
    try:
        names = expand(options.files)
    except OSError as error:
        return report_failure(explain(error))
    ranked: list[tuple[str, output.RankOutcome]] = []
    status = 0
    for name, outcome in each_alone(options, names, _outcome):
        status |= 1 if outcome is None else _report(name, outcome, several=len(names) > 1)
        ranked += [(name, outcome)] if outcome is not None else []
    form = _form(options)
    print(output.several(form, ranked) if len(names) > 1 else _whole(form, ranked), end="")
    return status


def _whole(form: str, ranked: list[tuple[str, output.RankOutcome]]) -> str:
    return "".join(output.FORMS[form](outcome) for _, outcome in ranked)


def _report(name: str, outcome: output.RankOutcome, *, several: bool) -> int:
    """Write about one file to standard error; return its exit status."""
    if several:
        print(f"{name}:", file=sys.stderr)
    output.report_outcome(outcome)
    counts = outcome.summary.get("counts") or {}
    if outcome.reason:
        return report_failure(outcome.reason)
    if not counts.get("scored"):
        received = counts.get("received", 0)
        return report_failure(
            "there is nothing in it" if not received else f"no record of {received:,} could be ranked"
        )
    return 0


def _form(options: argparse.Namespace) -> str:
    if options.out and not (options.format or options.csv):
        return "none"
    return options.format or ("csv" if options.csv else "table")


def _outcome(options: argparse.Namespace) -> output.RankOutcome:
    """Rank in a folder that lasts for as long as it takes; results that are wanted are moved out of it."""
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".assay-", dir=options.out) as name:
        folder = Path(name)
        if options.url:
            return remote.rank_remotely(options, folder)
        return _here(options, folder)


def _here(options: argparse.Namespace, folder: Path) -> output.RankOutcome:
    chosen = RankOptions(**ranking_options(options))
    settings = Settings.from_environ(os.environ)
    models = str(options.models or ROOT / "models")
    job_id = uuid.uuid4().hex
    with place_input(options.file) as where:
        gate, score = options.gate_model or settings.gate_model, options.score_model or settings.score_model
        desk = BatchRun(job_id, where, str(folder), models, gate, score)
        summary = rank_here(desk, chosen, options.processes)
    return output.collect_outcome(folder / result_key(job_id, ""), summary, options.out)
