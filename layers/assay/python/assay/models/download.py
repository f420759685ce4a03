"""A bundle from S3 to disk: parallel ranged GETs straight into files, each chunk's sha256 checked as it arrives."""

import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assay.aws.s3 import BROKEN, Bucket
from assay.errors import BundleInvalid
from assay.models.early import take
from assay.models.manifest import File, Manifest
from assay.models.published import bundle_key
from assay.telemetry import phase, record

if TYPE_CHECKING:
    from assay.models.manifest import Manifest


_READ = 1 << 20


def verify_files(folder: Path, manifest: "Manifest", threads: int) -> None:
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


def mark_used(folder: Path) -> None:
    """Mark a bundle's folder as used now."""
    with suppress(OSError):
        os.utime(folder)


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
            mark_used(folder)
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
        tasks = [task for file in manifest.files for task in _tasks(bucket, manifest, folder, file, files)]
        pool = files.enter_context(ThreadPoolExecutor(_CONNECTIONS, "fetch"))
        files.callback(pool.shutdown, cancel_futures=True)
        return sum(done.result() for done in [pool.submit(task) for task in tasks])


def _tasks(bucket: Bucket, manifest: Manifest, folder: Path, file: File, files: ExitStack) -> list[Callable[[], float]]:
    """Make a file of its final size and return what fetches each of its chunks."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    target = files.enter_context(path.open("wb", buffering=0))
    target.truncate(file.bytes)
    key = bundle_key(manifest.name, manifest.version, file.path)
    return [partial(_chunk, bucket, key, target.fileno(), *span) for span in file.spans()]


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
