"""Phases as subsegments of Lambda's own trace in X-Ray, sent to its daemon as one datagram each.

Lambda says in the environment whether an invocation is traced and where the daemon listens; where it is not, a span
costs one look into the environment. AWS's SDK for it is left out: it would add to each cold start.
"""

import json
import os
import secrets
import socket
import time
from collections.abc import Mapping
from functools import cache
from typing import Final

_HEADER: Final = b'{"format":"json","version":1}\n'
_TRACE: Final = "_X_AMZN_TRACE_ID"
_DAEMON: Final = "AWS_XRAY_DAEMON_ADDRESS"


def span(name: str, seconds: float, annotations: Mapping[str, str] | None = None) -> None:
    """Send a subsegment of so many seconds that ends now; nothing where the invocation is not traced."""
    trace = _trace(os.environ.get(_TRACE, ""))
    daemon = os.environ.get(_DAEMON, "")
    if trace.get("Sampled") != "1" or not {"Root", "Parent"} <= trace.keys() or ":" not in daemon:
        return
    ended = time.time()
    segment = {
        "type": "subsegment",
        "name": name,
        "id": secrets.token_hex(8),
        "trace_id": trace["Root"],
        "parent_id": trace["Parent"],
        "start_time": ended - seconds,
        "end_time": ended,
        "annotations": dict(annotations or {}),
    }
    _send(_HEADER + json.dumps(segment).encode(), daemon)


def _trace(header: str) -> dict[str, str]:
    """Return the parts of a trace header: `Root=1-...;Parent=...;Sampled=1`."""
    return dict(part.strip().split("=", 1) for part in header.split(";") if "=" in part)


def _send(datagram: bytes, daemon: str) -> None:
    host, _, port = daemon.rpartition(":")
    try:
        _socket().sendto(datagram, (host, int(port)))
    except (OSError, ValueError):
        return  # a trace is not worth a failure


@cache
def _socket() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.setblocking(False)
    return found
