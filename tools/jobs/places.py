"""Where the input of a command lies: a file, standard input, or an object in S3."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tools.jobs.folder import folder_bucket

if TYPE_CHECKING:
    from assay.storage import Bucket

S3 = "s3://"
STDIN = "-"
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """An input: `root` is a folder or a bucket's name, `key` the path within it."""

    root: str
    key: str
    in_s3: bool = False

    def bucket(self, told: Told | None = None) -> "Bucket":
        """Return the input's bucket; `told` hears how many bytes each read gave."""
        found = _s3(self.root) if self.in_s3 else folder_bucket(Path(self.root))
        return _counted(found, told) if told else found


@contextmanager
def place(name: str) -> Iterator[Place]:
    """Yield where an input lies; standard input becomes a file for as long. Raises OSError, AssayError."""
    if name.startswith(S3):
        bucket, _, key = name.removeprefix(S3).partition("/")
        if not bucket or not key or key.endswith("/"):
            raise FileNotFoundError(f"{name} names no object: s3://BUCKET/KEY")
        yield Place(bucket, key, in_s3=True)
    elif name == STDIN:
        with TemporaryDirectory(prefix="assay-") as folder:
            with (Path(folder) / "stdin").open("wb") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
            yield Place(folder, "stdin")
    else:
        with Path(name).open("rb"):  # says in words why it cannot be read
            path = Path(name).absolute()  # a symbolic link's own name says what it is, not its target's
        yield Place(str(path.parent), path.name)


def _s3(name: str) -> "Bucket":
    from assay.clients import client
    from assay.storage import Bucket

    return Bucket(client("s3"), name)


def _counted(bucket: "Bucket", told: Told) -> "Bucket":
    """Return the same bucket, every ranged read of it told."""
    from assay.storage import Bucket

    class Counted(Bucket):
        def read_range(
            self, key: str, start: int, stop: int, *, etag: str | None = None, version: str | None = None
        ) -> bytes:
            data = super().read_range(key, start, stop, etag=etag, version=version)
            told(len(data))
            return data

    return Counted(bucket.client, bucket.name)
