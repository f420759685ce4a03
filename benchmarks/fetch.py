"""How fast a bundle arrives: parallel ranged GETs against an S3 that is slow in a known way.

    python -m benchmarks.fetch [--latency 0.03] [--rate 75]

The server answers after `latency` seconds and sends `rate` MB/s on each connection, which is how S3 behaves towards
one function. Baseline: the same file by one GET, hashed afterwards.
"""

import argparse
import http.server
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from assay.aws.s3 import Bucket
from assay.models.download import fetch
from assay.models.manifest import Manifest
from tools.models.build import build_manifest

_PIECE = 1 << 18


class _Slow(http.server.BaseHTTPRequestHandler):
    """One object under every key, in ranges, at a limited rate for each connection."""

    protocol_version = "HTTP/1.1"
    content = b""
    latency = 0.0
    rate = 1.0

    def do_GET(self) -> None:
        """Answer a GET, ranged or not."""
        asked = self.headers.get("Range")
        first, last = (int(each) for each in asked[6:].split("-")) if asked else (0, len(self.content) - 1)
        time.sleep(self.latency)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("ETag", '"fixed"')
        self.end_headers()
        self._send(memoryview(self.content)[first : last + 1])

    def _send(self, body: memoryview) -> None:
        began = time.perf_counter()
        for at in range(0, len(body), _PIECE):
            self.wfile.write(body[at : at + _PIECE])
            time.sleep(max(0.0, began + (at + _PIECE) / self.rate - time.perf_counter()))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def slow_bucket(content: bytes, latency: float, rate: float) -> Iterator[Bucket]:
    """Serve `content` under every key, after `latency` seconds, at `rate` bytes a second and connection."""
    handler = type("Slow", (_Slow,), {"content": content, "latency": latency, "rate": rate})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    config = Config(signature_version=UNSIGNED, max_pool_connections=32, s3={"addressing_style": "path"})
    try:
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=config)
        client.get_object(Bucket="warm", Key="up", Range="bytes=0-0")["Body"].read()
        yield Bucket(client, "models")
    finally:
        server.shutdown()


def described(folder: Path, content: bytes) -> Manifest:
    """Write a bundle of one file and return its manifest."""
    (folder / "model.tflite").write_bytes(content)
    tensor = {"name": "sequence", "dtype": "uint8", "shape": [8, 50]}
    sequence = {"alphabet": "ACDEFGHIKLMNPQRSTVWY", "length": 50, "encoding": "index"}
    scores = {"name": "score", "dtype": "float32", "shape": [8]}
    header = {"schema": 1, "name": "large", "version": "1", "task": "sequence-score", "format": "tflite"}
    return build_manifest(folder, {**header, "inputs": [tensor], "outputs": [scores], "sequence": sequence})


def parallel(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch as a cold start does."""
    fetch(bucket, manifest, folder / "fetched")


def single(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch by one GET and verify afterwards."""
    reply = bucket.client.get_object(Bucket=bucket.name, Key="large")
    with (folder / "single").open("wb") as target:
        for piece in reply["Body"].iter_chunks(1 << 20):
            target.write(piece)
    with (folder / "single").open("rb") as source:
        digest = sha256(source.read()).hexdigest()
    if digest != manifest.files[0].sha256:
        raise RuntimeError("the file arrived damaged")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.03, help="seconds to the first byte (default 0.03)")
    parser.add_argument("--rate", type=float, default=75, help="MB/s a connection (default 75)")
    options = parser.parse_args()
    print(f"{options.latency * 1000:.0f} ms to the first byte, {options.rate:.0f} MB/s a connection")
    print(f"{'bundle':>8} {'one GET':>9} {'parallel':>9} {'MB/s':>7}")
    for megabytes in (1, 24, 110, 440):
        row(megabytes, options.latency, options.rate * 1e6)


def row(megabytes: int, latency: float, rate: float) -> None:
    """Measure one size."""
    content = bytes(bytearray(range(251)) * (megabytes * 1_000_000 // 251))
    with tempfile.TemporaryDirectory() as name, slow_bucket(content, latency, rate) as bucket:
        manifest = described(Path(name), content)
        seconds = []
        for way in (single, parallel):
            began = time.perf_counter()
            way(bucket, manifest, Path(name))
            seconds.append(time.perf_counter() - began)
    print(f"{megabytes:5} MB {seconds[0]:7.2f} s {seconds[1]:7.2f} s {megabytes / seconds[1]:7.0f}")


if __name__ == "__main__":
    main()
