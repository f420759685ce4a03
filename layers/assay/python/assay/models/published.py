"""Published models: where they lie in the bucket, how their documents are read, how their files come to this disk.

A bundle is fetched by parallel ranged GETs straight into files, each chunk's sha256 checked as it arrives. Documents
and files may be fetched early, while a cold start still imports what will ask for them: the code that needs one takes
it once, and waits where it is still under way; where that failed it is asked for again.
"""

import errno
import os
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from assay.aws.s3 import BROKEN, Bucket
from assay.errors import BundleInvalid, NotFound, ObjectMissing, TooLarge
from assay.models.manifest import MANIFEST, MAX_MANIFEST_BYTES, MAX_POINTER_BYTES, File, Manifest, Pointer, Target
from assay.models.reference import MAX_REFERENCE_BYTES, REFERENCE, Reference, find_reference
from assay.telemetry import phase, record

CARD: Final = "README.md"
"""A model's card, published beside its bundle with the pictures that it shows; what serves does not read it."""
_NAMED: Final = 20
_MORE: Final = "GET /models lists the published models"


def current_key(name: str) -> str:
    """Return the key of a model's pointer in the models bucket."""
    return f"models/{name}/current.json"


def bundle_key(name: str, version: str, path: str = MANIFEST) -> str:
    """Return the key of a bundle's file in the models bucket."""
    return f"models/{name}/{version}/{path}"


def fetch_pointer(bucket: Bucket, name: str, etag: str | None = None) -> tuple[bytes, str] | None:
    """Return `current.json` and its ETag, None while that is `etag`. Raises ObjectMissing, BundleInvalid."""
    return _fetch(bucket, current_key(name), MAX_POINTER_BYTES, etag)


def read_pointer(bucket: Bucket, name: str) -> Pointer:
    """Return what `current.json` says. Raises ObjectMissing, BundleInvalid."""
    content, _ = fetch_pointer(bucket, name) or (b"", "")
    return Pointer.parse(content)


def fetch_manifest(bucket: Bucket, name: str, version: str) -> bytes:
    """Return a version's manifest.json. Raises ObjectMissing, BundleInvalid."""
    content, _ = _fetch(bucket, bundle_key(name, version), MAX_MANIFEST_BYTES) or (b"", "")
    return content


def read_published(bucket: Bucket, name: str, version: str, sha256: str | None = None) -> Manifest:
    """Return a version's manifest. Raises ObjectMissing; BundleInvalid where it is another's or has not that sha256."""
    return Manifest.of_version(fetch_manifest(bucket, name, version), name, version, sha256)


def read_published_reference(bucket: Bucket, manifest: Manifest) -> Reference | None:
    """Return what a published model's scores mean, None where it does not say. Raises ObjectMissing, BundleInvalid."""
    found = find_reference(manifest)
    if found is None:
        return None
    key = bundle_key(manifest.name, manifest.version, REFERENCE)
    content, _ = _fetch(bucket, key, MAX_REFERENCE_BYTES) or (b"", "")
    if sha256(content).hexdigest() != found.sha256:
        raise BundleInvalid(f"{key} is not the file that the manifest means: its sha256 differs")
    return Reference.of(content, manifest)


def _fetch(bucket: Bucket, key: str, limit: int, etag: str | None = None) -> tuple[bytes, str] | None:
    if etag is not None:
        return fetch_document(bucket, key, limit, etag)
    return take((bucket.name, key), lambda: fetch_document(bucket, key, limit))


def fetch_document(bucket: Bucket, key: str, limit: int, etag: str | None = None) -> tuple[bytes, str] | None:
    """Return a document and its ETag, None while that is `etag`. Raises ObjectMissing; BundleInvalid over the limit."""
    try:
        return bucket.get(key, limit=limit, if_none_match=etag)
    except TooLarge as error:
        raise BundleInvalid(error.message) from error


class Shelf:
    """Which models are published: asked before a model that a caller named is loaded."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def require(self, target: Target, task: str) -> None:
        """Raise NotFound unless a model of that name, and version where it says one, is published for the task."""
        found = self.task(target)
        if found != task:
            raise NotFound(f"{target.name} is a model for {found}, not for {task}", model=target.name, task=found)

    def task(self, target: Target) -> str:
        """Return what a model is for. Raises NotFound that names the models, or the versions, that there are."""
        version = target.version or self.current(target.name)
        try:
            return read_published(self._bucket, target.name, version).task
        except (BundleInvalid, ObjectMissing):
            raise self._unknown(f"{target.name} has no version {version!r}", f"models/{target.name}/") from None

    def current(self, name: str) -> str:
        """Return the version that a model's pointer names. Raises NotFound."""
        try:
            return read_pointer(self._bucket, name).version
        except (BundleInvalid, ObjectMissing):
            raise self._unknown(f"there is no model {name!r}", "models/") from None

    def _unknown(self, what: str, prefix: str) -> NotFound:
        known = list(islice(self._bucket.folders(prefix), _NAMED + 1))
        names = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        return NotFound(f"{what}; there are: {names or 'none'} ({_MORE})", known=known[:_NAMED])


