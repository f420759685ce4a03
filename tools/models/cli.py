"""The commands of `assay models`: describe, check, publish, activate and list model bundles."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from assay.clients import client
from assay.errors import AssayError, SettingsError
from assay.models.bundle import build
from assay.models.layout import MANIFEST
from assay.storage import Bucket
from tools.models import publish


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0 done, 1 it failed."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (AssayError, BotoCoreError, ClientError, OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the parser."""
    top = argparse.ArgumentParser(prog="assay models", description=__doc__)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    manifest = commands.add_parser("manifest", help="write a folder's manifest.json: a header and the files' hashes")
    manifest.add_argument("folder", type=Path)
    manifest.add_argument("header", type=Path, help="JSON file with all of the manifest but `files`")
    manifest.set_defaults(run=_manifest)
    check = commands.add_parser("check", help="verify, load and run a bundle")
    check.add_argument("folder", type=Path)
    check.set_defaults(run=_check)
    _add_bucket_commands(commands)
    return top


def _add_bucket_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    publishing = commands.add_parser("publish", help="publish a bundle and make it the version that serves")
    publishing.add_argument("folder", type=Path)
    publishing.add_argument("--no-serve", action="store_true", help="publish only; `activate` makes it serve")
    publishing.set_defaults(run=_publish)
    activating = commands.add_parser("activate", help="make a published version the one that serves")
    activating.add_argument("name")
    activating.add_argument("version")
    activating.set_defaults(run=_activate)
    listing = commands.add_parser("list", help="list what is published")
    listing.set_defaults(run=_list)
    for command in (publishing, activating, listing):
        variable = "ASSAY_MODELS_BUCKET"
        command.add_argument("--bucket", default=os.environ.get(variable, ""), help=f"models bucket (else {variable})")
        command.add_argument("--endpoint", help="S3's address, where it is not AWS's")


def _manifest(options: argparse.Namespace) -> None:
    manifest = build(options.folder, json.loads(options.header.read_text("utf-8")))
    (options.folder / MANIFEST).write_bytes(manifest.dumps())
    print(f"{manifest.name} {manifest.version}: {len(manifest.files)} files, {manifest.size:,} bytes")


def _check(options: argparse.Namespace) -> None:
    manifest = publish.check(options.folder)
    print(f"{manifest.name} {manifest.version} is intact")


def _publish(options: argparse.Namespace) -> None:
    bucket, serve = _bucket(options), not options.no_serve
    manifest = publish.publish(bucket, options.folder, serve=serve)
    print(f"{manifest.name} {manifest.version} is in {bucket.name}{' and serves' if serve else ''}")


def _activate(options: argparse.Namespace) -> None:
    bucket = _bucket(options)
    pointer = publish.activate(bucket, options.name, options.version)
    print(f"{options.name} {pointer.version} serves; before: {pointer.previous or 'nothing'}")


def _list(options: argparse.Namespace) -> None:
    for each in publish.listed(_bucket(options)):
        star = "*" if each.current else " "
        print(f"{star} {each.name:32} {each.version:12} {each.task:20} {each.format:12} {each.size:>13,}")


def _bucket(options: argparse.Namespace) -> Bucket:
    if not options.bucket:
        raise SettingsError("say which models bucket: --bucket NAME, or the variable ASSAY_MODELS_BUCKET")
    if options.endpoint:
        os.environ["AWS_ENDPOINT_URL_S3"] = options.endpoint
    return Bucket(client("s3"), options.bucket)
