"""A plain server of a models bucket from a folder: ranged GETs at the speed of this machine, and no more of S3."""

import http.server
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from assay.models.layout import Pointer

_MISSING = b"<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>"


class _Objects(http.server.BaseHTTPRequestHandler):
    """Answers `GET /models/models/NAME/...` from the folder `root`/NAME/...; every name's current version is 1."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    root = Path()

    def do_GET(self) -> None:
        """Answer a GET, ranged or not."""
        key = unquote(urlsplit(self.path).path).removeprefix("/models/models/")
        file = self.root / key
        if key.endswith("/current.json") and file.parent.is_dir():
            self._small(200, Pointer("1").dumps())
        elif not file.is_file():
            self._small(404, _MISSING)
        else:
            self._file(file)

    def _small(self, status: int, body: bytes) -> None:
        self._head(status, len(body))
        self.wfile.write(body)

    def _file(self, file: Path) -> None:
        size = file.stat().st_size
        asked = self.headers.get("Range")
        first, last = (int(each) for each in asked[6:].split("-")) if asked else (0, size - 1)
        last = min(last, size - 1)
        self._head(206 if asked else 200, last + 1 - first, f"bytes {first}-{last}/{size}")
        with file.open("rb") as source:
            while first <= last:
                first += os.sendfile(self.connection.fileno(), source.fileno(), first, last + 1 - first)

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
def serving(root: Path, host: str = "0.0.0.0") -> Iterator[int]:
    """Serve the bundles under a folder until the block ends; gives the port."""
    handler = type("Objects", (_Objects,), {"root": root})
    server = http.server.ThreadingHTTPServer((host, 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
