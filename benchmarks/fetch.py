"""Ways to get a bundle from S3 and know that it is whole: `python -m benchmarks.fetch [--latency 0.03] [--rate 75]`.

The server is a separate process. It answers after `latency` seconds and sends `rate` MB/s on each connection, which
is how S3 behaves towards one function. `benchmarks.start` compares the same ways on the bundles that ship.
"""

import http.client
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from assay.aws.s3 import Bucket
from assay.models.manifest import Manifest, read_manifest
from assay.models.published import bundle_key, fetch_bundle
from benchmarks.measuring import Report, Times, arguments, hush, in_turn, report, time_act
from benchmarks.objects import serve_apart
from tools.models.build import build_manifest

CONNECTIONS: Final = 16
PART: Final = 8 << 20
BARE: Final = "what the server gives: bare connections, nothing kept"


def time_bare(endpoint: str, key: str, size: int) -> float:
    """Return the seconds in which so many bare connections read an object, in the same parts, and drop it."""
    place = urlsplit(endpoint)
    spans = [(at, min(at + PART, size) - 1) for at in range(0, size, PART)]

    def read(span: tuple[int, int]) -> int:
        connection = http.client.HTTPConnection(place.hostname or "", place.port)
        connection.request("GET", f"/models/{key}", headers={"Range": f"bytes={span[0]}-{span[1]}"})
        reply, room = connection.getresponse(), memoryview(bytearray(1 << 20))
        read = 0
        while got := reply.readinto(room):
            read += got
        connection.close()
        return read

    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        if sum(pool.map(read, spans)) != size:
            raise RuntimeError("the server sent less than the object")
    return time.perf_counter() - began


def fetch_own(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch as a function does: ranged GETs in threads, hashed while they arrive."""
    fetch_bundle(bucket, manifest, folder / "own")
    shutil.rmtree(folder / "own")


def fetch_single(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch each file by one GET; hash it afterwards."""
    for file in manifest.files:
        reply = bucket.client.get_object(Bucket=bucket.name, Key=_key(manifest, file.path))
        with (folder / "single").open("wb") as target:
            for piece in reply["Body"].iter_chunks(1 << 20):
                target.write(piece)
        _require(folder / "single", file.sha256)


def fetch_managed(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch by boto3's transfer manager; hash afterwards."""
    for file in manifest.files:
        bucket.client.download_file(bucket.name, _key(manifest, file.path), str(folder / "managed"))
        _require(folder / "managed", file.sha256)


def crt_fetcher(endpoint: str) -> Callable[[Manifest, Path], None]:
    """Return what fetches by AWS's Common Runtime, which boto3 would use with TLS only; ImportError without awscrt."""
    from botocore.session import Session
    from s3transfer import crt

    place = {"region_name": "us-east-1", "endpoint_url": endpoint}
    client = crt.create_s3_crt_client("us-east-1", use_ssl=False)
    manager = crt.CRTTransferManager(client, crt.BotocoreCRTRequestSerializer(Session(), place))

    def act(manifest: Manifest, folder: Path) -> None:
        for file in manifest.files:
            manager.download("models", _key(manifest, file.path), str(folder / "crt")).result()
            _require(folder / "crt", file.sha256)

    return act


def _key(manifest: Manifest, path: str) -> str:
    return bundle_key(manifest.name, manifest.version, path)


def _require(path: Path, expected: str) -> None:
    if sha256(path.read_bytes()).hexdigest() != expected:
        raise RuntimeError(f"{path.name} arrived damaged")
    path.unlink()


@contextmanager
def bucket_at(endpoint: str) -> Iterator[Bucket]:
    """Give the models bucket of an endpoint, connected as the functions are."""
    from assay.aws import clients

    clients.forget()
    os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    yield Bucket(clients.client("s3"), "models")
    clients.forget()


def compare_fetches(said: Report, endpoint: str, manifest: Manifest, rounds: int, folder: Path) -> None:
    """Add the table of ways to fetch a bundle, in turn."""
    large = max(manifest.files, key=lambda file: file.bytes)
    with bucket_at(endpoint) as bucket:
        ways: dict[str, Callable[[], object]] = {
            "own: ranged GETs in threads, hashed as they arrive": partial(fetch_own, bucket, manifest, folder),
            "one GET, hashed afterwards": partial(fetch_single, bucket, manifest, folder),
            "boto3's transfer manager, hashed afterwards": partial(fetch_managed, bucket, manifest, folder),
        }
        try:
            ways["AWS's Common Runtime (CRT), hashed afterwards"] = partial(crt_fetcher(endpoint), manifest, folder)
        except (ImportError, RuntimeError):
            said.add("CRT is left out: awscrt is not installed (`make peers`, then run with its Python).")
        timings: dict[str, Callable[[], float]] = {name: partial(time_act, act) for name, act in ways.items()}
        timings[BARE] = partial(time_bare, endpoint, _key(manifest, large.path), large.bytes)
        in_turn(timings, 1)
        times = in_turn(timings, rounds)
    best = times[BARE].median / large.bytes
    rows = [
        _row(name, each, manifest.size if "bare" not in name else large.bytes, best) for name, each in times.items()
    ]
    said.add(f"## Fetching and verifying {manifest.name}, {manifest.size / 1e6:.0f} MB")
    said.table(("way", "s, median (fastest-slowest)", "MB/s", "share of what the server gives"), rows)


def _row(name: str, times: Times, size: int, best: float) -> tuple[str, ...]:
    share = best * size / times.median
    return name, times.show("s"), f"{size / 1e6 / times.median:.0f}", f"{share:.0%}"


def write_large_bundle(folder: Path, megabytes: int) -> None:
    """Write a bundle of one file of so many MB."""
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(bytes(bytearray(range(251)) * (megabytes * 1_000_000 // 251)))
    tensor = {"name": "sequence", "dtype": "uint8", "shape": [8, 50]}
    sequence = {"alphabet": "ACDEFGHIKLMNPQRSTVWY", "length": 50, "encoding": "index"}
    scores = {"name": "score", "dtype": "float32", "shape": [8]}
    header = {"schema": 1, "name": folder.parent.name, "version": folder.name, "task": "sequence-score"}
    tensors = {"format": "tflite", "inputs": [tensor], "outputs": [scores], "sequence": sequence}
    (folder / "manifest.json").write_bytes(build_manifest(folder, header | tensors).dumps())


def main() -> None:
    """Read the options, measure, print."""
    parser = arguments(__doc__, "fetch")
    parser.add_argument("--latency", type=float, default=0.03, help="seconds to the first byte (default 0.03)")
    parser.add_argument("--rate", type=float, default=75, help="MB/s a connection (default 75)")
    options = parser.parse_args()
    hush()
    said = report("fetch", "Fetching a bundle", options)
    said.add(f"The server: {options.latency * 1000:.0f} ms to the first byte, {options.rate:.0f} MB/s a connection.")
    sizes, rounds = {"smoke": ((1,), 1), "quick": ((1, 24), 3), "full": ((1, 24, 110, 440), 3)}[options.size]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name) / "bucket"
        for megabytes in sizes:
            write_large_bundle(root / f"of-{megabytes}-mb" / "1", megabytes)
        with serve_apart(root, options.latency, options.rate * 1e6) as at:
            for megabytes in sizes:
                manifest = read_manifest(root / f"of-{megabytes}-mb" / "1")
                compare_fetches(said, at, manifest, rounds, Path(name))
    said.finish()


if __name__ == "__main__":
    main()
