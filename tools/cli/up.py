"""`assay up`: run the whole service until Ctrl-C."""

import argparse
import io
import signal
import sys
import threading
from pathlib import Path
from typing import Final, TextIO

from tools.local.servers import PortInUse
from tools.local.service import LocalService, Options, log
from tools.paths import ROOT

_METRICS: Final = ('{"_aws":', '{"service":')


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    command.add_argument("--port", type=_port, default=3000, help="port of the HTTP front, 0 for any (default 3000)")
    command.add_argument(
        "--s3-port", type=_port, help="port of S3, DynamoDB, SQS (default 4566, or any if that is taken)"
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets containers in")
    command.add_argument(
        "--log-level",
        default="WARNING",
        help="least severity of the functions' log lines (default WARNING); DEBUG shows metrics too",
    )
    command.add_argument("--template", type=Path, help="the template to run; functions/ and models/ lie beside it")
    parameter = "override a parameter of template.yaml, e.g. ModelRefreshSeconds=1; may be repeated"
    command.add_argument("--parameter", action="append", default=[], type=_pair, metavar="NAME=VALUE", help=parameter)
    key = "want this key of every call (default: want none); may be repeated: any of them will do"
    command.add_argument("--api-key", action="append", default=[], metavar="KEY", help=key)
    command.set_defaults(run=up)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not a port (0 to 65535)")
    return port


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


class WithoutMetrics(io.TextIOBase):
    """Passes on what functions print, except what CloudWatch counts and searches: the gateway tells of each call."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._left_out = threading.local()

    def write(self, text: str) -> int:
        """Write a text; `print` writes the end of a line by itself, which goes with its line."""
        dropped = text.startswith(_METRICS) or (text == "\n" and getattr(self._left_out, "line", False))
        self._left_out.line = text.startswith(_METRICS) and not text.endswith("\n")
        if not dropped:
            self._out.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush what lies behind."""
        self._out.flush()


def up(options: argparse.Namespace) -> int:
    """Run the service until SIGINT or SIGTERM; 1 if a port is taken."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    # The functions log to standard output; here that belongs to the lines that scripts wait for.
    answers, sys.stdout = sys.stdout, sys.stderr if options.log_level == "DEBUG" else WithoutMetrics(sys.stderr)
    try:
        with LocalService(_options(options)) as service:
            print(service.banner(), file=answers, flush=True)
            stopped.wait()
    except PortInUse as error:
        log(f"error: {error}")
        return 1
    return 0


def _options(options: argparse.Namespace) -> Options:
    return Options(
        port=options.port,
        s3_port=options.s3_port,
        host=options.host,
        log_level=options.log_level,
        template=options.template or ROOT / "template.yaml",
        parameters=dict(options.parameter),
        api_keys=tuple(options.api_key),
    )
