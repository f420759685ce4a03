"""Check a presigned POST against its policy and signature, as S3 does. Pure.

Source: docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html, sigv4-authentication-HTTPPOST.html.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import IO, Any, Final
from urllib.parse import unquote

import boto3
from botocore.exceptions import BotoCoreError

from tools.local.servers import App

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNCOVERED: Final = frozenset({"x-amz-signature", "signature", "awsaccesskeyid", "policy", "file"})
"""Fields that no condition has to name."""


class FormRefused(Exception):
    """S3 would not take the form: `status` and `code` as it answers them."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted to a bucket: its fields by lower-case name, the file's name and its size in bytes."""

    bucket: str
    fields: Mapping[str, str]
    filename: str
    size: int

    @property
    def key(self) -> str:
        """Return the key of the object that it makes."""
        return self.fields.get("key", "").replace("${filename}", self.filename)


def hold_form(form: Form, secrets: Mapping[str, str], now: datetime) -> None:
    """Raise FormRefused unless a form is signed by one of the keys and is what its policy allows, at that time.

    `secrets` are those of the access keys that there are.
    """
    if "policy" not in form.fields:
        raise FormRefused(403, "AccessDenied", "Access Denied: the form has no policy")
    _hold_signature(form.fields, secrets)
    policy = _read(form.fields["policy"])
    if _time(policy.get("expiration")) <= now:
        raise _invalid("Policy expired.")
    covered = {name for condition in policy["conditions"] for name in _hold_condition(condition, form)}
    extra = sorted(set(form.fields) - covered - _UNCOVERED)
    extra = [name for name in extra if not name.startswith("x-ignore-")]
    if extra:
        raise _invalid(f"Extra input fields: {', '.join(extra)}")
    if "key" not in form.fields:
        raise FormRefused(400, "InvalidArgument", "Bucket POST must contain a field named 'key'.")


def _hold_signature(fields: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    if fields.get("x-amz-algorithm") == ALGORITHM:
        scope = fields.get("x-amz-credential", "").split("/")
        expected, given = _sign(fields, scope, secrets), fields.get("x-amz-signature", "")
    else:
        secret = _secret(fields.get("awsaccesskeyid", ""), secrets)
        digest = hmac.new(secret.encode(), fields["policy"].encode(), hashlib.sha1).digest()
        expected, given = base64.b64encode(digest).decode(), fields.get("signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        message = "The request signature we calculated does not match the signature you provided."
        raise FormRefused(403, "SignatureDoesNotMatch", message)


def _sign(fields: Mapping[str, str], scope: list[str], secrets: Mapping[str, str]) -> str:
    if len(scope) != 5 or scope[3:] != ["s3", "aws4_request"] or scope[1] != fields.get("x-amz-date", "")[:8]:
        raise FormRefused(403, "AccessDenied", "The credential of the form is not one for S3 of its date.")
    signed = b"AWS4" + _secret(scope[0], secrets).encode()
    for part in scope[1:]:
        signed = hmac.new(signed, part.encode(), hashlib.sha256).digest()
    return hmac.new(signed, fields["policy"].encode(), hashlib.sha256).hexdigest()


def _secret(access_key: str, secrets: Mapping[str, str]) -> str:
    if not access_key:
        raise FormRefused(403, "AccessDenied", "Access Denied: the form is not signed")
    if access_key not in secrets:
        raise FormRefused(
            403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        )
    return secrets[access_key]


def _read(encoded: str) -> dict[str, Any]:
    try:
        policy = json.loads(base64.b64decode(encoded, validate=True))
        if isinstance(policy, dict) and isinstance(policy.get("conditions"), list):
            return policy
    except (binascii.Error, ValueError):
        pass
    raise FormRefused(400, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")


def _time(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        raise FormRefused(400, "InvalidPolicyDocument", "Invalid Policy: Invalid 'expiration' value.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _hold_condition(condition: Any, form: Form) -> list[str]:
    """Return the names of the fields that a condition covers. Raises FormRefused where it does not hold."""
    match condition:
        case dict():
            for name, value in condition.items():
                _hold(form, name.lower(), str(value), condition, whole=True)
            return [name.lower() for name in condition]
        case ["content-length-range", least, most]:
            if form.size > int(most):
                raise FormRefused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            if form.size < int(least):
                raise FormRefused(
                    400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"
                )
            return []
        case ["eq" | "starts-with" as kind, str(field), str(value)]:
            name = field.removeprefix("$").lower()
            _hold(form, name, value, condition, whole=kind == "eq")
            return [name]
    raise FormRefused(400, "InvalidPolicyDocument", f"Invalid Policy: Invalid Simple-Condition: {condition!r}")


def _hold(form: Form, name: str, value: str, condition: object, *, whole: bool) -> None:
    given = {"bucket": form.bucket, "key": form.key}.get(name, form.fields.get(name, ""))
    literal = form.fields.get(name, given)  # a policy may have spelled ${filename} out, too
    if not any(each == value if whole else each.startswith(value) for each in (given, literal)):
        raise _invalid(f"Policy Condition failed: {json.dumps(condition)}")


def _invalid(why: str) -> FormRefused:
    return FormRefused(403, "AccessDenied", f"Invalid according to Policy: {why}")


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
                hold_form(_read_form(bucket[1], environ, copy), self._secrets, datetime.now(UTC))
            except FormRefused as error:
                yield _refuse(error, start_response)
                return
            copy.seek(0)
            yield from self._app({**environ, "wsgi.input": copy}, start_response)


def find_secrets() -> dict[str, str]:
    """Return the secrets of this machine's keys, and of the user who starts the service: containers may have those."""
    try:
        found = boto3.Session().get_credentials()
    except BotoCoreError:
        found = None
    return {**LOCAL, **({found.access_key: found.secret_key} if found else {})}


def _type(environ: Mapping[str, Any]) -> str:
    return str(environ.get("CONTENT_TYPE", ""))


def _read_form(bucket: str, environ: Mapping[str, Any], copy: IO[bytes]) -> Form:
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
