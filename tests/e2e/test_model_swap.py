"""Models come, go and break under steady requests to the running service."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assay.aws.s3 import Bucket
from assay.models.loading import load_folder
from assay.models.manifest import Pointer
from assay.models.probes import score_probes
from assay.models.published import bundle_key, current_key
from tests.conftest import delete_objects
from tests.e2e.running import Service, wait_for
from tests.integration.registries import changed
from tools.models.publish import move_pointer, publish, rollback

NAME = "swapped"
REFRESH_SECONDS = 1
SEQUENCES = ["ACDEFGHIKLMNPQRSTVWY" * 2 + letter * 10 for letter in "ACDEFGHI"]
BODY = {"sequences": SEQUENCES, "threshold": -1e6, "score_model": NAME, "gate_model": f"{NAME}@1"}


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return [changed(tmp_path / version, NAME, version=version, factor=int(version)) for version in ("1", "2", "3")]


@pytest.fixture
def bucket(service: Service) -> Iterator[Bucket]:
    found = Bucket(service.s3, service.models)
    yield found
    delete_objects(found, *found.keys(f"models/{NAME}/"))


def test_no_request_is_lost_and_each_reply_is_one_versions(
    service: Service, bucket: Bucket, folders: list[Path]
) -> None:
    for folder in folders:
        publish(bucket, folder, serve=False, run=False)
    move_pointer(bucket, NAME, "1")
    over, replies = threading.Event(), list[Any]()

    def ask() -> None:
        while not over.is_set():
            replies.append(service.post("/rank", json=BODY))

    def answered(version: str) -> None:
        begun = len(replies)
        wait_for(lambda: any(_version(each) == version for each in replies[begun:]) or None, f"version {version}")

    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            answered("1")
            move_pointer(bucket, NAME, "2")
            answered("2")
            rollback(bucket, NAME)
            answered("1")
            _break(bucket, "3")
            looked = time.monotonic() + 3 * REFRESH_SECONDS
            wait_for(lambda: time.monotonic() > looked or None, "the time in which the service looks three times")
            answered("1")
            move_pointer(bucket, NAME, "2")
            answered("2")
        finally:
            over.set()
    assert [each.exception() for each in asking] == [None, None]
    _hold(replies, {str(at): score_probes(load_folder(folder, 1), SEQUENCES) for at, folder in enumerate(folders, 1)})


def _version(reply: Any) -> str | None:
    return str(reply.json()["models"]["score"]["version"]) if reply.status_code == 200 else None


def _break(bucket: Bucket, version: str) -> None:
    """Make a version serve that has a byte flipped."""
    found = bucket.get(bundle_key(NAME, version, "model.tflite"), limit=1 << 20)
    assert found is not None
    content = bytearray(found[0])
    content[9_000] ^= 1
    bucket.put(bundle_key(NAME, version, "model.tflite"), bytes(content), "")
    bucket.put(current_key(NAME), Pointer(version, "1").dumps(), "")


def _hold(replies: list[Any], known: dict[str, Any]) -> None:
    """Hold every reply to the version that it names."""
    assert {each.status_code for each in replies} == {200}
    assert {_version(each) for each in replies} == {"1", "2"}
    for text in {each.text for each in replies}:
        body = json.loads(text)
        given = {row["sequence"]: (row["score"], row["gate"]) for row in body["ranked"]}
        expected = known[body["models"]["score"]["version"]], known["1"]
        for row, sequence in enumerate(SEQUENCES):
            assert given[sequence] == pytest.approx((expected[0][row], expected[1][row]), abs=1e-5)
