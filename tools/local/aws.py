"""moto's server in this process, with S3 notifications sent after the write has been answered, as S3 does."""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import moto.s3.notifications
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

from tools.local.events import Created
from tools.local.invocations import Call, Invocations
from tools.local.posts import Posts
from tools.local.servers import App, Quiet, Server

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
                self._notify(_created(event, bucket, key))


def _created(event: str, bucket: str, key: Any) -> Created:
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
