"""The local service: start and stop servers, resources, models, functions and triggers together."""

import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3

from tools.local import aws
from tools.local.aws import UnknownFunction
from tools.local.events import Created, s3_event
from tools.local.gateway import Gateway
from tools.local.lambdas import Local, Ticker, Worker, forget_credentials
from tools.local.presigned_posts import find_secrets
from tools.local.servers import Server, bridge, listen, listen_or_any, listen_or_explain
from tools.local.stack import Function, Stack, read_stack
from tools.paths import ROOT
from tools.template import REGION

DEFAULT_S3_PORT = 4566
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """How to start: ports (0 takes any), address, template and its parameters; quiet logs errors only.

    Calls need one of the `api_keys`, unless there are no keys.
    """

    port: int = 3000
    s3_port: int | None = None
    host: str = LOOPBACK
    template: Path = ROOT / "template.yaml"
    log_level: str = "INFO"
    quiet: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    retry_seconds: float = 1.0
    api_keys: tuple[str, ...] = ()


class LocalService:
    """A running service; use it as a context manager. Raises PortInUse when a port is taken."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.stack: Stack = read_stack(options.template, options.parameters)
        self._environment: dict[str, str] = {}
        self._locals = {name: self._local(each) for name, each in self.stack.functions.items()}
        self._ids = {function.name: name for name, function in self.stack.functions.items()}
        self._workers = {name: self._worker(local) for name, local in self._locals.items()}
        self._root = options.template.resolve().parent
        self._servers: list[Server] = []
        self._ticker = Ticker((), lambda *_: None)
        self._scratch = tempfile.TemporaryDirectory(prefix="assay-", ignore_cleanup_errors=True)

    def __enter__(self) -> Self:
        """Bind both ports first, so that a taken one is told before anything else starts."""
        try:
            front = listen_or_explain(self.options.host, self.options.port, "PORT=... (--port)")
            self._start_aws()
            self._publish_models()
            self.warm()
            invoke = self._call_logical
            log, keys = not self.options.quiet, self.options.api_keys
            gateway = Gateway(self.stack.routes, self.stack.rest, invoke, log=log, api_keys=keys)
            self._servers.append(Server(gateway, front))
            self._ticker = Ticker(self.stack.schedules, lambda name, event: self._workers[name].put(event))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self.stop()

    def stop(self) -> None:
        """Stop the servers, then the workers."""
        self._ticker.stop()
        for server in reversed(self._servers):
            server.stop()
        for worker in self._workers.values():
            worker.stop()
        self._scratch.cleanup()

    @property
    def url(self) -> str:
        """The address of the HTTP front."""
        return f"http://{LOOPBACK}:{self._servers[-1].port}"

    @property
    def endpoint(self) -> str:
        """The address of S3 and its neighbours."""
        return f"http://{LOOPBACK}:{self._servers[0].port}"

    def banner(self) -> str:
        """The two lines that say the service answers, and where."""
        uploads, results, models = (self.stack.bucket(word) for word in ("Uploads", "Results", "Models"))
        return f"ready {self.url}\nS3: {self.endpoint} uploads={uploads} results={results} models={models}"

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local AWS."""
        open_client: Any = boto3.client  # its stubs want a literal name
        return open_client(service, endpoint_url=self.endpoint, region_name=REGION)

    def warm(self) -> None:
        """Import the handlers, so that a broken one is told at start and not only at its first request."""
        for local in self._locals.values():
            try:
                local.load()
            except ImportError as error:
                log(f"warning: {error}")

    def _start_aws(self) -> None:
        self._servers += aws.serve(self._listeners(), self._notify, self._call_named, self._send_named, find_secrets())
        self._environment.update(environment(self._servers[0].port, self._scratch.name, self.options))
        os.environ.update(self._environment)
        forget_credentials()
        _prefer_sources(self._root)
        aws.create_buckets(self.client("s3"), self.stack)
        aws.create_tables(self.client("dynamodb"), self.stack)
        self._queues = aws.create_queues(self.client("sqs"), self.stack)
        if self.stack.machines:
            aws.create_machines(self.client("stepfunctions"), self.stack, self._root)

    def _listeners(self) -> list[socket.socket]:
        """Bind S3's port; on loopback also where this machine's containers, and nobody else, can reach it."""
        wanted, host = self.options.s3_port, self.options.host
        first = listen_or_any(host, DEFAULT_S3_PORT) if wanted is None else listen_or_explain(host, wanted, "--s3-port")
        address = bridge() if host == LOOPBACK else None
        if address is None:
            return [first]
        try:
            return [first, listen(address, first.getsockname()[1])]
        except OSError as error:
            log(f"warning: containers cannot reach S3: {error.strerror}")
            return [first]

    def _publish_models(self) -> None:
        from tools.models.shipped import publish_defaults

        publish_defaults(self.client("s3"), self.stack.bucket("Models"), self._root / "models")

    def _notify(self, created: Created) -> None:
        for trigger in self.stack.triggers:
            if trigger.matches(created.bucket, created.event, created.key):
                self._workers[trigger.function].put(s3_event(created))

    def _local(self, function: Function) -> Local:
        """Return what runs a function: here, its handler in this process."""
        return Local(function, self._environment)

    def _worker(self, local: Local) -> Worker:
        return Worker(local, self._dead_letter, self.options.retry_seconds)

    def _dead_letter(self, arn: str, body: str, attributes: Mapping[str, str]) -> None:
        url = self._queues[arn.rsplit(":", 1)[-1]]
        typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
        self.client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)

    def _call_logical(self, logical_id: str, event: Any) -> Any:
        return self._locals[logical_id].call(event)

    def _call_named(self, name: str, event: Any) -> Any:
        return self._locals[self._logical_id(name)].call(event)

    def _send_named(self, name: str, event: Any) -> None:
        self._workers[self._logical_id(name)].put(event)

    def _logical_id(self, name: str) -> str:
        if name not in self._ids:
            raise UnknownFunction(name)
        return self._ids[name]


def _prefer_sources(root: Path) -> None:
    """Run the code that lies beside another template, not this clone's."""
    if root != ROOT:
        sys.path[:0] = [str(root / source) for source in ("functions", "layers/assay/python")]


def environment(port: int, scratch: str, options: Options) -> dict[str, str]:
    """Return what the functions see here instead of AWS: the local endpoint, any credentials, no proxy."""
    direct = ",".join(filter(None, (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), LOOPBACK, "localhost")))
    return {
        "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{port}",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "MOTO_PORT": str(port),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "ASSAY_SCRATCH": scratch,
        "POWERTOOLS_LOG_LEVEL": "ERROR" if options.quiet else options.log_level,
        "POWERTOOLS_METRICS_DISABLED": str(options.quiet).lower(),
        "POWERTOOLS_SERVICE_NAME": "assay-local",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def log(message: str) -> None:
    """Write a line to standard error."""
    print(message, file=sys.stderr, flush=True)
