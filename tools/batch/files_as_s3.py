"""A folder that answers like S3, so that the code of the functions reads and writes local files.

Only what `assay.aws.s3.Bucket` and `assay.aws.s3.Writer` ask for is here; a key is a path below the folder.
"""

import io
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from assay.aws.s3 import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def open_folder_bucket(root: Path) -> Bucket:
    """Return a folder as a bucket."""
    return Bucket(cast("S3Client", FolderClient(root)), str(root))


class FolderClient:
    """The calls of a boto3 S3 client that Assay makes, on files; an ETag names a file's size, time and inode."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def head_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Return size and ETag; a file carries no metadata."""
        return {"ContentLength": self._file(Key).stat().st_size, "ETag": self._etag(Key), "Metadata": {}}

    def get_object(self, *, Key: str, **asked: Any) -> dict[str, Any]:  # noqa: N803
        """Return a file or a range of it, held to `IfMatch`."""
        etag = self._etag(Key)
        if asked.get("IfMatch", etag) != etag:
            raise _refusal("PreconditionFailed", "GetObject")
        start, stop = _range(asked.get("Range"))
        with self._file(Key).open("rb") as file:
            file.seek(start)
            data = file.read(-1 if stop is None else stop - start)
        if start and not data:
            raise _refusal("InvalidRange", "GetObject")
        return {
            "Body": StreamingBody(io.BytesIO(data), len(data)),
            "ETag": etag,
            **self._describe_range(Key, asked, start, data),
        }

    def _describe_range(self, key: str, asked: Mapping[str, Any], start: int, data: bytes) -> dict[str, Any]:
        """Return what S3 says of the range that it gives."""
        if "Range" not in asked or not data:
            return {"ResponseMetadata": {"HTTPStatusCode": 200}}
        told = f"bytes {start}-{start + len(data) - 1}/{self._file(key).stat().st_size}"
        return {"ContentRange": told, "ResponseMetadata": {"HTTPStatusCode": 206}}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Write a file, whole or not at all."""
        part = self._begin(Key)
        part.write_bytes(Body)
        part.replace(self._root / Key)
        return {"ETag": self._etag(Key)}

    def create_multipart_upload(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Begin a file; its id is where it lies until it is complete."""
        return {"UploadId": str(self._begin(Key))}

    def upload_part(self, *, UploadId: str, Body: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Append; parts come in order."""
        with Path(UploadId).open("ab") as file:
            file.write(Body)
        return {"ETag": '"part"'}

    def complete_multipart_upload(self, *, Key: str, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Give the file its name."""
        Path(UploadId).replace(self._root / Key)
        return {}

    def abort_multipart_upload(self, *, UploadId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Drop what was written."""
        Path(UploadId).unlink(missing_ok=True)
        return {}

    def get_paginator(self, _: str) -> "FolderClient":
        """Return what lists: one page has all."""
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> Iterator[Mapping[str, Any]]:  # noqa: N803
        """Yield the keys that begin with `Prefix`."""
        folder = self._root / Prefix.rpartition("/")[0]
        keys = (path.relative_to(self._root).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
        yield {"Contents": [{"Key": key} for key in keys if key.startswith(Prefix)]}

    def _file(self, key: str) -> Path:
        path = self._root / key
        if not path.is_file():
            raise _refusal("NoSuchKey", "GetObject")
        return path

    def _etag(self, key: str) -> str:
        found = self._file(key).stat()
        return f'"{found.st_size:x}-{found.st_mtime_ns:x}-{found.st_ino:x}"'

    def _begin(self, key: str) -> Path:
        folder = (self._root / key).parent
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f".part-{secrets.token_hex(8)}"
        part.touch(exist_ok=False)  # with the umask's mode, which files of tempfile have not
        return part


def _range(asked: str | None) -> tuple[int, int | None]:
    """Return [start, stop) of `bytes=0-99`, the whole where nothing is asked for."""
    if asked is None:
        return 0, None
    first, last = asked.removeprefix("bytes=").split("-")
    return int(first), int(last) + 1


def _refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)
