"""The models that a function serves: pulled from S3 on first use, replaced when `current.json` moves.

A version that does not verify, load or answer its probes is refused: the one that works keeps serving, and the refused
one is not tried again before `current.json` changes or a long while passes. All models together are held within a
budget of memory, those used longest ago let go first.
"""

import errno
import shutil
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from assay.aws.s3 import Bucket
from assay.errors import AnswerInvalid, BundleInvalid, ModelUnavailable, NotFound, ObjectMissing
from assay.models import probes
from assay.models.loading import LoadedModel, import_runtime, load_model
from assay.models.manifest import Manifest, Pointer, require_model_name, require_model_version
from assay.models.published import ensure_bundle, fetch_pointer, folder_of, read_published
from assay.telemetry import logger, measure, phase

Key = tuple[str, str]
"""Name and version."""
_PAIR: Final = 2
_FIXED: Final = 8 << 20
_TIMES: Final = 2


def estimate_memory(manifest: Manifest, threads: int = 1) -> int:
    """Return about how many bytes a loaded model takes.

    Measured: 5 MB for a sequence model of 0.4 MB, 43 MB for a classifier of 24 MB with its tokenizer. A classifier's
    networks that run side by side, one a thread, take 0.4 (29 MB) to 0.8 (113 MB) of its size each.
    """
    more = threads if threads > 1 and manifest.task == "text-classification" else 0
    return _FIXED + (_TIMES + more) * manifest.size


class Memory:
    """Models by name and version, within a budget of bytes. Safe to share between threads.

    The two used last always stay, because a request may need a pair. A caller keeps a model for as long as it needs it,
    also after it was let go here.
    """

    def __init__(self, budget: int, on_drop: Callable[[Key], None] = lambda key: None) -> None:
        self._budget = budget
        self._on_drop = on_drop
        self._lock = threading.Lock()
        self._models: OrderedDict[Key, LoadedModel] = OrderedDict()

    def get(self, key: Key) -> LoadedModel | None:
        """Return a model, which is now the one used last; None where it is not held."""
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
            return self._models.get(key)

    def keep(self, key: Key, model: LoadedModel) -> None:
        """Hold a model, in place of another of its name and version."""
        with self._lock:
            self._models[key] = model
            self._models.move_to_end(key)

    def drop(self, key: Key) -> None:
        """Let go of a model."""
        with self._lock:
            self._models.pop(key, None)

    def make_room(self, size: int) -> None:
        """Let go of the models used longest ago until `size` bytes more are within the budget."""
        for key in self._evict(size):
            self._on_drop(key)

    def models(self) -> list[LoadedModel]:
        """Return what is held, the one used longest ago first."""
        with self._lock:
            return list(self._models.values())

    def _evict(self, size: int) -> list[Key]:
        dropped = []
        with self._lock:
            # One stays, and with what the room is for that makes two.
            while len(self._models) >= _PAIR and self._size() + size > self._budget:
                dropped.append(self._models.popitem(last=False)[0])
        return dropped

    def _size(self) -> int:
        return sum(estimate_memory(model.manifest, model.threads) for model in self._models.values())


NO_VERSION: Final = "it has no current version"
RETRY_SECONDS: Final = 900.0
"""How long a refused version is not tried again."""
_MOST: Final = 64
Pin = tuple[str, str, str]
"""Name, version and task."""


@dataclass
class ServingState:
    """What is known of one model's current version; `version` is the one that serves, in memory or let go of it."""

    name: str
    task: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    version: str | None = None
    sha256: str | None = None
    etag: str | None = None
    due: float = 0.0
    retry: float = float("inf")
    reason: str = NO_VERSION
    replaced: list[Path] = field(default_factory=list)


class Refusals:
    """Why versions were refused, for a while, and of so many as may be asked for in it."""

    def __init__(self) -> None:
        self._known: OrderedDict[Pin, tuple[float, str]] = OrderedDict()

    def add(self, pin: Pin, reason: str, now: float) -> None:
        """Remember a refusal."""
        self._known[pin] = now + RETRY_SECONDS, reason
        while len(self._known) > _MOST:
            self._known.popitem(last=False)

    def reason(self, pin: Pin, now: float) -> str | None:
        """Return why a version was refused, None where it was not, or is to be tried again."""
        until, reason = self._known.get(pin, (now, ""))
        return reason if now < until else None


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
        """Return a version's manifest; BundleInvalid where it is another's, for another task or has not that sha256."""
        manifest = read_published(self.bucket, name, version, sha256)
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
            import_runtime(manifest)
            ensure_bundle(self.bucket, manifest, self._scratch, self._threads, self._in_use)
            self._memory.make_room(estimate_memory(manifest, self._threads))
            return self._load_and_prove(folder, manifest)
        finally:
            self._loading.discard(folder)

    def discard(self, folder: Path) -> None:
        """Remove a bundle's folder, unless it is needed by now; then it goes when the disk is full."""
        if folder not in self._in_use():
            shutil.rmtree(folder, ignore_errors=True)

    def _load_and_prove(self, folder: Path, manifest: Manifest) -> LoadedModel:
        try:
            model = load_model(folder, manifest, self._threads)
            self._prove(model)
        except Exception:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return model

    def _in_use(self) -> set[Path]:
        return {model.folder for model in self._memory.models()} | self._loading

    def _prove(self, model: LoadedModel) -> None:
        """Have a version that this environment meets for the first time answer its probes."""
        manifest = model.manifest
        if manifest.text is not None:
            from assay.models.text_classifier import TextClassifier  # which a function that ranks does without

            TextClassifier(model)  # reads the tokenizer
        if manifest.digest in self._proven or not probes.has_probes(manifest):
            return
        with phase("probe", model=manifest.name):
            probes.check_probes(model, probes.ASKED_ON_LOAD[manifest.task])
        self._proven.add(manifest.digest)


