"""S3's GetObject as boto3's client answers it, without that client: a cold start needs no other call of S3.

What is not a plain read of a plain key, and every answer but the object (404, 403, 5xx, a redirect), is for boto3's
client: it asks again, tries again, and says what is wrong.
"""

import base64
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha1, sha256
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    ClientError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from assay.aws.signed_requests import Access, Connections, SignedAnswer, quote_query, sign

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BUCKET: Final = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)(?<!--x-s3)(?<!--table-s3)"
)
_NAME: Final = re.compile(r"(?!.*(?:^|/)\.{0,2}(?:/|$))[A-Za-z0-9._~/-]+")
"""Keys that no quoting and no tidying of paths changes."""
_HEADERS: Final = {"Range": "range", "IfMatch": "if-match", "IfNoneMatch": "if-none-match"}
_KNOWN: Final = frozenset({"Bucket", "Key", "VersionId", "ChecksumMode", *_HEADERS})
_WHOLE, _PART, _UNCHANGED = 200, 206, 304


class QuickS3:
    """S3's client: GetObject is asked for here, all else through boto3's client, made when it is first needed."""

    def __init__(self, access: Access, make: "Callable[[], S3Client]") -> None:
        self._access, self._make = access, make
        self._pools: dict[str, Connections] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)

    def get_object(self, **wanted: str) -> Mapping[str, Any]:
        """Return an object as boto3's client does. Raises as it does."""
        reply = self._ask(wanted) if wanted.keys() <= _KNOWN else None
        return reply if reply is not None else self._make().get_object(**wanted)  # type: ignore[arg-type]

    def _ask(self, wanted: Mapping[str, str]) -> Mapping[str, Any] | None:
        """Return the reply, None if there is none to return."""
        bucket, key = wanted["Bucket"], wanted["Key"]
        if not _BUCKET.fullmatch(bucket) or not _NAME.fullmatch(key):
            return None
        host = self._access.host if self._access.custom else f"{bucket}.{self._access.host}"
        target = f"/{bucket}/{key}" if self._access.custom else f"/{key}"
        if "VersionId" in wanted:
            target += "?" + quote_query({"versionId": wanted["VersionId"]})
        headers = {"host": host} | {header: wanted[name] for name, header in _HEADERS.items() if name in wanted}
        if "ChecksumMode" in wanted:
            headers["x-amz-checksum-mode"] = wanted["ChecksumMode"]
        pool = self._pools.setdefault(host, Connections(self._access.scheme, host))
        try:
            answer = pool.ask("GET", target, sign(self._access, "GET", target, headers))
        except (OSError, HTTPException):
            return None
        return _reply(answer, f"{self._access.scheme}://{host}{target}")


def _reply(answer: SignedAnswer, url: str) -> Mapping[str, Any] | None:
    """Return an answer as boto3's client has it, None where it is not the object."""
    if answer.status == _UNCHANGED:
        answer.read()
        answer.close()
        said = {"Error": {"Code": "304", "Message": "Not Modified"}, "ResponseMetadata": {"HTTPStatusCode": 304}}
        raise ClientError(said, "GetObject")  # type: ignore[arg-type]
    headers = answer.headers
    if answer.status not in {_WHOLE, _PART} or answer.size is None or "etag" not in headers:
        answer.close()
        return None
    optional = {"ContentRange": "content-range", "VersionId": "x-amz-version-id"}
    return {
        "Body": ObjectBody(answer, url),
        "ETag": headers["etag"],
        "ContentLength": answer.size,
        "ContentType": headers.get("content-type", ""),
        "Metadata": {
            name.removeprefix("x-amz-meta-"): value for name, value in headers.items() if name.startswith("x-amz-meta-")
        },
        "ResponseMetadata": {"HTTPStatusCode": answer.status, "HTTPHeaders": headers},
        **{name: headers[header] for name, header in optional.items() if header in headers},
    }


class ObjectBody:
    """The body of an answer, held to its length, and to its checksum where the whole object was asked for with it."""

    def __init__(self, answer: SignedAnswer, url: str) -> None:
        self._answer, self._url, self._given, self._size = answer, url, 0, answer.size
        self._check = _find_check(answer.headers) if answer.status == _WHOLE else None

    def read(self, amt: int | None = None) -> bytes:
        """Return the next bytes, at most `amt`. Raises botocore's errors of reading."""
        try:
            data = self._answer.read(amt)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self._url, error=error) from error
        except (OSError, HTTPException) as error:
            raise ResponseStreamingError(error=error) from error
        self._given += len(data)
        if self._check:
            self._check.update(data)
        if amt is None or (amt > 0 and len(data) < amt):
            self._require_end()
        return data

    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]:
        """Yield the rest, in chunks."""
        while chunk := self.read(chunk_size):
            yield chunk

    def close(self) -> None:
        """Let go of the connection."""
        self._answer.close()

    def _require_end(self) -> None:
        if self._given != self._size:
            raise IncompleteReadError(actual_bytes=self._given, expected_bytes=self._size or 0)
        if self._check:
            self._check.require()


class _Check:
    """A checksum on its way: S3's value, and what the bytes so far come to."""

    def __init__(self, name: str, expected: str) -> None:
        self._name, self._expected = name, expected
        self._crc, self._hash = 0, {"sha1": sha1, "sha256": sha256}.get(name, sha256)()

    def update(self, data: bytes) -> None:
        if self._name == "crc32":
            self._crc = zlib.crc32(data, self._crc)
        else:
            self._hash.update(data)

    def require(self) -> None:
        """Raise FlexibleChecksumError unless the bytes are those that S3 holds."""
        found = self._crc.to_bytes(4, "big") if self._name == "crc32" else self._hash.digest()
        if base64.b64encode(found).decode() != self._expected:
            said = f"Expected checksum {self._expected} did not match calculated checksum"
            raise FlexibleChecksumError(error_msg=said)


def _find_check(headers: Mapping[str, str]) -> _Check | None:
    """Return the first checksum that can be computed here; one of parts says nothing of the whole."""
    for name in ("crc32", "sha256", "sha1"):
        value = headers.get(f"x-amz-checksum-{name}", "")
        if value and "-" not in value:
            return _Check(name, value)
    return None