def parse_target(text: str) -> Target:
    """Return the model that a caller means by `name` or `name@version`. Raises NotFound where no model is named so."""
    try:
        return Target.parse(unquote(text))
    except BundleInvalid as error:
        raise NotFound(f"there is no model {text[:80]!r}: {error.message}; {_MORE}") from None


Result = TypeVar("Result")
_announced: Final[dict[Hashable, Future[Any]]] = {}


def announce(key: Hashable) -> "Future[Any]":
    """Say that what belongs to a key is under way; the future is to be given it, or what went wrong."""
    return _announced.setdefault(key, Future())


def take(key: Hashable, act: Callable[[], Result]) -> Result:
    """Return what was announced under a key, the first time; else, and where that failed, what `act` gives."""
    early = _announced.pop(key, None)
    if early is not None and early.exception() is None:
        found: Result = early.result()
        return found
    return act()


_READ = 1 << 20


def verify_files(folder: Path, manifest: Manifest, threads: int) -> None:
    """Raise BundleInvalid unless every file of the manifest is in the folder, byte for byte; hashes in threads."""
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise BundleInvalid(f"{file.path} is missing, or does not have {file.bytes} bytes")
    spans = [(folder / file.path, file.path, *span) for file in manifest.files for span in file.spans()]
    with ThreadPoolExecutor(threads, "verify") as pool:
        for _ in pool.map(lambda span: _verify(*span), spans):
            pass


def require_chunk(path: str, start: int, digest: str, expected: str) -> None:
    """Raise BundleInvalid unless a chunk's digest is the manifest's."""
    if digest != expected:
        raise BundleInvalid(f"{path} differs from its manifest in the chunk from byte {start}", path=path)


def _verify(file: Path, path: str, start: int, stop: int, expected: str) -> None:
    digest = sha256()
    with file.open("rb", buffering=0) as source:
        for at in range(start, stop, _READ):
            digest.update(os.pread(source.fileno(), min(_READ, stop - at), at))
    require_chunk(path, start, digest.hexdigest(), expected)


_RESERVE: Final = 0.1
"""The share of the disk that bundles leave to others, where they can."""


def bundles_folder(scratch: Path) -> Path:
    """Return the folder that all bundles lie in."""
    return scratch / "assay-models"


def folder_of(scratch: Path, manifest: Manifest) -> Path:
    """Return where a bundle lies on disk: named by its hashes too, so that no other content is taken for it."""
    return bundles_folder(scratch) / manifest.name / f"{manifest.version}-{manifest.digest[:16]}"


def make_room(scratch: Path, size: int, spared: Callable[[], Collection[Path]]) -> None:
    """Remove the bundles used longest ago until `size` bytes fit; OSError (ENOSPC) where they cannot.

    Those `spared` stay: a loaded model's files are open, so that removing them would free nothing.
    """
    root = bundles_folder(scratch)
    root.mkdir(parents=True, exist_ok=True)
    disk = shutil.disk_usage(root)
    wanted = size + int(disk.total * _RESERVE)
    if disk.free < wanted:
        for folder in _oldest_first(root, spared()):
            shutil.rmtree(folder, ignore_errors=True)
            if shutil.disk_usage(root).free >= wanted:
                break
    check_space(root, size)


def check_space(folder: Path, size: int) -> None:
    """Raise OSError (ENOSPC) unless a disk has so many bytes free."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise OSError(
            errno.ENOSPC, f"the bundle has {size} bytes, the scratch disk {free} free: raise EphemeralStorage"
        )


def _oldest_first(root: Path, spared: Collection[Path]) -> list[Path]:
    """Return the bundles' folders that may go; one that is still arriving begins with a dot."""
    found = [path for path in root.glob("*/*") if path.is_dir() and not path.name.startswith(".")]
    return sorted((path for path in found if path not in spared), key=_last_use)


