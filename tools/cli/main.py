"""Run a command: the first word chooses its module, and only that module is imported."""

import argparse
import importlib
import os
import re
import signal
import sys
import tomllib
from collections.abc import Mapping, Sequence
from typing import Final

from tools.cli.arguments import STATUS
from tools.cli.output import quiet
from tools.paths import ROOT

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "up": ("tools.cli.up", "run the whole service on this machine until Ctrl-C"),
    "demo": ("tools.cli.demo", "rank and classify real input on this machine, and check the outcome"),
    "rank": ("tools.cli.rank_command", "rank a file of sequences (lines, FASTA, CSV; gzip too)"),
    "classify": ("tools.cli.classify_command", "classify an abstract"),
    "jobs": ("tools.cli.job_commands", "list, show, cancel and redrive the jobs of files"),
    "check": ("tools.cli.check", "try every promise of a live deployment"),
    "models": ("tools.cli.model_options", "import, publish, activate and list model bundles"),
}
"""Commands: the module whose `add_arguments` adds what each takes and the function `run`, and what it does."""

USAGE = """examples:
  assay up --port 3000              the whole service on http://127.0.0.1:3000 until Ctrl-C
  assay demo                        the main job on real input, on this machine; ends by itself
  assay rank designs.fasta          rank a file here, with the code and the models that are served
  assay rank designs.txt.gz --top-k 20 --csv > ranking.csv
  assay rank a.fasta b.fasta        each file by itself; so are files that a pattern fits
  assay rank designs.txt --url http://127.0.0.1:3000
  assay classify abstract.txt       label an abstract (- reads standard input)
  assay rank s3://bucket/designs.txt --out results     read from S3, ranked here on all cores
  assay jobs show ID --url http://127.0.0.1:3000
  assay check --stack assay         a deployment proves itself, promise by promise
  assay models --help               import, publish, activate and list model bundles
"""
_NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|-inf(inity)?", re.IGNORECASE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0 done, 1 it failed, 2 not understood, 130 interrupted, 143 ended."""
    given = join_negatives(sys.argv[1:] if arguments is None else arguments)
    try:
        if arguments is None:
            signal.signal(signal.SIGTERM, _end)
        status = _run(given)
        sys.stdout.flush()
    except Ended:
        return _report_stop(143)
    except KeyboardInterrupt:
        return _report_stop(130)
    except BrokenPipeError:  # the reader of the output, such as `head`, had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


class Ended(KeyboardInterrupt):
    """SIGTERM came: what Ctrl-C would clean up is cleaned up."""


def _end(*_: object) -> None:
    raise Ended


def _report_stop(status: int) -> int:
    print("stopped", file=sys.stderr)
    return status


def join_negatives(given: Sequence[str]) -> list[str]:
    """Return a command line in which a negative number is its option's: argparse takes `-1e-3` for an option."""
    joined: list[str] = []
    for word in given:
        option = joined[-1] if joined else ""
        if _NEGATIVE.fullmatch(word) and option.startswith("--") and "=" not in option and option != "--":
            joined[-1] = f"{option}={word}"
        else:
            joined.append(word)
    return joined


def installed_version() -> str:
    """Return the version that pyproject.toml names."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


class _Version(argparse.Action):
    """Prints the version and ends; reads it only then."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"assay {installed_version()}")
        parser.exit()


def _run(given: Sequence[str]) -> int:
    if not given or given[0] not in COMMANDS:
        parser().parse_args(given)
        parser().error("name the command first: assay COMMAND ...")
    if given[0] != "up":  # its options decide what it logs
        quiet()
    options = command_parser(given[0]).parse_args(given[1:])
    return int(options.run(options))


def parser() -> argparse.ArgumentParser:
    """Build the parser that knows the commands by name, and not what they take."""
    top = argparse.ArgumentParser(
        prog="assay",
        description="Rank mini-proteins and classify abstracts, here or on a running service.",
        epilog=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, help="show the version")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, (_, what) in COMMANDS.items():
        commands.add_parser(name, help=what)
    return top


def command_parser(name: str) -> argparse.ArgumentParser:
    """Build the parser of one command."""
    module, what = COMMANDS[name]
    command = argparse.ArgumentParser(prog=f"assay {name}", description=f"{what[0].upper()}{what[1:]}.", epilog=STATUS)
    importlib.import_module(module).add_arguments(command)
    return command
