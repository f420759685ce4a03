"""One contestant: `python -m benchmarks.peers.contestant WAY FOLDER THREADS`, tasks and answers as JSON lines."""

import ctypes
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import now, peak_megabytes
from benchmarks.peers import runtimes, sequences, text_ways

Act = Callable[[Any], Any]
_ARCH_PRCTL: Final = 158
_GET_PERMITTED: Final = 0x1022
_TILE_DATA: Final = 18
"""Of x86's system calls and extended features: arch/x86/include/uapi/asm/prctl.h, Documentation/arch/x86/xstate.rst."""


def load_way(name: str, folder: Path, threads: int) -> Act:
    """Return what a way does with a task; KeyError for an unknown way, ImportError where it is not installed."""
    maker: Callable[[Path, int], Act] = {**text_ways.WAYS, **sequences.WAYS, **runtimes.WAYS}[name]
    return maker(folder, threads)


def has_asked_for_amx() -> bool:
    """Say whether this process has asked Linux for AMX's tiles, which nothing can use without asking."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        return False
    permitted = ctypes.c_uint64()
    done = ctypes.CDLL(None).syscall(_ARCH_PRCTL, _GET_PERMITTED, ctypes.byref(permitted))
    return done == 0 and bool(permitted.value >> _TILE_DATA & 1)


def main() -> None:
    """Load the way, answer its first task, then those that are asked."""
    answers, sys.stdout = sys.stdout, sys.stderr
    name, folder, threads = sys.argv[1:]
    try:
        act = load_way(name, Path(folder), int(threads))
    except (ImportError, FileNotFoundError) as error:
        missing = f"not installed: {error.name or error}" if isinstance(error, ImportError) else f"no {error.filename}"
        print(json.dumps({"missing": missing}), file=answers, flush=True)
        return
    print(json.dumps({"megabytes": peak_megabytes(), "amx": has_asked_for_amx()}), file=answers, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        began = now()
        output = act(task)
        seconds = now() - began
        said = {"seconds": seconds, "output": output, "megabytes": peak_megabytes()}
        print(json.dumps(said), file=answers, flush=True)


if __name__ == "__main__":
    main()
