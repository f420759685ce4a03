import errno
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, IncompleteReadError

from assay.aws.s3 import Bucket
from assay.errors import ModelUnavailable
from assay.models.published import current_key
from assay.models.registry import Registry
from tests.conftest import Aws, delete_objects
from tests.integration.registries import NAME, TASK, Clock, Traffic, answers, put_version


def fail_to_connect(key: str) -> None:
    raise EndpointConnectionError(endpoint_url="https://s3")


def test_a_full_scratch_disk_is_tried_again_and_no_verdict_on_the_model(
    aws: Aws, registry: Registry, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    aws.publish(NAME)
    with monkeypatch.context() as patch:
        patch.setattr("assay.models.published.os.pwrite", full)
        with pytest.raises(ModelUnavailable, match="No space left on device"):
            registry.current(NAME, TASK)
        with pytest.raises(ModelUnavailable, match="No space left on device"):
            registry.pin(NAME, "1", TASK)
    assert registry.pin(NAME, "1", TASK).manifest.version == "1"
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "1"


@pytest.mark.parametrize(
    ("failure", "named"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "scratch disk: "),
        (OSError(errno.EROFS, "Read-only file system"), "scratch disk: "),
        (PermissionError(errno.EACCES, "Permission denied", "/tmp/assay-models"), "scratch disk: "),
        (PermissionError(errno.EPERM, "Operation not permitted"), "the system refused test_registry_outages.fail: "),
        (OSError(errno.ENOSYS, "Function not implemented"), "the system refused test_registry_outages.fail: "),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "S3 can't be read (ConnectionResetError)"),
        (TimeoutError("timed out"), "S3 can't be read (TimeoutError)"),
    ],
)
def test_what_stands_in_the_way_is_named(
    failure: OSError, named: str, aws: Aws, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise failure

    aws.publish(NAME)
    monkeypatch.setattr("assay.models.registry.load_model", fail)
    with pytest.raises(ModelUnavailable) as refused:
        registry.current(NAME, TASK)
    assert named in str(refused.value)
    with pytest.raises(ModelUnavailable) as refused:
        registry.pin(NAME, "1", TASK)
    assert named in str(refused.value)


def test_s3_out_of_reach_does_not_disturb_a_model_that_serves(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path, clock: Clock, metrics: Counter[str]
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    traffic.hook = fail_to_connect
    clock.pass_refresh()
    assert registry.current(NAME, TASK) is old
    traffic.hook = lambda key: fail_to_connect(key) if key.endswith("model.tflite") else None
    clock.pass_refresh()
    assert registry.current(NAME, TASK) is old
    assert metrics == {"ModelServes": 1, "ModelRefreshFailed": 2}
    traffic.hook = lambda key: None
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "2"


def test_s3_out_of_reach_at_the_start_is_unavailable_until_it_answers(
    aws: Aws, registry: Registry, traffic: Traffic
) -> None:
    aws.publish(NAME)
    traffic.hook = fail_to_connect
    with pytest.raises(ModelUnavailable, match="S3 can't be read"):
        registry.current(NAME, TASK)
    traffic.hook = lambda key: None
    assert answers(registry.current(NAME, TASK))


def test_a_pointer_that_can_not_be_one_leaves_the_model(
    aws: Aws, registry: Registry, clock: Clock, metrics: Counter[str]
) -> None:
    aws.publish(NAME)
    model = registry.current(NAME, TASK)
    aws.models.put(current_key(NAME), b" " * (1 << 20), "")
    clock.pass_refresh()
    assert registry.current(NAME, TASK) is model
    assert metrics["ModelRefreshFailed"] == 1


def test_a_connection_that_breaks_off_within_a_chunk_is_tried_again(
    aws: Aws, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.publish(NAME)
    pieces, breaks = Bucket.pieces, iter([True, True, False])

    def broken(self: Bucket, *args: Any, **options: Any) -> Iterator[bytes]:
        for piece in pieces(self, *args, **options):
            yield piece[:5000]
            if next(breaks):
                raise IncompleteReadError(actual_bytes=5000, expected_bytes=len(piece))
            yield piece[5000:]

    monkeypatch.setattr(Bucket, "pieces", broken)
    assert answers(registry.current(NAME, TASK))


def test_a_pointer_that_vanishes_leaves_the_model(aws: Aws, registry: Registry, clock: Clock) -> None:
    aws.publish(NAME)
    model = registry.current(NAME, TASK)
    delete_objects(aws.models, current_key(NAME))
    clock.pass_refresh()
    assert registry.current(NAME, TASK) is model


def test_requests_go_on_while_another_thread_fetches_the_new_version(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    fetching, go_on = threading.Event(), threading.Event()

    def hold(key: str) -> None:
        if key.endswith("model.tflite"):
            fetching.set()
            assert go_on.wait(30)

    traffic.hook = hold
    clock.pass_refresh()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(registry.current, NAME, TASK)
        assert fetching.wait(30)
        assert registry.current(NAME, TASK) is old
        go_on.set()
        assert slow.result().manifest.version == "2"


def test_threads_that_start_together_fetch_once(aws: Aws, registry: Registry, traffic: Traffic) -> None:
    aws.publish(NAME)
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _: registry.current(NAME, TASK), range(8)))
    assert len({id(model) for model in models}) == 1
    assert traffic.gets["model.tflite"] == 1
