"""Ways to get a bundle from S3 and know that it is whole: what `benchmarks.start` compares."""

import http.client
import os
import shutil
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
from assay.models.download import fetch
from assay.models.manifest import Manifest
from assay.models.published import bundle_key
from benchmarks.measuring import Report, Times, in_turn, timed

CONNECTIONS: Final = 16
PART: Final = 8 << 20
BARE: Final = "what the server gives: bare connections, nothing kept"


def ceiling(endpoint: str, key: str, size: int) -> float:
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


def own(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch as a function does: ranged GETs in threads, hashed while they arrive."""
    fetch(bucket, manifest, folder / "own")
    shutil.rmtree(folder / "own")


def single(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch each file by one GET; hash it afterwards."""
    for file in manifest.files:
        reply = bucket.client.get_object(Bucket=bucket.name, Key=_key(manifest, file.path))
        with (folder / "single").open("wb") as target:
            for piece in reply["Body"].iter_chunks(1 << 20):
                target.write(piece)
        _hold(folder / "single", file.sha256)


def managed(bucket: Bucket, manifest: Manifest, folder: Path) -> None:
    """Fetch by boto3's transfer manager; hash afterwards."""
    for file in manifest.files:
        bucket.client.download_file(bucket.name, _key(manifest, file.path), str(folder / "managed"))
        _hold(folder / "managed", file.sha256)


def by_crt(endpoint: str) -> Callable[[Manifest, Path], None]:
    """Return what fetches by AWS's Common Runtime, which boto3 would use with TLS only; ImportError without awscrt."""
    from botocore.session import Session
    from s3transfer import crt

    place = {"region_name": "us-east-1", "endpoint_url": endpoint}
    client = crt.create_s3_crt_client("us-east-1", use_ssl=False)
    manager = crt.CRTTransferManager(client, crt.BotocoreCRTRequestSerializer(Session(), place))

    def act(manifest: Manifest, folder: Path) -> None:
        for file in manifest.files:
            manager.download("models", _key(manifest, file.path), str(folder / "crt")).result()
            _hold(folder / "crt", file.sha256)

    return act


def _key(manifest: Manifest, path: str) -> str:
    return bundle_key(manifest.name, manifest.version, path)


def _hold(path: Path, expected: str) -> None:
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


def fetches(said: Report, endpoint: str, manifest: Manifest, rounds: int, folder: Path) -> None:
    """Add the table of ways to fetch a bundle, in turn."""
    large = max(manifest.files, key=lambda file: file.bytes)
    with bucket_at(endpoint) as bucket:
        ways: dict[str, Callable[[], object]] = {
            "own: ranged GETs in threads, hashed as they arrive": partial(own, bucket, manifest, folder),
            "one GET, hashed afterwards": partial(single, bucket, manifest, folder),
            "boto3's transfer manager, hashed afterwards": partial(managed, bucket, manifest, folder),
        }
        try:
            ways["AWS's Common Runtime (CRT), hashed afterwards"] = partial(by_crt(endpoint), manifest, folder)
        except (ImportError, RuntimeError):
            said.add("CRT is left out: awscrt is not installed (`make peers`, then run with its Python).")
        timings: dict[str, Callable[[], float]] = {name: partial(timed, act) for name, act in ways.items()}
        timings[BARE] = partial(ceiling, endpoint, _key(manifest, large.path), large.bytes)
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
    return name, times.shown("s"), f"{size / 1e6 / times.median:.0f}", f"{share:.0%}"
