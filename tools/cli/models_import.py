"""The options of `assay models import`, and what the command does."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import InvalidOption
from assay.sequences.contract import DEFAULT, Contract
from tools.admin import resources
from tools.cli import model_commands
from tools.models.import_process import convert_apart
from tools.models.importers.result import CLASSIFIER_OPTIONS, SEQUENCE_OPTIONS, ImportRequest
from tools.models.importing import KINDS, kind_of, make_bundle, next_version
from tools.models.model_sources import bring

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_PLACES = ("path", "encoder", "tokenizer")
_OF_ONE_KIND = (*SEQUENCE_OPTIONS, *CLASSIFIER_OPTIONS, "encoder", "pooling")
DESCRIPTION = """Make a verified bundle of a model: a scikit-learn pickle, a Keras file, a SavedModel, a Hugging Face
folder, or an encoder's folder with a Keras head. Nothing in the file is executed. The bundle carries probes: inputs
with the answers of the source, which it must give within a tolerance here, when published and when loaded."""


def add(found: "Commands") -> None:
    """Add the command `import`."""
    command = found.add_parser("import", help="make a verified bundle of a model of yours", description=DESCRIPTION)
    command.add_argument("path", help="the file or folder of the model, a zip of it, or its address s3://BUCKET/...")
    command.add_argument("--name", required=True, help="lower-case letters, digits and hyphens")
    command.add_argument("--version", help="default: one more than the newest there is")
    command.add_argument("--kind", choices=("auto", *KINDS), default="auto", help="default: by the file")
    command.add_argument("--to", type=Path, default=Path("models"), metavar="FOLDER", help="default: models")
    command.add_argument("--licence", default="", help="e.g. MIT; goes into the manifest")
    command.add_argument("--publish", action="store_true", help="publish the bundle too")
    command.add_argument("--activate", action="store_true", help="publish it and let it serve")
    forms = "int8: weights; static: networks of sequences compute in int8; default int8 for texts, else none"
    command.add_argument("--quantize", choices=("int8", "static", "none"), help=forms)
    command.add_argument("--tolerance", type=float, help="greatest difference from the source, as scores")
    _add_sequences(command)
    _add_texts(command)
    resources.add_dry_run(command)
    resources.add_options(command)
    command.set_defaults(act=run_import)


def _add_sequences(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("models of sequences")
    group.add_argument("--alphabet", help=f"the residues, in their order (default {DEFAULT.alphabet})")
    group.add_argument("--length", type=int, help=f"residues (default {DEFAULT.length})")
    encodings = ("index", "one_hot", "one_hot_flat")
    group.add_argument("--encoding", choices=encodings, help="what the model reads (default: by its input's shape)")
    group.add_argument("--first-index", type=int, metavar="N", help="index of the first residue (default 0)")
    rows = "sequences like those to be ranked, for --quantize static (default: random ones)"
    group.add_argument("--representative", type=Path, metavar="FILE", help=rows)


def _add_texts(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("models of texts")
    group.add_argument("--labels", metavar="A,B,C", help="names of the outputs, where the model has none")
    group.add_argument("--activation", choices=("sigmoid", "softmax", "none"), help="of the outputs")
    group.add_argument("--labels-file", type=Path, metavar="ROWS", help="labelled rows to fit thresholds on")
    group.add_argument("--tokenizer", help="tokenizer.json, or a folder with the tokenizer's files")
    group.add_argument("--max-tokens", type=int, help="where a text is cut (default: what the model can read)")
    group.add_argument("--chunks", action="store_true", help="score longer texts in overlapping chunks")
    group.add_argument("--encoder", metavar="FOLDER", help="of a Keras file that holds a head only")
    pooling = "what the head reads: the first token's state (cls, default), their mean, or the encoder's pooler"
    group.add_argument("--pooling", choices=("cls", "mean", "pooler"), help=pooling)


def run_import(options: argparse.Namespace) -> None:
    """Import a model, and publish it if asked to."""
    if options.dry_run:
        with tempfile.TemporaryDirectory() as scratch:
            _import(options, Path(scratch))
            print("nothing is kept: --dry-run")
    else:
        _import(options, options.to)


def _import(options: argparse.Namespace, to: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        _import_to(options, to, wish_of(options, Path(scratch)))


def _import_to(options: argparse.Namespace, to: Path, wish: ImportRequest) -> None:
    kind = kind_of(wish) if options.kind == "auto" else options.kind
    version = options.version or next_version(_list_versions(options))
    target = to / options.name / version
    manifest, report = make_bundle(wish, kind, options.name, version, options.licence, target, convert_apart)
    print("\n".join([f"{manifest.name} {manifest.version}, from {kind}: {target}", *(f"  {line}" for line in report)]))
    if options.publish or options.activate:
        model_commands.publish_to_bucket(options, target, serve=options.activate)


def _list_versions(options: argparse.Namespace) -> list[str]:
    """Return the versions of the name in the folder, and in the bucket where it is published to."""
    local = [path.name for path in (options.to / options.name).glob("*")]
    if not (options.publish or options.activate):
        return local
    return [*local, *resources.bucket_of(options).folders(f"models/{options.name}/")]


def wish_of(options: argparse.Namespace, scratch: Path) -> ImportRequest:
    """Return what the options say of the model; InvalidOption for a tolerance that is none.

    What lies in S3 or in a zip is brought into `scratch`; AssayError where that fails.
    """
    if options.tolerance is not None and not 0 <= options.tolerance < float("inf"):
        raise InvalidOption("--tolerance is a number from 0")
    resources.use_endpoint(options)
    brought = {name: bring(place, scratch / name) for name in _PLACES if (place := getattr(options, name))}
    return ImportRequest(
        path=brought["path"],
        labels=tuple(options.labels.split(",")) if options.labels else None,
        activation=options.activation,
        contract=Contract(
            DEFAULT.alphabet if options.alphabet is None else options.alphabet,
            DEFAULT.length if options.length is None else options.length,
        ),
        encoding=options.encoding,
        first_index=options.first_index or 0,
        encoder=brought.get("encoder"),
        tokenizer=brought.get("tokenizer"),
        max_tokens=options.max_tokens,
        pooling=options.pooling,
        chunks=options.chunks,
        quantize=options.quantize,
        tolerance=options.tolerance,
        rows=options.labels_file,
        representative=options.representative,
        said=tuple(name for name in _OF_ONE_KIND if getattr(options, name) not in (None, False)),
    )
