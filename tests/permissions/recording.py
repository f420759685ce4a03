"""What each function asks of AWS while its handler runs; a presigned link counts as the call that it allows."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import pytest

from assay.aws import clients

Call = tuple[str, str, dict[str, Any]]
Handler = Callable[[dict[str, Any], Any], Any]


@dataclass
class Recorder:
    """The calls of each function, by its name in the template. One function runs at a time, on as many threads."""

    calls: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    _running: str = ""
    _turn: Any = field(default_factory=threading.RLock)

    @contextmanager
    def of(self, function: str) -> Iterator[None]:
        """Count what is asked meanwhile as the function's."""
        with self._turn:
            before, self._running = self._running, function
            try:
                yield
            finally:
                self._running = before

    def handler(self, function: str, handler: Handler) -> Handler:
        """Return a function's handler, recorded."""

        def recorded(event: dict[str, Any], context: Any) -> Any:
            with self.of(function):
                return handler(event, context)

        return recorded

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Record every client that is made from now on, and no other: moto makes clients too."""
        clients.forget()
        patch.setattr(clients, "_client", cache(self._client))
        patch.setattr(clients, "hasty_table_client", cache(lambda: self._client("dynamodb")))
        patch.setattr("assay.jobs.environment.hasty_table_client", clients.hasty_table_client)

    def _client(self, service: str) -> Any:
        return self._watched(boto3.client(service, config=clients._config(service)), service)  # type: ignore[call-overload]

    def _watched(self, client: Any, service: str) -> Any:
        def called(params: dict[str, Any], model: Any, **_: Any) -> None:
            if model.name != "CreateBucket":  # as which botocore signs a presigned POST
                self._add(service, model.name, params)

        client.meta.events.register("provide-client-params", called)  # presigned GETs pass here too
        if service == "s3":
            self._watch_posts(client)
        return client

    def _watch_posts(self, client: Any) -> None:
        post = client.generate_presigned_post

        def posted(bucket: str, key: str, **options: Any) -> Any:
            self._add("s3", "PutObject", {"Bucket": bucket, "Key": key})
            return post(bucket, key, **options)

        client.generate_presigned_post = posted

    def _add(self, service: str, operation: str, given: dict[str, Any]) -> None:
        if self._running:
            self.calls[self._running].append((service, operation, dict(given)))
