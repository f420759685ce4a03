"""The commands of `assay models`: from a model of yours to a bundle, to one that serves, and what is known of it."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from assay.errors import AssayError
from tools.admin import resources
from tools.cli import model_commands, models_import

USAGE = """examples:
  assay models import ridge.pkl --name my-score --publish --activate --stack assay
  assay models validate my-score/1
  assay models reference my-score/1 --labelled assay.csv --event "it folds" --set natural=windows.fasta
  assay models reference my-score/1 --measured assay.csv
  assay models reference my-topics/1 --texts abstracts.jsonl
  assay models publish my-score/1 --endpoint http://127.0.0.1:4566
  assay models list --stack assay
  assay models rollback my-score --stack assay
  assay models compare my-score/1 my-score/2 --file designs.txt --stack assay
"""

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def _run(options: argparse.Namespace) -> int:
    """Run a command, its failure told in one line."""
    try:
        options.act(options)
    except BrokenPipeError:
        raise
    except (AssayError, BotoCoreError, ClientError, OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def add_arguments(top: argparse.ArgumentParser) -> None:
    """Add the commands."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    top.description, top.epilog, top.formatter_class = __doc__, USAGE, argparse.RawDescriptionHelpFormatter
    top.set_defaults(run=_run)
    found = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    models_import.add(found)
    _add_local(found)
    _add_publish(found)
    _add_pointer(found)
    _add_reading(found)


def _add_local(found: "Commands") -> None:
    manifest = found.add_parser("manifest", help="write a folder's manifest.json: a header and the files' hashes")
    manifest.add_argument("folder", type=Path)
    manifest.add_argument("header", type=Path, help="JSON file with all of the manifest but `files`")
    manifest.set_defaults(act=model_commands.run_manifest)
    validate = found.add_parser("validate", aliases=["check"], help="verify a bundle, load it, run it and its probes")
    validate.add_argument("folder", type=Path)
    validate.set_defaults(act=model_commands.run_validate)
    reference = found.add_parser("reference", help="say what a bundle's scores mean, by files of yours")
    reference.add_argument("folder", type=Path, help="a bundle that is not published yet")
    reference.add_argument(
        "--labelled", type=Path, metavar="FILE", help="CSV: sequence, label (1 or 0), perhaps cluster"
    )
    reference.add_argument("--event", default="the label is 1", help="what a label of 1 means, for readers of replies")
    sets = "a set for percentiles, such as natural=windows.fasta; the first counts"
    reference.add_argument("--set", action="append", default=[], metavar="NAME=FILE", help=sets)
    measured = "CSV: sequence, columns of numbers, perhaps name; explanations show the nearest of them"
    reference.add_argument("--measured", type=Path, metavar="FILE", help=measured)
    reference.add_argument("--values", metavar="NAME,NAME", help="the columns of --measured to keep (default: numbers)")
    texts = "of a classifier: abstracts like those that it learned from; odd ones then have a notice"
    reference.add_argument("--texts", type=Path, metavar="FILE", help=texts)
    reference.add_argument("--column", help="the column or field of --texts (default: abstract, text)")
    reference.set_defaults(act=model_commands.run_reference)


def _add_publish(found: "Commands") -> None:
    publish = found.add_parser("publish", help="publish a bundle and make it the version that serves")
    publish.add_argument("folder", type=Path)
    publish.add_argument("--no-serve", action="store_true", help="publish only; `activate` makes it serve")
    resources.add_dry_run(publish)
    resources.add_options(publish)
    publish.set_defaults(act=model_commands.publish_folder)


def _add_pointer(found: "Commands") -> None:
    activate = found.add_parser("activate", help="make a published version the one that serves")
    activate.add_argument("name")
    activate.add_argument("version")
    activate.set_defaults(act=model_commands.run_activate)
    rollback = found.add_parser("rollback", help="make the version before the one that serves serve again")
    rollback.add_argument("name")
    rollback.set_defaults(act=model_commands.run_rollback)
    for command in (activate, rollback):
        resources.add_dry_run(command)
        resources.add_options(command)


def _add_reading(found: "Commands") -> None:
    listing = found.add_parser("list", help="list what is published, a star where a version serves")
    listing.set_defaults(act=model_commands.run_list)
    show = found.add_parser("show", help="print a manifest readably")
    show.add_argument("model", help="a bundle's folder, or NAME (what serves), NAME/VERSION in the bucket")
    show.set_defaults(act=model_commands.run_show)
    pull = found.add_parser("pull", help="download a version, verified, to FOLDER/NAME/VERSION")
    pull.add_argument("model", help="NAME (what serves) or NAME/VERSION")
    pull.add_argument("--to", type=Path, default=Path("models"), metavar="FOLDER", help="default: models")
    resources.add_dry_run(pull)
    pull.set_defaults(act=model_commands.run_pull)
    compare = found.add_parser("compare", help="run two versions on a file and show what changes")
    compare.add_argument("before", help="a bundle's folder, or NAME, NAME/VERSION in the bucket")
    compare.add_argument("after")
    compare.add_argument("--file", type=Path, required=True, help="sequences as `assay rank` reads them, or abstracts")
    compare.add_argument("--top", type=int, default=100, help="how many of the best to compare (default 100)")
    compare.set_defaults(act=model_commands.run_compare)
    for command in (listing, show, pull, compare):
        resources.add_options(command)
