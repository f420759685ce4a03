"""Threaded WSGI servers on this machine, with errors that say what to do when a port is taken."""

import errno
import fcntl
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

_SIOCGIFADDR = 0x8915
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


class PortInUse(Exception):
    """Another program listens on the port."""


class Quiet(WSGIRequestHandler):
    """A request handler that keeps connections open and leaves logging to the application."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""

    def log_error(self, format: str, *args: object) -> None:
        """Log nothing: a client that hangs up is its own business."""


class Server:
    """A WSGI application served on threads of this process until stopped."""

    def __init__(self, app: App, listener: socket.socket, handler: type[WSGIRequestHandler] = Quiet) -> None:
        host, self.port = listener.getsockname()[:2]
        self._listener = listener
        self._server: BaseWSGIServer = make_server(
            host, self.port, app, threaded=True, request_handler=handler, fd=listener.fileno()
        )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._listener.close()
        self._thread.join(2)


def listen(host: str, port: int) -> socket.socket:
    """Bind a port; 0 takes any free one."""
    return socket.create_server((host, port), backlog=128)


def bridge() -> str | None:
    """Return this machine's address on Docker's bridge, where containers meet it and the network does not."""
    name = struct.pack("256s", b"docker0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            return socket.inet_ntoa(fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, name)[20:24])
        except OSError:
            return None


def listen_or_explain(host: str, port: int, option: str) -> socket.socket:
    """Bind a port; where it is taken, raise PortInUse that names the option to change."""
    try:
        return listen(host, port)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            message = f"port {port} on {host} is not free ({error.strerror}): choose another with {option}"
            raise PortInUse(message) from error
        raise


def listen_or_any(host: str, port: int) -> socket.socket:
    """Bind a port, or any free one where it is taken."""
    try:
        return listen(host, port)
    except OSError:
        return listen(host, 0)
