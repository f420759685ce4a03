"""Where a model to import lies: a file or folder of this machine, a zip, or an `s3://` address of either."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, Final

from assay.aws.clients import client
from assay.aws.s3 import Bucket
from assay.errors import InvalidOption, ObjectMissing, UnreadableInput
from tools.transfers import Bar

_S3: Final = "s3://"
_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES: Final = 1024
_MOST_FILES: Final = 10_000
_MOST_BYTES: Final = 32 << 30
_PIECE: Final = 1 << 20


def bring(place: str, scratch: Path) -> Path:
    """Return a model's file or folder on this machine, from S3 or unpacked from a zip into `scratch` where need be.

    Raises InvalidOption, ObjectMissing, UnreadableInput.
    """
    path = _download(place, scratch) if place.startswith(_S3) else Path(place)
    if path.is_file() and path.suffix.lower() == ".zip":
        return _unpack(path, scratch / "unpacked" / path.stem)
    return path


def require_content(path: Path) -> None:
    """Raise UnreadableInput where a file, or one in a folder, is only a pointer that Git LFS left in its place."""
    files = [path] if path.is_file() else (each for each in path.rglob("*") if each.is_file())
    for each in files:
        if each.stat().st_size <= _POINTER_BYTES and each.read_bytes().startswith(_POINTER):
            raise UnreadableInput(
                f"{each.name} is a pointer of Git LFS, not the file itself: run `git lfs install` and `git lfs pull` "
                "where it was cloned, or download the file"
            )


def _download(place: str, scratch: Path) -> Path:
    """Return what lies at an address, an object or all below it, as a file or folder of the same name."""
    name, _, key = place.removeprefix(_S3).partition("/")
    prefix = key.rstrip("/")
    if not name or not prefix:
        raise InvalidOption(f"{place} names no object and no folder: say s3://BUCKET/FOLDER or s3://BUCKET/FILE")
    bucket = Bucket(client("s3"), name)
    target = scratch / "downloaded" / PurePosixPath(prefix).name
    keys = list(_keys(bucket, prefix))
    sizes = {each: bucket.head(each).size for each in keys}
    if sum(sizes.values()) > _MOST_BYTES:
        raise UnreadableInput(f"{place} holds more than {_MOST_BYTES >> 30} GiB, which is no model")
    with Bar(f"download {PurePosixPath(prefix).name}", sum(sizes.values()), logged=True) as shown:
        for each in keys:
            _save(bucket, each, _inside(target, each.removeprefix(prefix).lstrip("/")), shown)
    return target


def _keys(bucket: Bucket, prefix: str) -> Iterator[str]:
    """Yield the objects that an address means; ObjectMissing if there is none."""
    below = [each for each in bucket.keys(f"{prefix}/") if not each.endswith("/")]
    found = below or [each for each in bucket.keys(prefix) if each == prefix]
    if not found:
        raise ObjectMissing(f"there is nothing at s3://{bucket.name}/{prefix}")
    if len(found) > _MOST_FILES:
        raise UnreadableInput(f"s3://{bucket.name}/{prefix} holds {len(found):,} objects, which are no model")
    yield from found


def _save(bucket: Bucket, key: str, target: Path, shown: Bar) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        bucket.client.download_fileobj(bucket.name, key, file, Callback=shown.add)


def _inside(folder: Path, name: str) -> Path:
    """Return a place within a folder; UnreadableInput for a name that leads out of it."""
    parts = PurePosixPath(name).parts
    if any(part in ("..", "/") or "\\" in part or "\0" in part for part in parts):
        raise UnreadableInput(f"the name {name[:80]!r} leads out of its folder")
    return folder.joinpath(*parts)


def _unpack(path: Path, target: Path) -> Path:
    """Return the model in a zip: its one file, or its folder, however deep that lies."""
    try:
        with zipfile.ZipFile(path) as archive:
            _extract(archive, target)
    except (zipfile.BadZipFile, zlib.error, LZMAError, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise UnreadableInput(f"{path.name} can't be unpacked: {' '.join(str(error).split())[:200]}") from error
    found = target
    while found.is_dir():
        inner = [each for each in found.iterdir() if not each.name.startswith((".", "__MACOSX"))]
        if len(inner) != 1:
            break
        found = inner[0]
    return found


def _extract(archive: zipfile.ZipFile, target: Path) -> None:
    members = [each for each in archive.infolist() if not each.filename.endswith("/")]  # is_dir wants a name
    if len(members) > _MOST_FILES or sum(each.file_size for each in members) > _MOST_BYTES:
        raise UnreadableInput(f"the zip holds {len(members):,} files, or unpacks to more than a model has")
    target.mkdir(parents=True)
    for each in members:
        if stat.S_ISLNK(each.external_attr >> 16):
            raise UnreadableInput(f"the zip holds a link, {each.filename[:80]!r}: pack the files themselves")
        place = _inside(target, each.filename)
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(each) as source, place.open("wb") as file:
            _copy(source, file, each.file_size)


def _copy(source: IO[bytes], file: IO[bytes], size: int) -> None:
    """Copy `size` bytes, as the zip's directory states. Raises UnreadableInput if there are more."""
    left = size
    while piece := source.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise UnreadableInput("the zip holds more than its directory says")
        file.write(piece)
