"""How steps, memory and time grow with an input: lines of Python are counted, memory is traced, and a clock is read
only where the work is done in C.
"""

import io
import sys
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

from assay.errors import AssayError
from assay.text import packing

Read = Callable[[bytes], object]


def pieces(data: bytes) -> Iterator[bytes]:
    """Yield an input as it arrives."""
    yield from (data[at : at + 4096] for at in range(0, len(data), 4096))


def attempt(read: Read, data: bytes) -> None:
    """Read, whether that is refused or not."""
    with suppress(AssayError):
        read(data)


def lines_run(read: Read, data: bytes) -> int:
    """Return how many lines of Python reading takes: a measure of time that does not depend on the machine."""
    count = 0

    def trace(*_: object) -> object:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        attempt(read, data)
    finally:
        sys.settrace(before)
    return count


def peak(read: Read, data: bytes) -> int:
    """Return the most bytes that reading holds."""
    tracemalloc.start()
    try:
        attempt(read, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def measure_time(work: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    """Return the least seconds by a clock that work took, of five tries."""
    tries = []
    for _ in range(5):
        before = clock()
        with suppress(AssayError):
            work()
        tries.append(clock() - before)
    return min(tries)


def unpack(data: bytes) -> int:
    """Unpack some bytes as input is, without keeping anything."""
    chunks = [*pieces(data)]
    return sum(map(len, packing.open_text(chunks, packing.look(chunks).packing, max_ratio=1 << 20)))


def folders(count: int, length: int, extra: bytes = b"", data: bytes = b"ACD\n") -> bytes:
    """Return a zip of empty folders with long names, and a file of `data`; `extra` stands before each folder."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for at in range(count):
            folder = zipfile.ZipInfo(f"{at}{'n' * length}/")
            folder.extra = extra[: (1 << 16) - 8]
            archive.writestr(folder, b"")
        archive.writestr("a.txt", data)
    return held.getvalue()


def gzip_fast(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()
