"""moto's server in this process; like S3, it sends a notification after it has answered the write."""

import json
import re
import socket
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import moto.s3.notifications
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

from tools.local.events import Created
from tools.local.presigned_posts import Posts
from tools.local.servers import App, Quiet, Server
from tools.local.stack import Stack
from tools.template import ACCOUNT

_PATH = re.compile(r"/2015-03-31/functions/(?P<name>[^/]+)/invocations/?")

Call = Callable[[str, Any], Any]


class UnknownFunction(Exception):
    """The template has no function of that name."""


class Invocations:
    """A WSGI layer that answers Invoke and passes everything else on.

    `call(name, event)` waits for a function's reply, `send(name, event)` queues an event; both raise
    UnknownFunction.
    """

    def __init__(self, app: App, call: Call, send: Call) -> None:
        self._app = app
        self._call = call
        self._send = send

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer an Invoke, or let the next application answer."""
        found = _PATH.fullmatch(unquote(str(environ.get("PATH_INFO", ""))))
        if found is None or environ["REQUEST_METHOD"] != "POST":
            return self._app(environ, start_response)
        status, headers, body = self._invoke(_function_name(found["name"]), environ)
        start_response(status, [*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _invoke(self, name: str, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        event = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        try:
            if environ.get("HTTP_X_AMZ_INVOCATION_TYPE") == "Event":
                self._send(name, event)
                return "202 Accepted", [], b""
            return "200 OK", [], json.dumps(self._call(name, event)).encode()
        except UnknownFunction:
            message = json.dumps({"Type": "User", "Message": f"Function not found: {name}"}).encode()
            return "404 Not Found", [("x-amzn-ErrorType", "ResourceNotFoundException")], message
        except Exception as error:
            return "200 OK", [("X-Amz-Function-Error", "Unhandled")], _failure(error)


def _function_name(identifier: str) -> str:
    """Return the name in a function's name, ARN or qualified ARN."""
    return identifier.split(":")[6] if identifier.startswith("arn:") else identifier.split(":")[0]


def _failure(error: Exception) -> bytes:
    trace = traceback.format_exception(error)
    return json.dumps({"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}).encode()


Notify = Callable[[Created], None]


class _Handler(Quiet, MotoRequestHandler):  # type: ignore[misc] # moto has no types
    """moto's request handler (it keeps the spelling of metadata names), without a log line a request."""


class Notifications:
    """A WSGI layer around moto that holds a request's S3 events until its response has been sent.

    moto fires them in the middle of the write, before the metadata is set, so its sender is replaced by a note on
    the request's own thread; the note becomes a notification once the write is complete.
    """

    def __init__(self, app: App, notify: Notify) -> None:
        self._app = app
        self._notify = notify
        self._noted = threading.local()
        moto.s3.notifications.send_event = self._note

    def _note(self, account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
        if not event_name.value.startswith("s3:ObjectCreated:"):
            return
        # One event a key: completing a multipart upload is noted as a Put, then as what it is.
        self._noted.events = {**getattr(self._noted, "events", {}), (bucket.name, key.name): (event_name.value, key)}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer with moto, then notify."""
        self._noted.events = {}
        try:
            yield from self._app(environ, start_response)
        finally:
            for (bucket, _), (event, key) in self._noted.events.items():
                self._notify(_read_created(event, bucket, key))


def _read_created(event: str, bucket: str, key: Any) -> Created:
    version = key.version_id if key.version_id not in (None, "null") else None
    return Created(event, bucket, key.name, int(key.size), key.etag.strip('"'), version)


def serve(
    listeners: Iterable[socket.socket], notify: Notify, call: Call, send: Call, secrets: Mapping[str, str]
) -> list[Server]:
    """Serve S3, DynamoDB, SQS, Step Functions and Lambda's Invoke; `notify` gets every S3 object created.

    Presigned forms are held to their policies, signed with one of the `secrets` by access key.
    """
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    moto_app = DomainDispatcherApplication(create_backend_app)
    app = Invocations(Posts(Notifications(moto_app, notify), secrets), call, send)
    return [Server(app, listener, _Handler) for listener in listeners]


_TABLE_KEYS = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes")


def create_buckets(s3: Any, stack: Stack) -> None:
    """Create every bucket, versioned and with CORS where the template says so."""
    for properties in stack.buckets.values():
        name = str(properties["BucketName"])
        s3.create_bucket(Bucket=name)
        versioning = properties.get("VersioningConfiguration", {})
        if versioning:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning["Status"]})


def create_tables(dynamodb: Any, stack: Stack) -> None:
    """Create every DynamoDB table, billed by request, with its time-to-live attribute."""
    for properties in stack.tables.values():
        name = str(properties["TableName"])
        keys = {key: properties[key] for key in _TABLE_KEYS if key in properties}
        dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **keys)
        if expiry := properties.get("TimeToLiveSpecification"):
            specification = {"AttributeName": expiry["AttributeName"], "Enabled": True}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def create_queues(sqs: Any, stack: Stack) -> dict[str, str]:
    """Create every queue; return their URLs by name."""
    names = [str(properties["QueueName"]) for properties in stack.queues.values()]
    return {name: str(sqs.create_queue(QueueName=name)["QueueUrl"]) for name in names}


def create_machines(states: Any, stack: Stack, root: Path) -> None:
    """Create every state machine from its definition file and substitutions."""
    role = f"arn:aws:iam::{ACCOUNT}:role/local"
    for properties in stack.machines.values():
        states.create_state_machine(name=properties["Name"], definition=_definition(properties, root), roleArn=role)


def _definition(properties: Mapping[str, Any], root: Path) -> str:
    text = json.dumps(properties["Definition"]) if "Definition" in properties else _file(root, properties)
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace("${" + name + "}", str(value))
    return text


def _file(root: Path, properties: Mapping[str, Any]) -> str:
    return (root / str(properties["DefinitionUri"])).read_text(encoding="utf-8")
