"""What the registry tests share: a clock, the traffic with S3, versions of a tiny bundle and ways to break them."""

import json
import shutil
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from assay.models.loading import LoadedModel
from assay.models.manifest import MANIFEST, Pointer
from assay.models.published import bundle_key, current_key
from assay.models.registry import Registry
from tests.conftest import DATA, Aws, delete_objects
from tools.models.build import build_manifest
from tools.models.publish import publish

NAME, TASK = "tiny-index", "sequence-score"
REFRESH = 60.0


class Traffic:
    """What S3 is asked for: GETs by file name, answers by status; `hook` runs before each GET."""

    def __init__(self, aws: Aws) -> None:
        self.gets: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.hook: Callable[[str], None] = lambda key: None
        aws.s3.meta.events.register("before-call.s3.GetObject", self._before)
        aws.s3.meta.events.register("after-call.s3.GetObject", self._after)

    def _before(self, params: dict[str, Any], **_: Any) -> None:
        path = params["url_path"]
        self.gets[path.rpartition("/")[2]] += 1
        self.hook(path)

    def _after(self, http_response: Any, **_: Any) -> None:
        self.statuses[http_response.status_code] += 1


class Clock:
    """A clock that goes on only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_refresh(self) -> None:
        self.now += REFRESH


def make(aws: Aws, scratch: Path, clock: Clock, **options: Any) -> Registry:
    return Registry(aws.models, scratch, threads=1, refresh_seconds=REFRESH, clock=clock, **options)


def version_of(
    folder: Path, version: str, *, chunk_bytes: int = 1 << 23, source: Path = DATA / NAME / "1", **header: Any
) -> Path:
    """Write tiny-index, or another tiny bundle, under another version."""
    target = folder / f"bundle-{version}"
    shutil.copytree(source, target)
    document = {**json.loads((target / MANIFEST).read_text()), "version": version, **header}
    (target / MANIFEST).write_bytes(build_manifest(target, document, chunk_bytes=chunk_bytes).dumps())
    return target


def put_version(aws: Aws, folder: Path, version: str, **options: Any) -> None:
    publish(aws.models, version_of(folder, version, **options), run=False)


def versions(pointer: Pointer | None) -> tuple[str, str | None] | None:
    """Return what serves and what served before."""
    return None if pointer is None else (pointer.version, pointer.previous)


def answers(model: LoadedModel) -> bool:
    return bool(np.isfinite(model.runner.run({"sequence": np.zeros((8, 50), np.uint8)})).all())


def flip(aws: Aws, version: str) -> None:
    replace(aws, version, lambda content: content[:9_000] + bytes([content[9_000] ^ 1]) + content[9_001:])


def truncate(aws: Aws, version: str) -> None:
    replace(aws, version, lambda content: content[:-100])


def replace(aws: Aws, version: str, change: Callable[[bytes], bytes]) -> None:
    found = aws.models.get(bundle_key(NAME, version, "model.tflite"), limit=1 << 20)
    assert found is not None
    aws.models.put(bundle_key(NAME, version, "model.tflite"), change(found[0]), "")


def lose_file(aws: Aws, version: str) -> None:
    delete_objects(aws.models, bundle_key(NAME, version, "model.tflite"))


def lose_manifest(aws: Aws, version: str) -> None:
    delete_objects(aws.models, bundle_key(NAME, version))


def garble_manifest(aws: Aws, version: str) -> None:
    aws.models.put(bundle_key(NAME, version), b'{"schema": 1, ', "")


def garble_pointer(aws: Aws, version: str) -> None:
    aws.models.put(current_key(NAME), b'{"version": "../../etc"}', "")


def swap_manifest(aws: Aws, version: str) -> None:
    aws.models.put(bundle_key(NAME, version), (DATA / NAME / "1" / MANIFEST).read_bytes(), "")


def change_task(aws: Aws, version: str) -> None:
    document = json.loads((DATA / "tiny-text" / "1" / MANIFEST).read_text())
    aws.models.put(bundle_key(NAME, version), json.dumps({**document, "name": NAME, "version": version}).encode(), "")


def change_inputs(aws: Aws, version: str) -> None:
    document = json.loads((DATA / NAME / "1" / MANIFEST).read_text())
    document |= {"version": version, "inputs": [{"name": "sequence", "dtype": "int32", "shape": [8, 50]}]}
    aws.models.put(bundle_key(NAME, version), json.dumps(document).encode(), "")


def changed(folder: Path, name: str, source: str = "tiny-index", *, factor: float = 1.0, **header: Any) -> Path:
    """A copy of a tiny bundle under another name, one weight of it times a factor."""
    target = folder / name
    shutil.copytree(DATA / source / "1", target)
    random = np.random.default_rng(50)
    random.normal(0, 0.4, (1000, 4))
    weight = random.normal(0, 1, (4, 1)).astype(np.float32)[0, 0]
    content = (target / "model.tflite").read_bytes()
    made = content.replace(struct.pack("<f", weight), struct.pack("<f", weight * factor))
    (target / "model.tflite").write_bytes(made)
    document = {**json.loads((target / MANIFEST).read_text()), "name": name, **header}
    (target / MANIFEST).write_bytes(build_manifest(target, document).dumps())
    return target
