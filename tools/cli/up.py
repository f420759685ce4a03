"""`assay up`: the whole service until Ctrl-C."""

import argparse
import signal
import sys
import threading

from tools.local.servers import PortInUse
from tools.local.service import LocalService, Options, log
from tools.paths import ROOT


def up(options: argparse.Namespace) -> int:
    """Run the service until SIGINT or SIGTERM; 1 if a port is taken."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    # The functions log to standard output; here that belongs to the lines that scripts wait for.
    answers, sys.stdout = sys.stdout, sys.stderr
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
