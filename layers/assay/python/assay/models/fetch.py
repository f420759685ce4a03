"""A bundle from S3 to disk: parallel ranged GETs straight into files, each chunk's sha256 checked as it arrives."""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from assay.aws.s3 import BROKEN, Bucket
from assay.errors import BundleInvalid
from assay.models.bundle import Manifest
from assay.models.hashing import check, verify
from assay.models.layout import bundle_key
from assay.models.scratch import check_space, folder_of, make_room, touch
from assay.models.specs import File
from assay.telemetry import phase, record

_CONNECTIONS: Final = 16
_ATTEMPTS: Final = 4


def ensure(
    bucket: Bucket, manifest: Manifest, scratch: Path, threads: int, spared: Callable[[], Collection[Path]] = tuple
) -> Path:
    """Return the bundle's verified folder: the one on disk where it is intact, else fetched.

    Where the disk is full, bundles used longest ago make room, but for those `spared`.
    """
    folder = folder_of(scratch, manifest)
    if folder.is_dir():
        try:
            with phase("verify", model=manifest.name):
                verify(folder, manifest, threads)
            touch(folder)
            return folder
        except BundleInvalid:
            shutil.rmtree(folder, ignore_errors=True)
    make_room(scratch, manifest.size, spared)
    fetch(bucket, manifest, folder)
    return folder


def fetch(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
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
    check(key, start, digest.hexdigest(), expected)
    return hashing
