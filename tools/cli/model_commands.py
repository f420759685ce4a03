"""What each command of `assay models` does with its options; raises AssayError, botocore's errors, OSError."""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.errors import BundleInvalid
from assay.models import probes
from assay.models.loading import LoadedModel, load_folder
from assay.models.manifest import MANIFEST, Manifest, TensorSpec, read_manifest
from assay.models.reference import MEASURED
from tools.admin.resources import bucket_of
from tools.models import publish
from tools.models.build import build_manifest
from tools.models.compare import compare
from tools.models.measured_table import MeasuredTableFile, read_measured_table
from tools.models.own_texts import refer_to_texts
from tools.models.publish import find_version, pull, split_name
from tools.models.score_reference import refer_to_files
from tools.terminal import format_table


def format_manifest(manifest: Manifest) -> Iterator[str]:
    """Yield the lines that describe a manifest."""
    yield f"{manifest.name} {manifest.version}: {manifest.task}, {manifest.format}, {manifest.size:,} bytes"
    yield _row("licence", manifest.licence or "not said")
    yield _row("inputs", "; ".join(map(_tensor, manifest.inputs)))
    yield _row("outputs", "; ".join(map(_tensor, manifest.outputs)))
    yield from _describe_meaning(manifest)
    for part, values in (("metrics", manifest.metrics), ("provenance", manifest.provenance)):
        for name, value in _flat(values):
            yield _row(f"{part}.{name}", value)
    for file in manifest.files:
        yield _row("file", f"{file.path}  {file.bytes:,} bytes  sha256 {file.sha256[:16]}…")


def _describe_meaning(manifest: Manifest) -> Iterator[str]:
    if manifest.sequence:
        spec = manifest.sequence
        yield _row("sequences", f"{spec.length} residues of {spec.alphabet} as {spec.encoding}")
    if manifest.text:
        text = manifest.text
        yield _row("texts", f"at most {text.max_tokens} tokens by {text.tokenizer}; {text.activation} of the outputs")
        for label in text.labels:
            said = f"{label}  from {text.thresholds.get(label, 0.5):g}  {text.titles.get(label, '')}"
            yield _row("label", said.rstrip())


def _tensor(tensor: TensorSpec) -> str:
    return f"{tensor.name} {tensor.dtype} [{', '.join('any' if axis is None else str(axis) for axis in tensor.shape)}]"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)


def _row(name: str, value: str) -> str:
    return f"  {name:24} {value}"


def run_manifest(options: argparse.Namespace) -> None:
    """Write manifest.json from a header and the files of a folder."""
    made = build_manifest(options.folder, json.loads(options.header.read_text("utf-8")))
    (options.folder / MANIFEST).write_bytes(made.dumps())
    print(f"{made.name} {made.version}: {len(made.files)} files, {made.size:,} bytes")


def run_validate(options: argparse.Namespace) -> None:
    """Verify, load and run a bundle."""
    checked = publish.require_publishable(options.folder)
    print(f"{_title(checked)} is intact; {_of_probes(checked)}")


def run_reference(options: argparse.Namespace) -> None:
    """Write what a bundle's scores mean, what was measured, or what its texts are like; say how reliable that is."""
    if options.texts:
        _refer_to_texts(options)
        return
    named = [each.partition("=") for each in options.set]
    wanted = options.labelled or named or options.measured
    if not wanted or not all(name and path for name, _, path in named):
        raise ValueError(
            "give --labelled FILE, --set NAME=FILE, --measured FILE, or several; of a classifier --texts FILE"
        )
    measured = _read_measured(options) if options.measured else None
    sets = {name: Path(path) for name, _, path in named}
    found = refer_to_files(options.folder, options.labelled, options.event, sets, measured)
    if options.labelled and found.calibration:
        known = found.calibration
        print(f"probability of {known.event!r}: expected calibration error {known.expected_error}")
        cells = [(f"{each.low:g} to {each.high:g}", *map(str, (each.count, each.given, each.observed)))
                 for each in known.reliability]  # fmt: skip
        print(format_table(("given", "sequences", "mean given", "came true"), cells))
    print("\n".join(f"set {each.name}: {each.count:,} sequences" for each in found.sets))
    if measured:
        _say_measured(options.folder, measured)


def _refer_to_texts(options: argparse.Namespace) -> None:
    if options.labelled or options.set or options.measured:
        raise ValueError("--texts is for classifiers, --labelled, --set and --measured are for models of sequences")
    if read_manifest(options.folder).text is None:
        raise ValueError("--texts is for classifiers, and this is a model of sequences")
    found = refer_to_texts(options.folder, options.texts, options.column)
    print(f"texts: {found.texts:,} of {options.texts.name}; {found.left_out:,} records are of no use")
    codes = {code: share for code, share in found.alarms.items() if code not in ("rows", "noticed")}
    each = ", ".join(f"{code} {share:.1%}" for code, share in codes.items())
    print(f"false alarms: {found.alarms['noticed']:.1%} of texts like these{f' ({each})' if each else ''}")


