"""S3 as Assay uses it: ranged reads of a version that must not change, small replies, large uploads, links."""

import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import quote

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from assay.errors import AnswerInvalid, ObjectChanged, ObjectMissing, SettingsError, TooLarge

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectOutputTypeDef


Result = TypeVar("Result")
READ_AHEAD = 8 << 20
_PIECE = 1 << 20
_ATTEMPTS = 4
BROKEN = (
    ConnectionClosedError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
    AnswerInvalid,
)
"""Reads that are tried again at once: what came is not what was asked for, or not all of it."""
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)
_MISSING = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed"})
_UNCHANGED = frozenset({"304", "NotModified"})
_PAST_END = frozenset({"416", "InvalidRange"})


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a HEAD says: `size` in bytes, `metadata` with lower-case names and without `x-amz-meta-`."""

    key: str
    size: int
    etag: str
    version_id: str | None = None
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


class Bucket:
    """One bucket through one client. Absent objects raise ObjectMissing, replaced ones ObjectChanged."""

    def __init__(self, client: "S3Client", name: str) -> None:
        if not name:
            raise SettingsError("no bucket name: an ASSAY_..._BUCKET variable is missing")
        self.client = client
        self.name = name

    def head(self, key: str, *, version: str | None = None) -> ObjectInfo:
        """Return size, ETag, version, content type and metadata of an object, or of one version of it."""
        with self._errors(key):
            reply = self.client.head_object(Bucket=self.name, Key=key, **_drop_missing(VersionId=version))
        return _describe(key, reply["ContentLength"], reply)

    def get(self, key: str, *, limit: int, if_none_match: str | None = None) -> tuple[bytes, str] | None:
        """Return a small object's body and ETag, None when its ETag is `if_none_match`; TooLarge over `limit` bytes."""
        return _insist(lambda: self._get(key, limit, if_none_match))

    def _get(self, key: str, limit: int, if_none_match: str | None) -> tuple[bytes, str] | None:
        try:
            with self._errors(key):
                wanted = _drop_missing(IfNoneMatch=if_none_match)
                reply = self.client.get_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED", **wanted)
        except ClientError as error:
            if _code(error) in _UNCHANGED:
                return None
            raise
        with closing(reply["Body"]) as stream:
            body = stream.read(limit + 1)
            if len(body) <= limit:
                stream.read(1)  # raises where the body ended early: only a read past its end looks at its length
        if len(body) > limit:
            raise TooLarge(f"{key} is larger than {limit} bytes", limit=limit)
        return body, reply["ETag"]

    def pieces(
        self, key: str, start: int, stop: int, *, etag: str | None = None, version: str | None = None
    ) -> Iterator[bytes]:
        """Yield bytes [start, stop) of an object as they arrive from one ranged GET; nothing past its end.

        Raises AnswerInvalid where the answer is not that range of that object, before or after bytes were given.
        """
        pins = _drop_missing(IfMatch=etag, VersionId=version)
        reply = self._open_range(key, start, stop, pins) if start < stop else None
        if reply is None:
            return
        with closing(reply["Body"]) as stream:
            size = _require_range(reply, key, start, stop, pins)
            yield from _require_size(stream.iter_chunks(_PIECE), key, size)

    def read_range(
        self, key: str, start: int, stop: int, *, etag: str | None = None, version: str | None = None
    ) -> bytes:
        """Return bytes [start, stop) of an object, fewer at its end; a connection that breaks off is tried again."""
        return _insist(lambda: b"".join(self.pieces(key, start, stop, etag=etag, version=version)))

    def read_start(
        self, key: str, stop: int, *, etag: str | None = None, version: str | None = None
    ) -> tuple[ObjectInfo, bytes]:
        """Return what a HEAD says of an object, and its first `stop` bytes, fewer at its end; by one GET."""
        return _insist(lambda: self._read_start(key, stop, etag, version))

    def _read_start(self, key: str, stop: int, etag: str | None, version: str | None) -> tuple[ObjectInfo, bytes]:
        pins = _drop_missing(IfMatch=etag, VersionId=version)
        reply = self._open_range(key, 0, stop, pins)
        if reply is None:
            return self._require_empty(key, etag, version)
        with closing(reply["Body"]) as stream:
            if not reply.get("ContentRange") and not reply.get("ContentLength"):
                return self._require_empty(key, etag, version)
            size = _require_range(reply, key, 0, stop, pins)
            body = b"".join(_require_size(stream.iter_chunks(_PIECE), key, size))
        return _describe(key, int(reply["ContentRange"].rpartition("/")[2]), reply), body

    def _open_range(self, key: str, start: int, stop: int, pins: Mapping[str, Any]) -> "GetObjectOutputTypeDef | None":
        """Return the answer to a ranged GET, None where the object ends before the range."""
        try:
            with self._errors(key):
                return self.client.get_object(Bucket=self.name, Key=key, Range=f"bytes={start}-{stop - 1}", **pins)
        except ClientError as error:
            if _code(error) in _PAST_END:
                return None
            raise

    def _require_empty(self, key: str, etag: str | None, version: str | None) -> tuple[ObjectInfo, bytes]:
        """Return what there is to say of an object without bytes, of which there is no range."""
        info = self.head(key, version=version)
        if etag is not None and info.etag.strip('"') != etag.strip('"'):
            raise ObjectChanged(f"{key} was replaced while it was read", key=key)
        if info.size:
            raise AnswerInvalid(f"{key} has {info.size:,} bytes, and none were answered", key=key)
        return info, b""

    def chunks(
        self,
        key: str,
        *,
        start: int = 0,
        stop: int | None = None,
        etag: str | None = None,
        version: str | None = None,
        size: int = READ_AHEAD,
    ) -> Iterator[bytes]:
        """Yield bytes [start, stop) of an object in parts of `size`, the next one being read while one is used.

        Raises AnswerInvalid where the object ends before `stop`.
        """
        stop = self.head(key, version=version).size if stop is None else stop
        with ThreadPoolExecutor(1, "read-ahead") as pool:
            pending: deque[Future[bytes]] = deque()
            for at in range(start, stop, size):
                end = min(at + size, stop)
                pending.append(pool.submit(self._read_whole, key, at, end, etag=etag, version=version))
                if len(pending) > 1:
                    yield pending.popleft().result()
            yield from (last.result() for last in pending)

    def _read_whole(self, key: str, start: int, stop: int, **pins: str | None) -> bytes:
        data = self.read_range(key, start, stop, **pins)
        if len(data) != stop - start:
            raise AnswerInvalid(f"{key} ends within bytes {start} to {stop - 1}, which it should have", key=key)
        return data

    def put(self, key: str, body: bytes, content_type: str) -> None:
        """Write a small object."""
        self.client.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)

    def upload(self, key: str, source: IO[bytes], content_type: str) -> None:
        """Write an object of any size from an open file, in parts."""
        self.client.upload_fileobj(source, self.name, key, ExtraArgs={"ContentType": content_type})

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`."""
        for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            yield from (item["Key"] for item in page.get("Contents", ()))

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders right under `prefix`, which ends in a slash."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        for page in pages:
            yield from (item["Prefix"][len(prefix) : -1] for item in page.get("CommonPrefixes", ()))

    def link(self, key: str, *, filename: str, seconds: int = 3600) -> str:
        """Return a presigned GET that a browser saves as `filename`, good for `seconds`."""
        parameters = {"Bucket": self.name, "Key": key, "ResponseContentDisposition": _attachment(filename)}
        return self.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)

    def post(
        self, key: str, *, limit: int, metadata: Mapping[str, str] | None = None, seconds: int = 3600
    ) -> dict[str, Any]:
        """Return `url` and `fields` of a presigned POST of this one key, at most `limit` bytes, good for `seconds`.

        The object will have this `metadata`, names without `x-amz-meta-`, and no other.
        """
        fields = {f"x-amz-meta-{name}": value for name, value in (metadata or {}).items()}
        conditions: list[Any] = [["content-length-range", 0, limit], *({name: value} for name, value in fields.items())]
        form = self.client.generate_presigned_post(
            self.name, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=seconds
        )
        return dict(form)

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if _code(error) in _MISSING:
                raise ObjectMissing(f"there is no {key} in bucket {self.name}", key=key) from error
            if _code(error) in _CHANGED:
                raise ObjectChanged(f"{key} was replaced while it was read", key=key) from error
            raise


class MemoryBucket(Bucket):
    """A bucket for one function's work: what it puts stays in memory, and what it read whole is not fetched again.

    An object that is written in parts, for it is large, goes to the bucket all the same.
    """

    def __init__(self, bucket: Bucket) -> None:
        super().__init__(bucket.client, bucket.name)
        self._held: dict[str, bytes] = {}

    def put(self, key: str, body: bytes, content_type: str) -> None:
        """Keep a small object."""
        self._held[key] = body

    def read_start(
        self, key: str, stop: int, *, etag: str | None = None, version: str | None = None
    ) -> tuple[ObjectInfo, bytes]:
        """Do as any bucket does, and keep an object that has no more bytes."""
        info, head = super().read_start(key, stop, etag=etag, version=version)
        if info.size == len(head):
            self._held[key] = head
        return info, head

    def chunks(
        self,
        key: str,
        *,
        start: int = 0,
        stop: int | None = None,
        etag: str | None = None,
        version: str | None = None,
        size: int = READ_AHEAD,
    ) -> Iterator[bytes]:
        """Yield what is kept, else do as any bucket does."""
        if key in self._held:
            return iter(filter(None, [self._held[key][start:stop]]))
        return super().chunks(key, start=start, stop=stop, etag=etag, version=version, size=size)


def _insist(read: Callable[[], Result]) -> Result:
    """Return what a read gives; one that broke off is tried again."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(*BROKEN):
            return read()
    return read()


def _describe(key: str, size: int, reply: Mapping[str, Any]) -> ObjectInfo:
    metadata = {name.lower(): value for name, value in reply.get("Metadata", {}).items()}
    return ObjectInfo(key, size, reply["ETag"], reply.get("VersionId"), reply.get("ContentType", ""), metadata)


def _drop_missing(**conditions: str | None) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if value is not None}


def _require_range(reply: Mapping[str, Any], key: str, start: int, stop: int, pins: Mapping[str, str]) -> int:
    """Return how many bytes an answer to a ranged GET has. Raises AnswerInvalid unless it is what was asked for."""
    status = reply.get("ResponseMetadata", {}).get("HTTPStatusCode")
    said = str(reply.get("ContentRange", ""))
    found = _RANGE.fullmatch(said)
    first, last, total = map(int, found.groups() if found else (0, -1, 0))
    if status != 206 or first != start or last != min(stop, total) - 1 or last < first:
        wrong = f"status {status} and {f'Content-Range {said[:100]!r}' if said else 'no Content-Range'}"
        raise AnswerInvalid(f"bytes {start} to {stop - 1} of {key} were asked for, but the answer has {wrong}", key=key)
    for asked, name in (("IfMatch", "ETag"), ("VersionId", "VersionId")):
        if asked in pins and reply.get(name, pins[asked]).strip('"') != pins[asked].strip('"'):
            raise AnswerInvalid(f"another {name} of {key} was returned than was asked for", key=key)
    return last - first + 1


def _require_size(chunks: Iterable[bytes], key: str, size: int) -> Iterator[bytes]:
    """Yield the chunks. Raises AnswerInvalid where they have not `size` bytes, before a byte too many is given."""
    given = 0
    for chunk in chunks:
        given += len(chunk)
        if given > size:
            break
        yield chunk
    if given != size:
        kind = "over" if given > size else "only"
        raise AnswerInvalid(f"the answer to a range of {size} bytes of {key} has {kind} {min(given, size)}", key=key)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _attachment(filename: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = "".join(letter for letter in ascii_name if letter.isprintable() and letter not in '"\\/')
    return f"attachment; filename=\"{plain or 'download'}\"; filename*=UTF-8''{quote(filename, safe='')}"


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
