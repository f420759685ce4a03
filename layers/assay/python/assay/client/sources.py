"""What is sent: a file, bytes, or sequences and abstracts of this program, as one body of a known size."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from assay.client.failures import Refused
from assay.client.results import encode_sequences

Items = Iterable[str | Mapping[str, Any]]
Source = str | os.PathLike[str] | bytes | IO[bytes] | Items | Mapping[str, str]
"""A path, content, a file opened in binary, or a list of texts or objects; for sequences also ids to sequences."""
_ONE_TEXT: Final = (".txt", ".pdf", ".text", "")


@dataclass(frozen=True, slots=True)
class Content:
    """A body to send: `size` bytes of a stream, from `start`."""

    name: str
    size: int
    stream: IO[bytes]
    start: int = 0

    @property
    def is_list(self) -> bool:
        """Whether a job reads it as a request does: text is one abstract of a request, and many lines of a job."""
        return Path(self.name.lower()).suffix not in _ONE_TEXT


class FormPart:
    """A content as a form reads it: exactly `size` bytes, whatever others write to the file or cut off meanwhile.

    `tell` hears of how many bytes of how many are sent. Sending again begins at the start.
    """

    def __init__(self, content: Content, tell: Callable[[float, float], None]) -> None:
        self._content, self._tell = content, tell
        self.name = content.name or "input"
        self.seek(0)

    def tell(self) -> int:
        """Return how many bytes are read."""
        return self._at

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place from the start, or to the end."""
        self._at = self._content.size if whence == os.SEEK_END else place
        self._content.stream.seek(self._content.start + self._at)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes. Raises Refused if the file has become shorter."""
        left = self._content.size - self._at
        piece = self._content.stream.read(left if size < 0 else min(size, left))
        if left and not piece:
            raise Refused(f"{self._content.name} became shorter while it was sent; send it again")
        self._at += len(piece)
        self._tell(self._at, self._content.size)
        return piece


@contextmanager
def open_source(source: Source, name: str) -> Iterator[Content]:
    """Yield what is to be sent; lists become JSON called `name`.json. Raises OSError."""
    if isinstance(source, str | os.PathLike):
        with _open(Path(source)) as file:
            yield Content(Path(source).name, os.fstat(file.fileno()).st_size, file)
    elif isinstance(source, bytes | bytearray):
        yield Content(name, len(source), io.BytesIO(source))
    elif isinstance(source, Mapping) or not hasattr(source, "read"):
        body = encode_sequences(source)
        yield Content(f"{name}.json", len(body), io.BytesIO(body))
    else:
        yield _measure(cast(IO[bytes], source), name)


def _open(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except (FileNotFoundError, OSError) as error:
        if len(os.fspath(path)) < 40 or path.suffix:
            raise
        hint = f"there is no file {os.fspath(path)[:60]!r}: put text that is no file's name into a list, as in [text]"
        raise FileNotFoundError(error.errno, hint) from error


def _measure(file: IO[bytes], name: str) -> Content:
    """Return an open file from where it stands; what can be read once only is read now."""
    called = Path(str(getattr(file, "name", name))).name
    if not file.seekable():
        body = file.read()
        return Content(called, len(body), io.BytesIO(body))
    start = file.tell()
    size = max(0, file.seek(0, os.SEEK_END) - start)
    return Content(called, size, file, start)
