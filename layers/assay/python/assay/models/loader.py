"""From the models bucket to a model that has answered its probes: manifest, files, room for it, runtime, probes."""

import shutil
from pathlib import Path

from assay.aws.s3 import Bucket
from assay.errors import BundleInvalid
from assay.models import probes
from assay.models.bundle import MAX_MANIFEST_BYTES, Manifest
from assay.models.classifier import TextClassifier
from assay.models.fetch import ensure
from assay.models.layout import bundle_key, check_manifest
from assay.models.loading import LoadedModel, load
from assay.models.memory import Memory, footprint
from assay.models.scratch import folder_of
from assay.telemetry import phase


class Loader:
    """Loads versions of one bucket's models onto this machine."""

    def __init__(self, bucket: Bucket, scratch: Path, threads: int, memory: Memory) -> None:
        self.bucket = bucket
        self._scratch = scratch
        self._threads = threads
        self._memory = memory
        self._loading: set[Path] = set()
        self._proven: set[str] = set()

    def manifest(self, name: str, version: str, task: str, sha256: str | None = None) -> Manifest:
        """Return a version's manifest; BundleInvalid where it is another's, or not the one with that sha256."""
        found = self.bucket.get(bundle_key(name, version), limit=MAX_MANIFEST_BYTES)
        content = found[0] if found else b""
        check_manifest(content, sha256)
        manifest = Manifest.parse(content)
        if (manifest.name, manifest.version) != (name, version):
            raise BundleInvalid(f"the manifest is of {manifest.name} {manifest.version}, not of {name} {version}")
        if manifest.task != task:
            raise BundleInvalid(f"{name} is a model for {manifest.task}, not for {task}")
        return manifest

    def load(self, manifest: Manifest) -> LoadedModel:
        """Return a model that is ready to serve. Whatever it raises, nothing of it stays on disk.

        Models used longest ago are let go first, of memory and disk, where this one would not fit.
        """
        folder = folder_of(self._scratch, manifest)
        self._loading.add(folder)
        try:
            ensure(self.bucket, manifest, self._scratch, self._threads, self._in_use)
            self._memory.make_room(footprint(manifest))
            return self._loaded(folder, manifest)
        finally:
            self._loading.discard(folder)

    def discard(self, folder: Path) -> None:
        """Remove a bundle's folder, unless it is needed by now; then it goes when the disk is full."""
        if folder not in self._in_use():
            shutil.rmtree(folder, ignore_errors=True)

    def _loaded(self, folder: Path, manifest: Manifest) -> LoadedModel:
        try:
            model = load(folder, manifest, self._threads)
            self._prove(model)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return model

    def _in_use(self) -> set[Path]:
        return {model.folder for model in self._memory.held()} | self._loading

    def _prove(self, model: LoadedModel) -> None:
        """Have a version that this environment meets for the first time answer its probes."""
        manifest = model.manifest
        if manifest.text is not None:
            TextClassifier(model)  # reads the tokenizer
        if manifest.digest in self._proven or not probes.has_probes(manifest):
            return
        with phase("probe", model=manifest.name):
            probes.check(model, probes.ASKED_ON_LOAD)
        self._proven.add(manifest.digest)
