"""Stand-ins for AWS: a bucket served from a folder, as fast as this machine or slow in a known way, and a table.

As a program, `python -m benchmarks.objects FOLDER LATENCY RATE`, it says its port and serves until its input ends.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from assay.models.manifest import Pointer
from tools.models.shipped import newest

_PIECE = 1 << 18
_MISSING = b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"


class _Objects(BaseHTTPRequestHandler):
    """Answers `GET /models/models/NAME/...` from the folder `root`/NAME/...; the highest version serves."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    root = Path()
    latency = 0.0
    rate = float("inf")

    def do_GET(self) -> None:
        """Answer a GET, ranged or not, after `latency` seconds."""
        time.sleep(self.latency)
        key = unquote(urlsplit(self.path).path).removeprefix("/models/models/")
        file = self.root / key
        if key.endswith("/current.json") and file.parent.is_dir():
            self._small(200, Pointer(newest(self.root, file.parent.name).name).dumps())
        elif not file.is_file():
            self._small(404, _MISSING)
        else:
            self._file(file)

    def do_HEAD(self) -> None:
        """Say how large a file is."""
        time.sleep(self.latency)
        file = self.root / unquote(urlsplit(self.path).path).removeprefix("/models/models/")
        self._head(*((200, file.stat().st_size) if file.is_file() else (404, 0)))

    def _small(self, status: int, body: bytes) -> None:
        self._head(status, len(body))
        self.wfile.write(body)

    def _file(self, file: Path) -> None:
        size = file.stat().st_size
        asked = self.headers.get("Range")
        begin, _, end = asked[6:].partition("-") if asked else ("0", "", "")
        first, last = int(begin), min(int(end or size), size - 1)
        self._head(206 if asked else 200, last + 1 - first, f"bytes {first}-{last}/{size}")
        began, start = time.perf_counter(), first
        with file.open("rb") as source:
            while first <= last:
                most = last + 1 - first if self.rate == float("inf") else min(_PIECE, last + 1 - first)
                first += os.sendfile(self.connection.fileno(), source.fileno(), first, most)
                time.sleep(max(0.0, began + (first - start) / self.rate - time.perf_counter()))

    def _head(self, status: int, length: int, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("ETag", '"fixed"')
        if status == 206:
            self.send_header("Content-Range", content_range)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serve_objects(root: Path, host: str = "0.0.0.0", latency: float = 0.0, rate: float = float("inf")) -> Iterator[int]:
    """Serve the bundles under a folder until the block ends; gives the port. `rate`: bytes a second and connection."""
    handler = type("Objects", (_Objects,), {"root": root, "latency": latency, "rate": rate})
    server = ThreadingHTTPServer((host, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def serve_apart(root: Path, latency: float, rate: float) -> Iterator[str]:
    """Serve from a separate process, as S3 shares none with a function, until the block ends; gives the address."""
    command = [sys.executable, "-m", "benchmarks.objects", str(root), str(latency), str(rate)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def main() -> None:
    """Serve until the input ends."""
    folder, latency, rate = sys.argv[1:]
    with serve_objects(Path(folder), "127.0.0.1", float(latency), float(rate)) as port:
        print(port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()


class _Items(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as AWS keeps them
    wbufsize = -1  # head and body in one packet: two would wait for the acknowledgement of the first
    items: dict[str, Any]

    def do_POST(self) -> None:
        """Answer BatchGetItem and BatchWriteItem on one table with the key `pk`."""
        ((table, asked),) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["RequestItems"].items()
        reply: dict[str, Any] = {"UnprocessedItems": {}}
        if self.headers["X-Amz-Target"].endswith("BatchGetItem"):
            keys = [key["pk"]["S"] for key in asked["Keys"]]
            reply = {"Responses": {table: [self.items[key] for key in keys if key in self.items]}}
        else:
            self.items |= {each["PutRequest"]["Item"]["pk"]["S"]: each["PutRequest"]["Item"] for each in asked}
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_items() -> Iterator[str]:
    """Yield the address of an empty table, any name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Items,), {"items": {}}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
