"""The scratch disk: where bundles lie on it, and which go when one more would not fit."""

import errno
import os
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from assay.models.bundle import Manifest

_RESERVE: Final = 0.1
"""The share of the disk that bundles leave to others, where they can."""


def bundles(scratch: Path) -> Path:
    """Return the folder that all bundles lie in."""
    return scratch / "assay-models"


def folder_of(scratch: Path, manifest: Manifest) -> Path:
    """Return where a bundle lies on disk: named by its hashes too, so that no other content is taken for it."""
    return bundles(scratch) / manifest.name / f"{manifest.version}-{manifest.digest[:16]}"


def touch(folder: Path) -> None:
    """Mark a bundle's folder as used now."""
    with suppress(OSError):
        os.utime(folder)


def make_room(scratch: Path, size: int, spared: Callable[[], Collection[Path]]) -> None:
    """Remove the bundles used longest ago until `size` bytes fit; OSError (ENOSPC) where they cannot.

    Those `spared` stay: a loaded model's files are open, so that removing them would free nothing.
    """
    root = bundles(scratch)
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
    return sorted((path for path in found if path not in spared), key=_used)


def _used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # another thread was faster
        return 0.0
