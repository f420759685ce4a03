"""Models' documents and files, fetched while a cold start still imports what will ask for them.

What leads to another document ends only once that other is announced, so that whoever reads it finds it under way.
"""

import threading
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.aws.s3 import Bucket
from assay.models.download import folder_of, provide_bundle
from assay.models.early import announce
from assay.models.manifest import MAX_MANIFEST_BYTES, MAX_POINTER_BYTES, Manifest, Pointer
from assay.models.published import bundle_key, current_key, fetch_document


def begin_fetch(bucket: Bucket, names: Collection[str], scratch: Path, threads: int) -> None:
    """Fetch what serves for each name, in a thread each. Whatever fails is left to those who will ask for it."""
    folders: set[Path] = set()
    for name in dict.fromkeys(names):
        pointer = announce((bucket.name, current_key(name)))
        arguments = (bucket, name, scratch, threads, pointer, folders)
        threading.Thread(target=_fetch, args=arguments, name=f"prefetch-{name}", daemon=True).start()


def _fetch(bucket: Bucket, name: str, scratch: Path, threads: int, pointer: "Future[Any]", folders: set[Path]) -> None:
    with _failing(pointer):
        found = fetch_document(bucket, current_key(name), MAX_POINTER_BYTES) or (b"", "")
        serving = Pointer.parse(found[0])
        key = bundle_key(name, serving.version)
        document = announce((bucket.name, key))
        with _failing(document):
            pointer.set_result(found)
            content = fetch_document(bucket, key, MAX_MANIFEST_BYTES) or (b"", "")
            manifest = Manifest.of_version(content[0], name, serving.version, serving.sha256)
            folder = folder_of(scratch, manifest)
            folders.add(folder)  # neither is to make room for the other
            files = announce(folder)
            with _failing(files):
                document.set_result(content)
                files.set_result(provide_bundle(bucket, manifest, scratch, threads, lambda: folders))


@contextmanager
def _failing(future: "Future[Any]") -> Iterator[None]:
    """Let a future fail with what the block raises, unless it has its result."""
    try:
        yield
    except BaseException as error:
        if not future.done():
            future.set_exception(error)
