"""Find a command's input: a file, standard input, or an object in S3."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from tools.batch.files_as_s3 import open_folder_bucket
from tools.transfers import CountingBucket

S3 = "s3://"
STDIN = "-"
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """An input: `root` is a folder or a bucket's name, `key` the path within it."""

    root: str
    key: str
    in_s3: bool = False

    def bucket(self, told: Told | None = None) -> Bucket:
        """Return the input's bucket; `told` hears how many bytes each read gave."""
        found = _s3(self.root) if self.in_s3 else open_folder_bucket(Path(self.root))
        return CountingBucket(found, told) if told else found


@contextmanager
def place_input(name: str) -> Iterator[Place]:
    """Yield where an input lies; standard input becomes a file for as long. Raises OSError, AssayError."""
    if name.startswith(S3):
        bucket, _, key = name.removeprefix(S3).partition("/")
        if not bucket or not key or key.endswith("/"):
            raise FileNotFoundError(f"{name} names no object: s3://BUCKET/KEY")
        yield Place(bucket, key, in_s3=True)
    elif name == STDIN:
        with _copy(sys.stdin.buffer) as copy:
            yield copy
    else:
        with Path(name).open("rb") as file:  # says in words why it cannot be read
            if Path(name).is_file():
                yield _locate(Path(name))
                return
            with _copy(file) as copy:  # a pipe, as of <(zcat x) and /dev/stdin, can be read once only
                yield copy


def _locate(path: Path) -> Place:
    """Return where a file lies; a link's own name counts, by which its format is told."""
    whole = path.absolute()
    return Place(str(whole.parent), whole.name)


@contextmanager
def _copy(source: IO[bytes]) -> Iterator[Place]:
    """Yield a copy of a stream that can be read only once; the copy is removed at the end of the block."""
    with TemporaryDirectory(prefix="assay-") as folder:
        with (Path(folder) / "stdin").open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
        yield Place(folder, "stdin")


def _s3(name: str) -> Bucket:
    return Bucket(client("s3"), name)
