"""Confine a process: no network, and no files but those it is given.

By Linux's own means, which need no privilege: Landlock (5.13) for files and TCP, and a network namespace without an
interface where the kernel grants one. Elsewhere nothing is given up, and `confine` says so.
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, of one number on every processor
_NO_NEW_PRIVILEGES: Final = 38
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
_READ: Final = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
_OF_FILES: Final = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_BY_VERSION: Final = (0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1, (1 << 16) - 1)
"""What a version of Landlock can take away of files."""
_TCP: Final = 3


def confine(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Give up the network and all files but these, for good, in this process and its children.

    Returns whether files and TCP connections were given up; False where the system cannot.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    _leave_network(library)
    version = library.syscall(_CREATE, None, 0, 1)
    if version < 1:
        return False
    files = _BY_VERSION[min(version, len(_BY_VERSION) - 1)]
    ruleset = _ruleset(library, files, _TCP if version >= 4 else 0)
    for paths, access in ((readable, _READ), (writable, files)):
        for path in paths:
            _allow(library, ruleset, path, access & files)
    library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    _demand(library.syscall(_RESTRICT, ruleset, 0))
    os.close(ruleset)
    return bool(version >= 4)


def _leave_network(library: Any) -> None:
    """Move to a network without interfaces, as root by itself, else as root of a namespace of this user alone."""
    user, group = os.getuid(), os.getgid()
    if library.unshare(_NEW_NETWORK) == 0 or library.unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _ruleset(library: Any, files: int, tcp: int) -> int:
    attributes = struct.pack("QQ", files, tcp)[: 16 if tcp else 8]
    return _demand(library.syscall(_CREATE, attributes, len(attributes), 0))


def _allow(library: Any, ruleset: int, path: Path, access: int) -> None:
    if not path.exists():
        return
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", access if path.is_dir() else access & _OF_FILES, found)
        _demand(library.syscall(_ADD, ruleset, 1, rule, 0))
    finally:
        os.close(found)


def _demand(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"the system cannot confine this process: {os.strerror(ctypes.get_errno())}")
    return result