MEMORY_BYTES: Final = 1 << 30
_PASSING = (BotoCoreError, ClientError, OSError, AnswerInvalid)
"""What the next moment may mend: S3, the scratch disk, and whatever else the system refuses."""
_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})


class Registry:
    """Models of one bucket. Safe to share between threads; a model keeps serving while its successor is fetched.

    What serves for a name and task is in one of four states, and each request for it takes one step:

    - EMPTY: nothing serves. A request looks at `current.json`, the others wait. It loads the version there, or the one
      before it, and the state is SERVING; where neither works, it stays EMPTY and the request fails.
    - SERVING: a version is in memory, and the interval since the last look is not over. It answers at once.
    - DUE: a version is in memory, and the interval is over. One request looks at `current.json`; the others get that
      version meanwhile. Whatever it finds, the state is SERVING: with the new version where that works, else the old.
    - DROPPED: memory let go of the version. A request loads it again, and the state is SERVING or DUE; where it does
      not work any more, EMPTY.
    """

    def __init__(
        self,
        bucket: Bucket,
        scratch: Path,
        *,
        threads: int,
        refresh_seconds: float = 60.0,
        memory_bytes: int = MEMORY_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket = bucket
        self._memory = Memory(memory_bytes, _tell_dropped)
        self._loader = Loader(bucket, scratch, threads, self._memory)
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, str], ServingState] = {}
        self._refusals = Refusals()

    def current(self, name: str, task: str) -> LoadedModel:
        """Return the version that serves; ModelUnavailable if there is none that works."""
        slot = self._slot(name, task)
        model = self._find_serving(slot)
        if model is not None and self._clock() < slot.due:
            return model
        if not slot.lock.acquire(blocking=model is None) and model is not None:
            return model  # another thread looks for a new version meanwhile
        try:
            model = self._find_serving(slot)
            found = model if model is not None and self._clock() < slot.due else self._refresh(slot, model)
        finally:
            slot.lock.release()
        if found is None:
            raise self._unavailable(slot)
        return found

    def pin(self, name: str, version: str, task: str) -> LoadedModel:
        """Return one version, current or not; ModelUnavailable if it can't be loaded."""
        model = self._find_held(name, version, task)
        if model is not None:
            return model
        with self._lock:
            return self._find_held(name, version, task) or self._load_pinned(name, version, task)

    def find_loaded(self, name: str, version: str | None) -> LoadedModel | None:
        """Return a version (None: the one that serves) where it is in memory already."""
        if version is not None:
            return self._memory.get((name, version))
        slots = [slot for slot in list(self._slots.values()) if slot.name == name and slot.version is not None]
        return self._find_serving(slots[0]) if slots else None

    def _slot(self, name: str, task: str) -> ServingState:
        slot = self._slots.get((name, task))
        return slot or self._slots.setdefault((name, task), ServingState(_require_known_name(name), task))

    def _find_serving(self, slot: ServingState) -> LoadedModel | None:
        return None if slot.version is None else self._memory.get((slot.name, slot.version))

    def _refresh(self, slot: ServingState, model: LoadedModel | None) -> LoadedModel | None:
        """Return what serves from now on; whatever goes wrong, `model` stays.

        A version that was replaced an interval ago, and not taken back since, is removed. A caller that got it just
        before has read its files by now.
        """
        outgoing, slot.replaced = slot.replaced, []
        try:
            if slot.version is not None and model is None:  # DROPPED
                model = self._adopt(slot, [(slot.version, slot.sha256)], None)
                if model is None:
                    slot.version = slot.etag = None
            if model is None or self._clock() >= slot.due:
                model = self._look(slot, model)
        except ObjectMissing:
            slot.etag, slot.reason = None, NO_VERSION
        except Exception as error:  # whatever it is, it must not end what works
            slot.etag, slot.reason = None, _describe_outage(error)
            logger.warning("model refresh failed", model=slot.name, reason=str(error))
            measure("ModelRefreshFailed", 1, model=slot.name)
        for folder in outgoing:
            self._loader.discard(folder)
        return model

    def _look(self, slot: ServingState, model: LoadedModel | None) -> LoadedModel | None:
        """Return what serves by `current.json`; where nothing serves yet, the version before its own has to do."""
        now = self._clock()
        slot.due = now + self._refresh_seconds
        found = fetch_pointer(self._bucket, slot.name, slot.etag if now < slot.retry else None)
        if found is None:
            return model
        content, slot.etag = found
        slot.retry = float("inf")
        try:
            pointer = Pointer.parse(content)
        except BundleInvalid as error:
            self._refuse(slot, "?", error)
            return model
        versions = [pointer.version] if model or not pointer.previous else [pointer.version, pointer.previous]
        return self._adopt(slot, [(version, pointer.digest(version)) for version in versions], model)

    def _adopt(
        self, slot: ServingState, versions: list[tuple[str, str | None]], serving: LoadedModel | None
    ) -> LoadedModel | None:
        """Return the first of the versions, each with its sha256, that works, and let it serve; else `serving`."""
        for version, sha256 in versions:
            try:
                model = self._load(slot.name, version, slot.task, sha256)
            except _PASSING:
                raise
            except Exception as error:  # a runtime may raise anything on a broken file
                self._refuse(slot, version, error)
                continue
            if serving is not None and serving is not model:
                self._retire(slot, serving, model)
            slot.version, slot.sha256 = version, sha256
            logger.info("model serves", model=slot.name, version=version)
            measure("ModelServes", 1, model=slot.name, version=version)
            return model
        return serving

    def _retire(self, slot: ServingState, old: LoadedModel, new: LoadedModel) -> None:
        if old.manifest.version != new.manifest.version:
            self._memory.drop((slot.name, old.manifest.version))
        if old.folder != new.folder:
            slot.replaced.append(old.folder)

    def _refuse(self, slot: ServingState, version: str, error: Exception) -> None:
        slot.reason = f"version {version} was refused: {error}"
        slot.retry = self._clock() + max(RETRY_SECONDS, self._refresh_seconds)
        _report(slot.name, version, error)

    def _load(self, name: str, version: str, task: str, sha256: str | None = None) -> LoadedModel:
        """Return a version as the bucket has it, from memory where that is the same."""
        manifest = self._loader.manifest(name, version, task, sha256)
        held = self._memory.get((name, version))
        if held is not None and held.manifest == manifest:
            return held
        model = self._loader.load(manifest)
        self._memory.keep((name, version), model)
        return model

    def _find_held(self, name: str, version: str, task: str) -> LoadedModel | None:
        model = self._memory.get((name, version))
        return model if model is not None and model.manifest.task == task else None

    def _load_pinned(self, name: str, version: str, task: str) -> LoadedModel:
        refused = self._refusals.reason((_require_known_name(name), version, task), self._clock())
        if refused:  # fetching it again would not help
            raise ModelUnavailable(refused, model=name, version=version)
        try:
            return self._load(name, require_model_version(version), task)
        except _PASSING as error:
            raise ModelUnavailable(f"{name} {version}: {_describe_outage(error)}") from error
        except Exception as error:
            _report(name, version, error)
            reason = f"{name} {version} can't be used: {error}"
            if not isinstance(error, ObjectMissing):  # which the next moment may bring
                self._refusals.add((name, version, task), reason, self._clock())
            raise ModelUnavailable(reason, model=name, version=version) from error

    def _unavailable(self, slot: ServingState) -> ModelUnavailable:
        bucket = self._bucket.name
        hint = f"; publish one: assay models publish FOLDER --bucket {bucket}" if slot.reason == NO_VERSION else ""
        message = f"model {slot.name} is not available: {slot.reason}{hint}"
        return ModelUnavailable(message, model=slot.name, bucket=bucket)


def _require_known_name(name: str) -> str:
    try:
        return require_model_name(name)
    except BundleInvalid as error:
        raise NotFound(f"there is no such model: {error}") from error


def _describe_outage(error: Exception) -> str:
    """Return what stood in the way, for now: S3, the scratch disk, or a call that the system refused, and where."""
    if not isinstance(error, OSError) or isinstance(error, ConnectionError | TimeoutError):
        return f"S3 can't be read ({type(error).__name__})"
    if error.errno in _DISK or error.filename is not None:
        return f"scratch disk: {error}"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"the system refused {Path(place.filename).stem}.{place.name}: {error}"


def _tell_dropped(key: tuple[str, str]) -> None:
    logger.info("model unloaded, to free memory", model=key[0], version=key[1])


def _report(name: str, version: str, error: Exception) -> None:
    logger.error("model refused", model=name, version=version, reason=str(error), error=type(error).__name__)
    measure("ModelRefused", 1, model=name)
