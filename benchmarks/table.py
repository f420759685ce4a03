"""A stand-in for DynamoDB on this machine that only keeps items: what a call costs besides DynamoDB's own time."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Handler(BaseHTTPRequestHandler):
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
def serve_table() -> Iterator[str]:
    """Yield the address of an empty table, any name."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"items": {}}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
