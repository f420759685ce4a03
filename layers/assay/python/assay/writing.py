"""An object that is written while it is made: memory and disk do not grow with it."""

from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

from assay.storage import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES: Final = 8 << 20
"""S3 takes 10,000 parts of at least 5 MiB each: this reaches 78 GiB."""


class Writer:
    """Takes bytes inside a `with`; the object appears when that ends, whole, and not at all when it fails."""

    def __init__(self, bucket: Bucket, key: str, content_type: str) -> None:
        self._bucket = bucket
        self._client, self._name, self._key = bucket.client, bucket.name, key
        self._content_type = content_type
        self._held = bytearray()
        self._upload = ""
        self._parts: list[CompletedPartTypeDef] = []

    def write(self, data: bytes) -> None:
        """Take some more; a full part is sent at once."""
        self._held += data
        while len(self._held) >= PART_BYTES:
            self._send(bytes(self._held[:PART_BYTES]))
            del self._held[:PART_BYTES]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._abort()
            return
        try:
            self._finish()
        except BaseException:
            self._abort()
            raise

    def _send(self, part: bytes) -> None:
        self._upload = self._upload or self._begin()
        number = len(self._parts) + 1
        reply = self._client.upload_part(
            Bucket=self._name,
            Key=self._key,
            UploadId=self._upload,
            PartNumber=number,
            Body=part,
            ChecksumAlgorithm="CRC32",
        )
        done: CompletedPartTypeDef = {"PartNumber": number, "ETag": reply["ETag"]}
        if "ChecksumCRC32" in reply:  # S3 completes an upload begun with checksums only where each part's is named
            done["ChecksumCRC32"] = reply["ChecksumCRC32"]
        self._parts.append(done)

    def _begin(self) -> str:
        reply = self._client.create_multipart_upload(
            Bucket=self._name, Key=self._key, ContentType=self._content_type, ChecksumAlgorithm="CRC32"
        )
        return reply["UploadId"]

    def _finish(self) -> None:
        if not self._upload:
            self._bucket.put(self._key, bytes(self._held), self._content_type)
            return
        if self._held:
            self._send(bytes(self._held))
        self._client.complete_multipart_upload(
            Bucket=self._name, Key=self._key, UploadId=self._upload, MultipartUpload={"Parts": self._parts}
        )

    def _abort(self) -> None:
        """Give up what was sent; where even that fails, the bucket's lifecycle ends unfinished uploads."""
        if self._upload:
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(Bucket=self._name, Key=self._key, UploadId=self._upload)
