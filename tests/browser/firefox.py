"""Firefox, driven over Marionette: the protocol that Firefox itself speaks on a socket, without another program."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

SECONDS: Final = 60
_NAMES: Final = (os.environ.get("FIREFOX", ""), "firefox-esr", "firefox")


def find_firefox() -> str | None:
    """Return where Firefox lies, None if there is none."""
    return next((found for name in _NAMES if name and (found := shutil.which(name))), None)


class Firefox:
    """A headless Firefox."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._calls = 0
        self._receive()  # its greeting
        self.call("WebDriver:NewSession")

    @classmethod
    @contextmanager
    def run(cls, program: str, profile: Path) -> Iterator[Self]:
        """Start Firefox with a new profile, end it at the end."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n', encoding="utf-8")
        command = [program, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdout=quiet, stderr=quiet, env={**os.environ, "HOME": str(profile)}) as process:
            try:
                with _connect(port) as stream:
                    yield cls(stream)
            finally:
                process.terminate()

    def go(self, address: str) -> None:
        """Open an address."""
        self.call("WebDriver:Navigate", url=address)

    def ask(self, script: str, *values: object) -> Any:
        """Return what a function's body returns."""
        return self.call("WebDriver:ExecuteScript", script=script, args=values)["value"]

    def wait(self, script: str) -> Any:
        """Return what a function's body returns as soon as that is true. Raises TimeoutError."""
        until = time.monotonic() + SECONDS
        while not (found := self.ask(script)):
            if time.monotonic() > until:
                raise TimeoutError(script)
            time.sleep(0.1)
        return found

    def call(self, name: str, **given: Any) -> Any:
        """Call a command of WebDriver. Raises RuntimeError with what Firefox says of it."""
        self._calls += 1
        message = json.dumps([0, self._calls, name, given]).encode()
        self._stream.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        if error:
            raise RuntimeError(f"{name}: {error['message']}")
        return result

    def _receive(self) -> Sequence[Any]:
        length = b""
        while not length.endswith(b":"):
            length += self._read(1)
        found: Sequence[Any] = json.loads(self._read(int(length[:-1])))
        return found

    def _read(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self._stream.recv(count - len(found))
            if not piece:
                raise ConnectionError("Firefox has gone")
            found += piece
        return found


def _connect(port: int) -> socket.socket:
    until = time.monotonic() + SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
