"""Parse the command line and call the command; each imports what it needs only when it runs."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.cli.arguments import add_service

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
STATUS = "exit status: 0 done; 1 it failed, or nothing could be read; 2 the command line was not understood"
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
        return _stopped(143)
    except KeyboardInterrupt:
        return _stopped(130)
    except BrokenPipeError:  # whoever read the output, as `head` does, had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


class Ended(KeyboardInterrupt):
    """SIGTERM came: what Ctrl-C would clean up is cleaned up."""


def _end(*_: object) -> None:
    raise Ended


def _stopped(status: int) -> int:
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
    import tomllib

    text = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


class _Version(argparse.Action):
    """Prints the version and ends; reads it only then."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"assay {installed_version()}")
        parser.exit()


def _run(given: Sequence[str]) -> int:
    if given[:1] == ["models"]:
        return _models(given[1:])
    options = parser().parse_args(given)
    status: int = options.run(options)
    return status


def parser() -> argparse.ArgumentParser:
    """Build the parser of every command but `models`, which has its own."""
    top = argparse.ArgumentParser(
        prog="assay",
        description="Rank mini-proteins and classify abstracts, here or on a running service.",
        epilog=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, help="show the version")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_up(commands)
    _add_demo(commands)
    _add_rank(commands)
    _add_classify(commands)
    _add_jobs(commands)
    _add_check(commands)
    commands.add_parser("models", help="import, publish, activate and list model bundles", add_help=False)
    return top


def _add_up(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    up = commands.add_parser("up", help="run the whole service on this machine until Ctrl-C")
    up.add_argument("--port", type=_port, default=3000, help="port of the HTTP front, 0 for any (default 3000)")
    up.add_argument("--s3-port", type=_port, help="port of S3, DynamoDB, SQS (default 4566, or any if that is taken)")
    up.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets containers in")
    up.add_argument("--log-level", default="INFO", help="least severity of the functions' log lines (default INFO)")
    up.add_argument("--template", type=Path, help="the template to run; functions/ and models/ lie beside it")
    parameter = "override a parameter of template.yaml, e.g. ModelRefreshSeconds=1; may be repeated"
    up.add_argument("--parameter", action="append", default=[], type=_pair, metavar="NAME=VALUE", help=parameter)
    key = "want this key of every call (default: want none); may be repeated: any of them will do"
    up.add_argument("--api-key", action="append", default=[], metavar="KEY", help=key)
    up.set_defaults(run=_up)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="rank and classify real input on this machine, and check the outcome")
    demo.add_argument("--results", type=Path, default=Path("demo-results"), help="where copies of the results go")
    demo.set_defaults(run=_demo)


def _add_rank(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    rank = commands.add_parser("rank", help="rank a file of sequences (lines, FASTA, CSV; gzip too)", epilog=STATUS)
    files = "the files, patterns, s3://BUCKET/KEY, or - for standard input; each file is ranked by itself"
    rank.add_argument("files", nargs="+", metavar="FILE", help=files)
    rank.add_argument("--top-k", type=int, default=100, help="how many to return, 1 to 10000 (default 100)")
    rank.add_argument("--threshold", type=float, default=0.0, help="a sequence passes where gate > this (default 0)")
    rank.add_argument("--gate", choices=("on", "off"), help="off: everything passes, the gate's value is still given")
    rank.add_argument("--gate-model", metavar="NAME", help="the gate, NAME or NAME@VERSION (default: the deployed one)")
    rank.add_argument("--score-model", metavar="NAME", help="the model that orders, likewise")
    rank.add_argument("--column", help="the CSV column that holds the sequences")
    rank.add_argument("--window", type=int, metavar="N", help="cut FASTA records into stretches of N residues")
    rank.add_argument("--step", type=int, metavar="N", help="residues from one stretch to the next (default 1)")
    rank.add_argument(
        "--terminator", choices=("strip", "reject"), help="a final '*' (default strip, which takes it off)"
    )
    rank.add_argument(
        "--gaps", choices=("reject", "remove"), help="'-', '.', '~' and '_' in sequences (default reject)"
    )
    rank.add_argument("--pad", choices=("off", "linker"), help="linker: append LESSGGS where it is lacking")
    rank.add_argument("--strict", action="store_true", help="fail if any line is rejected")
    rank.add_argument("--output", choices=("top", "all"), help="all: with --out, every score as CSV.gz and Parquet")
    rank.add_argument("--out", type=Path, metavar="DIR", help="write ranking.csv, rejected.csv, ranking.json there")
    rank.add_argument("--format", choices=("table", "csv", "json"), help="what to print (default table)")
    rank.add_argument("--csv", action="store_true", help="the same as --format csv")
    rank.add_argument("--processes", type=_count, default=os.cpu_count() or 1, help="how many rank (default: cores)")
    _add_where(rank)
    rank.set_defaults(run=_rank)


def _add_classify(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    classify = commands.add_parser("classify", help="classify an abstract", epilog=STATUS)
    files = (
        "one abstract as text or PDF, many as JSON, table or workbook; several files and patterns; - is standard input"
    )
    classify.add_argument("files", nargs="+", metavar="FILE", help=files)
    classify.add_argument("--threshold", type=float, help="a label counts from this probability (default: the model's)")
    classify.add_argument("--top-k", type=int, help="how many labels at most")
    classify.add_argument("--column", help="the CSV column, or field of JSON lines, that holds the abstracts")
    classify.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write classification.jsonl, rejected.csv there; .txt is one abstract a line",
    )
    classify.add_argument("--json", action="store_true", help="write JSON instead of bars")
    _add_where(classify)
    classify.set_defaults(run=_classify)


def _add_jobs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from tools.cli.jobs import add_commands

    add_commands(commands.add_parser("jobs", help="list, show, cancel and redrive the jobs of files", epilog=STATUS))


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from tools.cli.check import add_arguments

    add_arguments(commands.add_parser("check", help="try every promise of a live deployment", epilog=STATUS))


def _add_where(command: argparse.ArgumentParser) -> None:
    add_service(command, "a running service to ask instead, e.g. http://127.0.0.1:3000")
    command.add_argument("--models", type=Path, help="folder of model bundles (default: those that ship)")


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{count} is less than 1")
    return count


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not a port (0 to 65535)")
    return port


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _up(options: argparse.Namespace) -> int:
    from tools.cli.up import up

    return up(options)


def _demo(options: argparse.Namespace) -> int:
    from tools.cli.demo import demo

    return demo(options.results)


def _rank(options: argparse.Namespace) -> int:
    from tools.cli.rank import rank_command

    return rank_command(options)


def _classify(options: argparse.Namespace) -> int:
    from tools.cli.classify import classify_command

    return classify_command(options)


def _models(arguments: Sequence[str]) -> int:
    from tools.cli.output import quiet
    from tools.paths import ROOT, add_sources

    add_sources(ROOT)
    quiet()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tools.cli.models import main as models

    return int(models(list(arguments)) or 0)