def _read_measured(options: argparse.Namespace) -> MeasuredTableFile:
    spec = read_manifest(options.folder).sequence
    if spec is None:
        raise ValueError("--measured is for models of sequences")
    values = [name.strip() for name in (options.values or "").split(",") if name.strip()]
    return read_measured_table(options.measured, spec.contract, values)


def _say_measured(folder: Path, measured: MeasuredTableFile) -> None:
    """Say what was taken of a table, and that everyone who can read a bundle sees it."""
    size = (folder / MEASURED).stat().st_size
    print(f"measured: {measured.describe()['about']}, {', '.join(measured.known.columns)}; {size:,} bytes")
    if measured.left_out:
        print(f"left out: {measured.left_out:,} rows whose sequence this model does not read")
    if measured.other_columns:
        print(f"columns not taken: {', '.join(measured.other_columns)}")
    print("All callers of the published model can read these names, sequences and values.")


def publish_folder(options: argparse.Namespace) -> None:
    """Publish a bundle and, unless --no-serve, make it serve."""
    publish_to_bucket(options, options.folder, serve=not options.no_serve)


def publish_to_bucket(options: argparse.Namespace, folder: Path, *, serve: bool) -> None:
    """Publish a folder to the bucket of the options and say so."""
    bucket, dry = bucket_of(options), options.dry_run
    made = publish.publish(bucket, folder, serve=serve, dry=dry, shown=True)
    verb = "would be in" if dry else "is in"
    print(f"{_title(made)} {verb} {bucket.name}{' and serves' if serve and not dry else ''}; {_of_probes(made)}")


def run_activate(options: argparse.Namespace) -> None:
    """Make a version serve."""
    pointer = publish.move_pointer(bucket_of(options), options.name, options.version, dry=options.dry_run)
    print(_describe_serving(options, pointer.version, pointer.previous))


def run_rollback(options: argparse.Namespace) -> None:
    """Make the previous version serve."""
    pointer = publish.rollback(bucket_of(options), options.name, dry=options.dry_run)
    print(_describe_serving(options, pointer.version, pointer.previous))


def _describe_serving(options: argparse.Namespace, version: str, previous: str | None) -> str:
    verb = "would serve" if options.dry_run else "serves"
    return f"{options.name} {version} {verb}; before: {previous or 'nothing'}"


def run_list(options: argparse.Namespace) -> None:
    """List every published version."""
    for each in publish.list_models(bucket_of(options)):
        star = "*" if each.current else " "
        print(f"{star} {each.name:32} {each.version:12} {each.task:20} {each.format:12} {each.size:>13,}")


def run_show(options: argparse.Namespace) -> None:
    """Print a manifest."""
    folder = Path(options.model)
    local = (folder / MANIFEST).is_file()
    if not local:
        _check_published(options.model)
    found = read_manifest(folder) if local else find_version(bucket_of(options), *split_name(options.model))
    print("\n".join(format_manifest(found)))


def run_pull(options: argparse.Namespace) -> None:
    """Download a version."""
    bucket, name = bucket_of(options), split_name(options.model)
    found = find_version(bucket, *name)
    target = options.to / found.name / found.version
    if options.dry_run:
        print(f"{_title(found)}, {found.size:,} bytes, would be pulled to {target}")
        return
    pull(bucket, found.name, found.version, options.to)
    print(f"{_title(found)} is in {target}")


def run_compare(options: argparse.Namespace) -> None:
    """Run two versions on a file."""
    with tempfile.TemporaryDirectory() as scratch:
        sides = (("before", options.before), ("after", options.after))
        models = [_load(options, text, Path(scratch) / side) for side, text in sides]
        titles = " -> ".join(_title(model.manifest) for model in models)
        print(f"{titles}\n{compare(models[0], models[1], options.file, options.top)}")


def _load(options: argparse.Namespace, text: str, scratch: Path) -> LoadedModel:
    folder = Path(text)
    if not (folder / MANIFEST).is_file():
        _check_published(text)
        made = pull(bucket_of(options), *split_name(text), scratch)
        folder = scratch / made.name / made.version
    return load_folder(folder, os.cpu_count() or 1)


def _check_published(text: str) -> None:
    """Raise BundleInvalid where a text can only mean a folder, and that holds no bundle."""
    if Path(text).exists() or text.startswith((".", "/")) or text.count("/") > 1:
        raise BundleInvalid(f"{text} holds no bundle: there is no {MANIFEST} in it")


def _title(of: Manifest) -> str:
    return f"{of.name} {of.version}"


def _of_probes(of: Manifest) -> str:
    return "it carries its source's answers" if probes.has_probes(of) else "it carries no answers of its source"
