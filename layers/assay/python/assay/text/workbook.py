"""A workbook's first sheet, read in a child process that is bounded in time and memory and holds no credentials."""

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Final

from assay.errors import RuntimeMissing, TooLarge, UnreadableInput

MAX_BYTES: Final = 32 << 20
"""Of a workbook, packed as it comes."""
SECONDS: Final = 20.0
_CHILD: Final = Path(__file__).with_name("workbook_worker.py")
_PASSED_ON: Final = ("PATH", "LD_LIBRARY_PATH")
_PIECE: Final = 1 << 20
_INSTEAD: Final = "save its first sheet as CSV and send that"
_REASONS: Final[Mapping[int, str]] = {
    3: f"the file is damaged, or not a workbook that can be read; {_INSTEAD}, or its text as plain text",
    4: f"the workbook has a password; {_INSTEAD}",
    5: f"the workbook has no sheet; {_INSTEAD}",
    6: f"the workbook's first sheet is too large; {_INSTEAD}",
}


def read_workbook(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the first sheet of a workbook as CSV, a row a line.

    Raises TooLarge over 32 MiB; UnreadableInput where it is damaged, has a password, or takes too much time, memory or
    text; RuntimeMissing where this deployment has no reader for it.
    """
    if importlib.util.find_spec("python_calamine") is None:
        raise RuntimeMissing("this deployment cannot read workbooks: python-calamine is not installed")
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > MAX_BYTES:
            raise TooLarge(f"the workbook has over {MAX_BYTES >> 20} MiB; {_INSTEAD}", limit=MAX_BYTES)
    # Imported here, as few files are workbooks.
    from tempfile import TemporaryFile

    with TemporaryFile() as found:
        _write(bytes(body), found)
        found.seek(0)
        while piece := found.read(_PIECE):
            yield piece


def _write(body: bytes, found: IO[bytes]) -> None:
    """Have the child write the sheet to a file, which it is held to the size of."""
    import subprocess

    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    command = [sys.executable, "-I", str(_CHILD)]
    try:
        # What it says on stderr would quote the workbook, which no log may hold.
        done = subprocess.run(
            command, input=body, stdout=found, stderr=subprocess.DEVNULL, env=environment, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise UnreadableInput(f"the workbook takes too long to read; {_INSTEAD}") from None
    if done.returncode:
        raise UnreadableInput(_REASONS.get(done.returncode, f"the workbook takes too much memory; {_INSTEAD}"))
