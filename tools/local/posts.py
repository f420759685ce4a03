"""Forms posted to a bucket: held to their policies before moto, which takes any, sees them."""

import re
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import IO, Any, Final
from urllib.parse import unquote

import boto3
from botocore.exceptions import BotoCoreError

from tools.local.policies import Form, FormRefused, hold_form
from tools.local.servers import App

LOCAL: Final = {"local": "local", "defaultkey": "defaultsecret"}
"""Access keys of this machine: the service's own, and those that `sam local` gives its containers."""
_BUCKET: Final = re.compile(r"/([^/]+)/?")
_IN_MEMORY: Final = 16 << 20
_PIECE: Final = 1 << 16
_STATUS: Final = {400: "400 Bad Request", 403: "403 Forbidden"}


class Posts:
    """A WSGI layer that answers a form that S3 would refuse, and passes everything else on.

    `secrets` are those of the access keys that there are; a form that another has signed is refused.
    """

    def __init__(self, app: App, secrets: Mapping[str, str]) -> None:
        self._app = app
        self._secrets = secrets

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        bucket = _BUCKET.fullmatch(unquote(str(environ.get("PATH_INFO", ""))))
        posted = environ["REQUEST_METHOD"] == "POST" and _type(environ).startswith("multipart/form-data")
        if not bucket or not posted:
            yield from self._app(environ, start_response)
            return
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
            try:
                hold_form(_read(bucket[1], environ, copy), self._secrets, datetime.now(UTC))
            except FormRefused as error:
                yield _refuse(error, start_response)
                return
            copy.seek(0)
            yield from self._app({**environ, "wsgi.input": copy}, start_response)


def find_secrets() -> dict[str, str]:
    """Return the secrets of this machine's own keys, and of whoever starts the service: containers may have theirs."""
    try:
        found = boto3.Session().get_credentials()
    except BotoCoreError:
        found = None
    return {**LOCAL, **({found.access_key: found.secret_key} if found else {})}


def _type(environ: Mapping[str, Any]) -> str:
    return str(environ.get("CONTENT_TYPE", ""))


def _read(bucket: str, environ: Mapping[str, Any], copy: IO[bytes]) -> Form:
    """Copy a body to where it can be read again; return the form that it is, up to its file. Raises FormRefused."""
    from multipart import MultipartError, PushMultipartParser, parse_options_header  # type: ignore[import-untyped]

    boundary = parse_options_header(_type(environ))[1].get("boundary", "")
    try:
        with PushMultipartParser(boundary) as parser:
            found = _Fields(bucket)
            for piece in _pieces(environ):
                copy.write(piece)
                for event in () if parser.closed else parser.parse(piece):
                    found.add(event)
    except (MultipartError, ValueError) as error:
        raise FormRefused(
            400, "MalformedPOSTRequest", f"The body is not well-formed multipart/form-data: {error}"
        ) from None
    return found.read_form()


def _pieces(environ: Mapping[str, Any]) -> Iterable[bytes]:
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (piece := environ["wsgi.input"].read(min(left, _PIECE))):
        left -= len(piece)
        yield piece


class _Fields:
    """The fields of a form as they come; what stands behind the file is not looked at, as S3 does not."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._fields: dict[str, bytes] = {}
        self._name = self._filename = ""
        self._size = 0
        self._done = False

    def add(self, event: Any) -> None:
        """Take what the parser has found: the head of a part, bytes of it, or None for its end."""
        if self._done:
            return
        if event is None:
            self._done = self._name == "file"
        elif isinstance(event, bytes | bytearray):
            self._append(bytes(event))
        else:
            self._name = str(event.name).lower()
            self._filename = str(event.filename or "") if self._name == "file" else self._filename
            self._fields.setdefault(self._name, b"")

    def _append(self, data: bytes) -> None:
        if self._name == "file":
            self._size += len(data)
        else:
            self._fields[self._name] += data

    def read_form(self) -> Form:
        """Return the form. Raises FormRefused for one without a file."""
        if "file" not in self._fields:
            raise FormRefused(400, "InvalidArgument", "POST requires exactly one file upload per request.")
        fields = {name: value.decode("utf-8", "replace") for name, value in self._fields.items()}
        return Form(self._bucket, fields, self._filename, self._size)


def _refuse(error: FormRefused, start_response: Any) -> bytes:
    said = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{said}'.encode()
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    start_response(_STATUS[error.status], [*headers, ("Access-Control-Allow-Origin", "*")])
    return body
