"""`assay models import`: which importer reads a file, and the bundle made of what it gives."""

import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from assay.errors import BundleInvalid, InvalidOption, RuntimeMissing, UnreadableInput
from assay.models import probes
from assay.models.loading import load_folder
from assay.models.manifest import MANIFEST, Manifest, require_model_name, require_model_version
from tools.models.build import build_manifest
from tools.models.importers.result import Importer, ImportRequest, ImportResult
from tools.models.labelled_texts import fit_thresholds, read_texts
from tools.models.model_sources import require_content

KINDS: Final = ("sklearn", "keras", "saved-model", "huggingface", "head")
_MODULES: Final = {kind: kind.replace("-", "_") for kind in KINDS}
_PICKLES: Final = frozenset({".pkl", ".pickle", ".joblib", ".sav"})
_KERAS: Final = frozenset({".keras", ".h5", ".hdf5"})


def kind_of(wish: ImportRequest) -> str:
    """Return the kind of a file or folder by its name and content; UnreadableInput where it is none."""
    path = wish.path
    if not path.exists():
        raise UnreadableInput(f"there is no {path}")
    found = _folder_kind(path) if path.is_dir() else _file_kind(wish)
    if found is None:
        raise UnreadableInput(f"{path.name} is no model that is known; name its kind: --kind {'|'.join(KINDS)}")
    return found


def _folder_kind(path: Path) -> str | None:
    if (path / "saved_model.pb").is_file():
        return "saved-model"
    return "huggingface" if (path / "config.json").is_file() else None


def _file_kind(wish: ImportRequest) -> str | None:
    ending = wish.path.suffix.lower()
    if ending in _PICKLES:
        return "sklearn"
    if ending in _KERAS:
        return "head" if wish.encoder else "keras"
    return None


def importer(kind: str) -> Importer:
    """Return the importer of a kind; RuntimeMissing where what it needs is not installed."""
    if kind not in _MODULES:
        raise InvalidOption(f"there is no importer for {kind}")
    try:
        module = importlib.import_module(f"tools.models.importers.{_MODULES[kind]}")
    except ImportError as error:
        raise RuntimeMissing(
            f"importing a model of kind {kind} needs {error.name}, which is not installed here: `make import-tools` "
            "installs it (2.3 GB), then .venv-import/bin/assay models import ..."
        ) from error
    found: Importer = getattr(module, f"convert_{_MODULES[kind]}")
    return found


def convert_here(wish: ImportRequest, kind: str, folder: Path) -> ImportResult:
    """Import a model into `folder` in this process; raises AssayError."""
    return importer(kind)(wish, folder)


def make_bundle(
    wish: ImportRequest,
    kind: str,
    name: str,
    version: str,
    licence: str,
    target: Path,
    convert: Callable[[ImportRequest, str, Path], ImportResult] = convert_here,
) -> tuple[Manifest, list[str]]:
    """Import a model as the bundle `target`, verified against its source; return its manifest and a report.

    Nothing is left in `target` where anything fails. Raises AssayError.
    """
    require_model_name(name), require_model_version(version)
    for place in (wish.path, wish.encoder, wish.tokenizer):
        if place is not None:
            require_content(place)
    if target.exists():
        raise InvalidOption(f"{target} is there already: raise --version, or name another folder with --to")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        made = convert(wish, kind, folder)
        manifest = write_bundle(made, folder, name=name, version=version, licence=licence)
        if wish.rows is not None:
            manifest = _fit_thresholds(wish.rows, made, folder, name=name, version=version, licence=licence)
        report = [*made.report, *_verify_bundle(folder, made)]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, target)
    return manifest, report


def write_bundle(made: ImportResult, folder: Path, **header: str) -> Manifest:
    """Write probes.json and manifest.json beside the files of a model."""
    (folder / probes.PROBES).write_bytes(made.probes.dumps())
    manifest = build_manifest(folder, {**made.header, **header})
    (folder / MANIFEST).write_bytes(manifest.dumps())
    return manifest


def _fit_thresholds(rows: Path, made: ImportResult, folder: Path, **header: str) -> Manifest:
    """Fit thresholds on labelled rows with the bundle that will serve, and write its manifest again."""
    found = fit_thresholds(load_folder(folder, os.cpu_count() or 1), read_texts(rows))
    made.header["text"]["thresholds"] = found.thresholds
    made.header["metrics"] = {**made.header.get("metrics", {}), "threshold_rows": found.metrics}
    made.report.extend(found.report)
    return write_bundle(made, folder, **header)


def _verify_bundle(folder: Path, made: ImportResult) -> Iterator[str]:
    """Load and run the bundle as a function would; BundleInvalid where it differs from its source."""
    model, allowed = load_folder(folder, os.cpu_count() or 1), made.probes.tolerance
    try:
        difference = probes.check_probes(model)
    except BundleInvalid as error:
        raise BundleInvalid(f"{error}: --tolerance allows more, --quantize none keeps float32") from error
    count = len(made.probes.inputs)
    yield f"differs from its source by {difference:.2g} at most on {count} probes (up to {allowed:g} is allowed)"
    yield f"{model.manifest.size:,} bytes, format {model.manifest.format}"


def next_version(taken: Iterable[str]) -> str:
    """Return the smallest number that is greater than all versions taken that are numbers."""
    return str(max((int(version) for version in taken if version.isdecimal()), default=0) + 1)
