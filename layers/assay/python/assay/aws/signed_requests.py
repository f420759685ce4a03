"""Signed requests to AWS over connections that are kept, without a client of boto3's, which takes 0.3 s of a start.

A function's environment is the plain case: credentials and a region of the public partition in the environment, and no
other setting. Whatever else is configured is for boto3 to understand: `find_access` returns None there.
The signature is Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import os
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

import botocore

IN_FUNCTION: Final = "AWS_LAMBDA_RUNTIME_API"
"""Lambda tells its functions by this variable where their events are."""
CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 20
_KEY, _SECRET, _TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
_REGION, _ENDPOINT = "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"
_PLAIN: Final = re.compile(
    r"_X_AMZN_.*|AWS_(LAMBDA_.*|XRAY_.*|SAM_LOCAL|EXECUTION_ENV|ACCOUNT_ID|ACCESS_KEY|REGION|DEFAULT_REGION|ENDPOINT_URL"
    r"|ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|EC2_METADATA_DISABLED|ENDPOINT_URL_(S3|DYNAMODB))"
)
_ODD: Final = re.compile(
    r"(AWS|BOTO)_.*|(HTTPS?|ALL)_PROXY|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)", re.IGNORECASE
)
_PUBLIC: Final = re.compile(r"(af|ap|ca|eu|il|me|mx|sa|us)-(north|south|east|west|central)+-\d")
"""Regions whose hosts are SERVICE.REGION.amazonaws.com."""
_FIRST: Final = ("s3", "us-east-1")
"""Whose host boto3 writes without the region."""
_FILES: Final = ("~/.aws/config", "~/.aws/credentials", "~/.boto", "/etc/boto.cfg")
_EMPTY: Final = sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Access:
    """Where a service is asked, as scheme, host and path before all others, and whether by a custom endpoint."""

    service: str
    region: str
    scheme: str
    host: str
    custom: bool = False


def find_access(service: str, environ: Mapping[str, str] = os.environ) -> Access | None:
    """Return where a function asks a service; None where that, or how, is for boto3 to find out."""
    if not environ.get(IN_FUNCTION) or not environ.get(_KEY) or not environ.get(_SECRET):
        return None
    if any(value and _ODD.fullmatch(name) and not _PLAIN.fullmatch(name) for name, value in environ.items()):
        return None
    region = environ.get(_REGION, "")
    if not _PUBLIC.fullmatch(region) or any(Path(file).expanduser().exists() for file in _FILES):
        return None
    endpoint = urlsplit(environ.get(f"{_ENDPOINT}_{service.upper()}") or environ.get(_ENDPOINT) or "")
    if not endpoint.netloc:
        place = service if (service, region) == _FIRST else f"{service}.{region}"
        return Access(service, region, "https", f"{place}.amazonaws.com")
    plain = endpoint.scheme in {"http", "https"} and endpoint.path in {"", "/"} and "@" not in endpoint.netloc
    return Access(service, region, endpoint.scheme, endpoint.netloc, custom=True) if plain else None


def sign(
    access: Access, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", moment: float | None = None
) -> dict[str, str]:
    """Return the headers with those that sign a request; `host` is among them, `target` is a quoted path and query."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
    digest = sha256(body).hexdigest() if body else _EMPTY
    given = {name.lower(): value for name, value in headers.items()} | {"x-amz-date": stamp}
    if access.service == "s3":
        given["x-amz-content-sha256"] = digest
    if token := os.environ.get(_TOKEN):
        given["x-amz-security-token"] = token
    names = ";".join(sorted(given))
    path, _, query = target.partition("?")
    lines = [f"{name}:{' '.join(given[name].split())}" for name in sorted(given)]
    canonical = "\n".join([method, path, query, *lines, "", names, digest])
    scope = f"{stamp[:8]}/{access.region}/{access.service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + os.environ[_SECRET].encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{os.environ[_KEY]}/{scope}"
    given["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return given


def quote_query(values: Mapping[str, str]) -> str:
    """Return a query as signatures want it: by name, everything quoted."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(values.items()))


class Connections:
    """Connections to one host, each used by one thread at a time and kept for the next."""

    def __init__(self, scheme: str, host: str, *, connect: float = CONNECT_SECONDS, read: float = READ_SECONDS) -> None:
        self._secure, self._host, self._connect, self._read = scheme == "https", host, connect, read
        self._idle: list[HTTPConnection] = []

    def ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> "SignedAnswer":
        """Send a request and return its answer, whose body is still to be read. Raises OSError, HTTPException.

        A connection that was kept may have been closed meanwhile: then a new one is tried.
        """
        while self._idle:
            try:
                return self._send(self._idle.pop(), method, target, headers, body)
            except (OSError, HTTPException):
                continue
        return self._send(self._open(), method, target, headers, body)

    def keep(self, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read whole."""
        self._idle.append(connection)

    def _open(self) -> HTTPConnection:
        made = (
            HTTPSConnection(self._host, timeout=self._connect, context=_trust())
            if self._secure
            else HTTPConnection(self._host, timeout=self._connect)
        )
        made.connect()
        made.sock.settimeout(self._read)
        return made

    def _send(
        self, connection: HTTPConnection, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> "SignedAnswer":
        try:
            connection.request(method, target, body or None, dict(headers))
            return SignedAnswer(self, connection, connection.getresponse())
        except BaseException:
            connection.close()
            raise


@cache
def _trust() -> ssl.SSLContext:
    """Return the authorities that botocore trusts."""
    return ssl.create_default_context(cafile=str(Path(botocore.__file__).with_name("cacert.pem")))


class SignedAnswer:
    """An answer: status and headers, and a body of `size` bytes (None where it is not said) that is read from it."""

    def __init__(self, pool: Connections, connection: HTTPConnection, response: HTTPResponse) -> None:
        self._pool, self._connection, self._response = pool, connection, response
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.size = self._left = response.length

    def read(self, most: int | None = None) -> bytes:
        """Return the next bytes, at most so many; none at the end. Raises OSError, HTTPException."""
        data = self._response.read(most)
        self._left = self._left and self._left - len(data)
        return data

    def close(self) -> None:
        """Let go of the connection: it is kept where all of the answer was read."""
        if self._left == 0 and self._response.isclosed() and not self._response.will_close:
            self._pool.keep(self._connection)
        else:
            self._connection.close()