def _last_use(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # another thread was faster
        return 0.0


_CONNECTIONS: Final = 16
_ATTEMPTS: Final = 4


def ensure_bundle(
    bucket: Bucket, manifest: Manifest, scratch: Path, threads: int, spared: Callable[[], Collection[Path]] = tuple
) -> Path:
    """Return the bundle's verified folder: one that was fetched early, else one on disk that is intact, else fetched.

    Where the disk is full, bundles used longest ago make room, but for those `spared`.
    """
    return take(folder_of(scratch, manifest), lambda: provide_bundle(bucket, manifest, scratch, threads, spared))


def provide_bundle(
    bucket: Bucket, manifest: Manifest, scratch: Path, threads: int, spared: Callable[[], Collection[Path]]
) -> Path:
    """Return the bundle's verified folder: the one on disk where it is intact, else fetched."""
    folder = folder_of(scratch, manifest)
    if folder.is_dir():
        try:
            with phase("verify", model=manifest.name):
                verify_files(folder, manifest, threads)
            with suppress(OSError):  # used now
                os.utime(folder)
            return folder
        except BundleInvalid:
            shutil.rmtree(folder, ignore_errors=True)
    make_room(scratch, manifest.size, spared)
    fetch_bundle(bucket, manifest, folder)
    return folder


def fetch_bundle(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Download a bundle; the folder appears only once all of it is there. BundleInvalid, OSError, botocore's errors."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    check_space(folder.parent, manifest.size)
    arriving = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    try:
        with phase("fetch", model=manifest.name):
            hashing = _download(bucket, manifest, arriving)
        record("verify", hashing, model=manifest.name)  # seconds of thread time, within those of the fetch
        _move(arriving, folder)
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def _move(arriving: Path, folder: Path) -> None:
    try:
        arriving.rename(folder)
    except OSError:
        if not folder.is_dir():  # else someone else was faster, with the same content
            raise


def _download(bucket: Bucket, manifest: Manifest, folder: Path) -> float:
    """Fetch every chunk of every file into `folder`; return the seconds spent hashing, summed over threads."""
    with ExitStack() as files:
        spans = [(file, file.spans()) for file in manifest.files]
        tasks = [task for file, cut in spans for task in _tasks(bucket, manifest, folder, file, cut, files)]
        pool = files.enter_context(ThreadPoolExecutor(_CONNECTIONS, "fetch"))
        files.callback(pool.shutdown, cancel_futures=True)
        return sum(done.result() for done in [pool.submit(task) for task in tasks])


def _tasks(
    bucket: Bucket,
    manifest: Manifest,
    folder: Path,
    file: File,
    spans: Iterable[tuple[int, int, str]],
    files: ExitStack,
) -> list[Callable[[], float]]:
    """Make a file of its final size and return what fetches each of its chunks."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    target = files.enter_context(path.open("wb", buffering=0))
    target.truncate(file.bytes)
    key = bundle_key(manifest.name, manifest.version, file.path)
    return [partial(_chunk, bucket, key, target.fileno(), *span) for span in spans]


def _chunk(bucket: Bucket, key: str, target: int, start: int, stop: int, expected: str) -> float:
    for _ in range(_ATTEMPTS - 1):
        try:
            return _try_chunk(bucket, key, target, start, stop, expected)
        except BROKEN:
            continue
    return _try_chunk(bucket, key, target, start, stop, expected)


def _try_chunk(bucket: Bucket, key: str, target: int, start: int, stop: int, expected: str) -> float:
    digest, at, hashing = sha256(), start, 0.0
    for piece in bucket.pieces(key, start, stop):
        began = time.perf_counter()
        digest.update(piece)
        hashing += time.perf_counter() - began
        at += os.pwrite(target, piece, at)
    require_chunk(key, start, digest.hexdigest(), expected)
    return hashing


def begin_fetch(bucket: Bucket, names: Collection[str], scratch: Path, threads: int) -> None:
    """Fetch what serves for each name, in a thread each. Whatever fails is left to those who will ask for it.

    What leads to another document ends only once that other is announced, so that its reader finds it under way.
    """
    folders: set[Path] = set()
    for name in dict.fromkeys(names):
        pointer = announce((bucket.name, current_key(name)))
        arguments = (bucket, name, scratch, threads, pointer, folders)
        threading.Thread(target=_prefetch, args=arguments, name=f"prefetch-{name}", daemon=True).start()


def _prefetch(
    bucket: Bucket, name: str, scratch: Path, threads: int, pointer: "Future[Any]", folders: set[Path]
) -> None:
    with _fail_with(pointer):
        found = fetch_document(bucket, current_key(name), MAX_POINTER_BYTES) or (b"", "")
        serving = Pointer.parse(found[0])
        key = bundle_key(name, serving.version)
        document = announce((bucket.name, key))
        with _fail_with(document):
            pointer.set_result(found)
            content = fetch_document(bucket, key, MAX_MANIFEST_BYTES) or (b"", "")
            manifest = Manifest.of_version(content[0], name, serving.version, serving.sha256)
            folder = folder_of(scratch, manifest)
            folders.add(folder)  # neither is to make room for the other
            files = announce(folder)
            with _fail_with(files):
                document.set_result(content)
                files.set_result(provide_bundle(bucket, manifest, scratch, threads, lambda: folders))


@contextmanager
def _fail_with(future: "Future[Any]") -> Iterator[None]:
    """Let a future fail with what the block raises, unless it has its result."""
    try:
        yield
    except BaseException as error:
        if not future.done():
            future.set_exception(error)
