"""The models that a function serves: pulled from S3 on first use, replaced when `current.json` moves.

A version that does not verify, load or answer its probe is refused: the one that works keeps serving, and the refused
one is not tried again before `current.json` changes or a long while passes.
"""

import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from assay.errors import BundleInvalid, ModelUnavailable, NotFound, ObjectMissing
from assay.models.bundle import MAX_MANIFEST_BYTES, Manifest
from assay.models.fetch import ensure
from assay.models.layout import MAX_POINTER_BYTES, Pointer, bundle_key, checked_name, checked_version, current_key
from assay.models.loading import LoadedModel, Runner, load
from assay.storage import Bucket
from assay.telemetry import logger, measure

__all__ = ["LoadedModel", "Registry", "Runner"]

PINNED_BYTES: Final = 256 << 20
_RETRY_SECONDS: Final = 900.0
_PASSING = (BotoCoreError, ClientError)


@dataclass
class _Slot:
    """What is known of one model's current version."""

    name: str
    task: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    model: LoadedModel | None = None
    etag: str | None = None
    due: float = 0.0
    retry: float = float("inf")
    reason: str = "it has no current version"
    replaced: list[Path] = field(default_factory=list)


class Registry:
    """Models of one bucket. Safe to share between threads; a model keeps serving while its successor is fetched."""

    def __init__(
        self,
        bucket: Bucket,
        scratch: Path,
        *,
        threads: int,
        refresh_seconds: float = 60.0,
        pinned_bytes: int = PINNED_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = bucket
        self._scratch = scratch
        self._threads = threads
        self._refresh_seconds = refresh_seconds
        self._pinned_bytes = pinned_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, str], _Slot] = {}
        self._pinned: OrderedDict[tuple[str, str, str], LoadedModel] = OrderedDict()

    def current(self, name: str, task: str) -> LoadedModel:
        """Return the version that serves; ModelUnavailable where there is none that works."""
        slot = self._slot(name, task)
        if slot.model is not None and self._clock() < slot.due:
            return slot.model
        if not slot.lock.acquire(blocking=slot.model is None) and slot.model is not None:
            return slot.model  # another thread looks for a new version meanwhile
        try:
            if slot.model is None or self._clock() >= slot.due:
                self._refresh(slot)
        finally:
            slot.lock.release()
        if slot.model is None:
            raise self._unavailable(slot)
        return slot.model

    def pinned(self, name: str, version: str, task: str) -> LoadedModel:
        """Return one version, current or not; ModelUnavailable where it can't be had."""
        serving = self._slot(name, task).model
        if serving is not None and serving.manifest.version == version:
            return serving
        with self._lock:
            key = (name, version, task)
            model = self._pinned.pop(key, None) or self._load_pinned(*key)
            self._pinned[key] = model
            self._trim()
        return model

    def _slot(self, name: str, task: str) -> _Slot:
        try:
            return self._slots.setdefault((name, task), _Slot(checked_name(name), task))
        except BundleInvalid as error:
            raise NotFound(f"there is no such model: {error}") from error

    def _refresh(self, slot: _Slot) -> None:
        """Look at `current.json` and adopt what it points at; whatever goes wrong, the slot's model stays."""
        now = self._clock()
        slot.due = now + self._refresh_seconds
        _remove(slot)
        try:
            found = self._pointer(slot, conditional=now < slot.retry)
            if found is not None:
                slot.retry = float("inf")
                self._follow(slot, *found)
        except ObjectMissing:
            slot.etag, slot.reason = None, "it has no current version"
        except Exception as error:  # whatever it is, it must not end what works
            slot.etag, slot.reason = None, f"S3 can't be read ({type(error).__name__})"
            logger.warning("model refresh failed", model=slot.name, reason=str(error))
            measure("ModelRefreshFailed", 1, model=slot.name)

    def _pointer(self, slot: _Slot, *, conditional: bool) -> tuple[bytes, str] | None:
        key, etag = current_key(slot.name), slot.etag if conditional else None
        return self._bucket.get(key, limit=MAX_POINTER_BYTES, if_none_match=etag)

    def _follow(self, slot: _Slot, content: bytes, etag: str) -> None:
        """Adopt the version that `current.json` names; where nothing serves yet, the one before it has to do."""
        version = "?"
        try:
            pointer = Pointer.parse(content)
            version = pointer.version
            if not self._adopt(slot, version) and slot.model is None and pointer.previous:
                self._adopt(slot, pointer.previous)
        except BundleInvalid as error:
            self._refuse(slot, version, error)
        slot.etag = etag

    def _adopt(self, slot: _Slot, version: str) -> bool:
        try:
            model = self._load(slot.name, version, slot.task, slot.model)
        except _PASSING:
            raise
        except Exception as error:  # a runtime may raise anything on a broken file
            self._refuse(slot, version, error)
            return False
        if slot.model is not None and slot.model is not model and slot.model.folder != model.folder:
            slot.replaced.append(slot.model.folder)
        slot.model = model
        logger.info("model serves", model=slot.name, version=version)
        measure("ModelServes", 1, model=slot.name, version=version)
        return True

    def _refuse(self, slot: _Slot, version: str, error: Exception) -> None:
        slot.reason = f"version {version} was refused: {error}"
        slot.retry = self._clock() + max(_RETRY_SECONDS, self._refresh_seconds)
        _report(slot.name, version, error)

    def _load(self, name: str, version: str, task: str, serving: LoadedModel | None = None) -> LoadedModel:
        manifest = self._manifest(name, version, task)
        if serving is not None and serving.manifest == manifest:
            return serving
        folder = ensure(self._bucket, manifest, self._scratch, self._threads)
        try:
            return load(folder, manifest, self._threads)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _manifest(self, name: str, version: str, task: str) -> Manifest:
        found = self._bucket.get(bundle_key(name, version), limit=MAX_MANIFEST_BYTES)
        manifest = Manifest.parse(found[0] if found else b"")
        if (manifest.name, manifest.version) != (name, version):
            raise BundleInvalid(f"the manifest is of {manifest.name} {manifest.version}, not of {name} {version}")
        if manifest.task != task:
            raise BundleInvalid(f"{name} is a model for {manifest.task}, not for {task}")
        return manifest

    def _load_pinned(self, name: str, version: str, task: str) -> LoadedModel:
        try:
            return self._load(name, checked_version(version), task)
        except _PASSING as error:
            raise ModelUnavailable(f"{name} {version} can't be read from S3 ({type(error).__name__})") from error
        except Exception as error:
            _report(name, version, error)
            raise ModelUnavailable(f"{name} {version} can't be used: {error}", model=name, version=version) from error

    def _trim(self) -> None:
        """Let go of the pinned versions used longest ago until the rest, or one, is within the budget."""
        while len(self._pinned) > 1 and sum(each.manifest.size for each in self._pinned.values()) > self._pinned_bytes:
            _, model = self._pinned.popitem(last=False)
            if all(slot.model is None or slot.model.folder != model.folder for slot in self._slots.values()):
                shutil.rmtree(model.folder, ignore_errors=True)

    def _unavailable(self, slot: _Slot) -> ModelUnavailable:
        bucket = self._bucket.name
        message = (
            f"model {slot.name} is not available: {slot.reason}. "
            f"Publish a bundle: python -m tools.models publish FOLDER --bucket {bucket}"
        )
        return ModelUnavailable(message, model=slot.name, bucket=bucket)


def _remove(slot: _Slot) -> None:
    # An interval after the swap: whoever got the old model just before it has read its files by now.
    while slot.replaced:
        shutil.rmtree(slot.replaced.pop(), ignore_errors=True)


def _report(name: str, version: str, error: Exception) -> None:
    logger.error("model refused", model=name, version=version, reason=str(error), error=type(error).__name__)
    measure("ModelRefused", 1, model=name)
