import json
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import EndpointConnectionError, IncompleteReadError

from assay.errors import ModelUnavailable, NotFound, RuntimeMissing
from assay.models import loading
from assay.models.bundle import build
from assay.models.layout import MANIFEST, Pointer, bundle_key, current_key
from assay.models.registry import LoadedModel, Registry
from assay.storage import Bucket
from tests.conftest import DATA, Aws
from tools.models.publish import activate, publish

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


@pytest.fixture
def traffic(aws: Aws) -> Traffic:
    return Traffic(aws)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry(aws: Aws, tmp_path: Path, clock: Clock) -> Registry:
    return make(aws, tmp_path, clock)


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    monkeypatch.setattr("assay.models.registry.measure", lambda name, *_, **__: counted.update([name]))
    return counted


def make(aws: Aws, scratch: Path, clock: Clock, **options: Any) -> Registry:
    return Registry(aws.models, scratch, threads=1, refresh_seconds=REFRESH, clock=clock, **options)


def version_of(folder: Path, version: str, *, chunk_bytes: int = 1 << 23, **header: Any) -> Path:
    """Write tiny-index under another version."""
    target = folder / f"bundle-{version}"
    shutil.copytree(DATA / NAME / "1", target)
    document = {**json.loads((target / MANIFEST).read_text()), "version": version, **header}
    (target / MANIFEST).write_bytes(build(target, document, chunk_bytes=chunk_bytes).dumps())
    return target


def put_version(aws: Aws, folder: Path, version: str, **options: Any) -> None:
    publish(aws.models, version_of(folder, version, **options), run=False)


def answers(model: LoadedModel) -> bool:
    return bool(np.isfinite(model.runner.run({"sequence": np.zeros((8, 50), np.uint8)})).all())


def test_the_first_use_pulls_and_loads_and_later_ones_ask_nothing(
    aws: Aws, registry: Registry, traffic: Traffic
) -> None:
    aws.publish(NAME)
    traffic.gets.clear()
    model = registry.current(NAME, TASK)
    assert answers(model)
    assert traffic.gets == {"current.json": 1, "manifest.json": 1, "model.tflite": 1}
    assert registry.current(NAME, TASK) is model
    assert sum(traffic.gets.values()) == 3


def test_each_phase_is_logged_and_measured(
    aws: Aws, registry: Registry, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    aws.publish(NAME)
    caplog.set_level("INFO", "assay")
    registry.current(NAME, TASK)
    printed = capsys.readouterr().out
    phases = ["fetch", "verify", "load", "warm"]
    assert [vars(record)["phase"] for record in caplog.records if record.message == "phase"] == phases
    assert all(f'"{phase.title()}Seconds":[' in printed for phase in phases)


def test_chunks_are_fetched_as_ranges_and_come_out_in_order(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path
) -> None:
    put_version(aws, tmp_path, "2", chunk_bytes=1000)
    model = registry.current(NAME, TASK)
    assert traffic.gets["model.tflite"] == len(model.manifest.files[0].chunks) == 19
    assert traffic.statuses[206] == 19
    assert (model.folder / "model.tflite").read_bytes() == (DATA / NAME / "1" / "model.tflite").read_bytes()


def test_a_bundle_on_disk_is_verified_and_reused(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    registry.current(NAME, TASK)
    assert answers(make(aws, tmp_path, clock).current(NAME, TASK))
    assert traffic.gets["model.tflite"] == 1


def test_a_bundle_that_was_damaged_on_disk_is_fetched_again(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    path = registry.current(NAME, TASK).folder / "model.tflite"
    path.write_bytes(path.read_bytes()[:-1])
    assert answers(make(aws, tmp_path, clock).current(NAME, TASK))
    assert traffic.gets["model.tflite"] == 2


def test_an_unchanged_pointer_is_asked_once_an_interval_and_answered_304(
    aws: Aws, registry: Registry, traffic: Traffic, clock: Clock
) -> None:
    aws.publish(NAME)
    traffic.gets.clear()
    model = registry.current(NAME, TASK)
    for _ in range(3):
        clock.pass_refresh()
        assert registry.current(NAME, TASK) is model
        assert registry.current(NAME, TASK) is model
    assert traffic.statuses[304] == 3
    assert traffic.gets == {"current.json": 4, "manifest.json": 1, "model.tflite": 1}


def test_a_new_version_serves_without_a_restart_and_the_old_files_go(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    assert registry.current(NAME, TASK) is old
    clock.pass_refresh()
    new = registry.current(NAME, TASK)
    assert new.manifest.version == "2"
    assert answers(old)
    clock.pass_refresh()
    registry.current(NAME, TASK)
    assert not old.folder.exists()
    assert answers(new)
    assert answers(old)


def test_going_back_to_the_version_before_serves_it_again(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock
) -> None:
    aws.publish(NAME)
    put_version(aws, tmp_path, "2")
    assert registry.current(NAME, TASK).manifest.version == "2"
    activate(aws.models, NAME, "1")
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "1"


def flip(aws: Aws, version: str) -> None:
    replace(aws, version, lambda content: content[:9_000] + bytes([content[9_000] ^ 1]) + content[9_001:])


def truncate(aws: Aws, version: str) -> None:
    replace(aws, version, lambda content: content[:-100])


def replace(aws: Aws, version: str, change: Callable[[bytes], bytes]) -> None:
    found = aws.models.get(bundle_key(NAME, version, "model.tflite"), limit=1 << 20)
    assert found is not None
    aws.models.put(bundle_key(NAME, version, "model.tflite"), change(found[0]), "")


def lose_file(aws: Aws, version: str) -> None:
    aws.models.delete(bundle_key(NAME, version, "model.tflite"))


def lose_manifest(aws: Aws, version: str) -> None:
    aws.models.delete(bundle_key(NAME, version))


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


DAMAGES = (
    flip,
    truncate,
    lose_file,
    lose_manifest,
    garble_manifest,
    garble_pointer,
    swap_manifest,
    change_task,
    change_inputs,
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_version_is_refused_once_while_the_old_one_serves(
    damage: Callable[[Aws, str], None],
    aws: Aws,
    registry: Registry,
    traffic: Traffic,
    tmp_path: Path,
    clock: Clock,
    metrics: Counter[str],
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    damage(aws, "2")
    clock.pass_refresh()
    traffic.gets.clear()
    assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1
    for _ in range(3):
        clock.pass_refresh()
        assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1
    assert traffic.gets["manifest.json"] <= 1
    assert answers(old)
    put_version(aws, tmp_path, "3")
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "3"


def test_a_model_that_answers_nan_is_refused(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, metrics: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    clock.pass_refresh()
    nan = type("Runner", (), {"run": lambda self, inputs: np.full(8, np.nan, np.float32)})
    monkeypatch.setattr(loading, "_runner", lambda *_: nan())
    assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1


def test_a_runtime_that_fails_in_its_own_way_is_a_refusal_too(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, metrics: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    aws.publish(NAME)
    old = registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    clock.pass_refresh()
    monkeypatch.setattr(loading, "_runner", fail)
    assert registry.current(NAME, TASK) is old
    assert metrics["ModelRefused"] == 1


def test_a_refused_version_is_tried_again_after_a_long_while(
    aws: Aws, registry: Registry, tmp_path: Path, clock: Clock, metrics: Counter[str]
) -> None:
    aws.publish(NAME)
    registry.current(NAME, TASK)
    put_version(aws, tmp_path, "2")
    flip(aws, "2")
    clock.pass_refresh()
    registry.current(NAME, TASK)
    flip(aws, "2")
    clock.pass_refresh()
    assert registry.current(NAME, TASK).manifest.version == "1"
    clock.now += 900
    assert registry.current(NAME, TASK).manifest.version == "2"
    assert metrics["ModelRefused"] == 1


@pytest.mark.parametrize("damage", [flip, change_inputs])
def test_a_refusal_leaves_nothing_on_disk(
    aws: Aws, registry: Registry, tmp_path: Path, damage: Callable[[Aws, str], None]
) -> None:
    aws.publish(NAME)
    damage(aws, "1")
    with pytest.raises(ModelUnavailable):
        registry.current(NAME, TASK)
    assert [path for path in (tmp_path / "assay-models").rglob("*") if path.is_file()] == []


def test_a_new_environment_serves_the_version_before_a_broken_one(
    aws: Aws, registry: Registry, tmp_path: Path, metrics: Counter[str]
) -> None:
    aws.publish(NAME)
    put_version(aws, tmp_path, "2")
    flip(aws, "2")
    assert registry.current(NAME, TASK).manifest.version == "1"
    assert metrics["ModelRefused"] == 1


def test_without_a_model_the_message_says_how_to_publish(aws: Aws, registry: Registry) -> None:
    with pytest.raises(ModelUnavailable, match=r"tiny-index .* no current version.* publish FOLDER --bucket models"):
        registry.current(NAME, TASK)
    aws.publish(NAME)
    assert answers(registry.current(NAME, TASK))


def test_a_first_version_that_is_broken_is_not_fetched_again_at_every_request(
    aws: Aws, registry: Registry, traffic: Traffic
) -> None:
    aws.publish(NAME)
    flip(aws, "1")
    traffic.gets.clear()
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match=r"version 1 was refused: .*not what its manifest says"):
            registry.current(NAME, TASK)
    assert traffic.gets == {"current.json": 3, "manifest.json": 1, "model.tflite": 1}


def test_a_format_whose_runtime_is_missing_says_so(
    aws: Aws, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tensorflow", None)
    aws.publish("tiny-index-saved")
    with pytest.raises(ModelUnavailable, match="needs tensorflow") as caught:
        registry.current("tiny-index-saved", TASK)
    assert RuntimeMissing.__name__ not in caught.value.message


def fail_to_connect(key: str) -> None:
    raise EndpointConnectionError(endpoint_url="https://s3")


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
    assert metrics == {"ModelRefreshFailed": 2}
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


def test_a_pinned_version_of_another_task_is_unavailable(aws: Aws, registry: Registry) -> None:
    aws.publish(NAME)
    assert registry.pinned(NAME, "1", TASK)
    with pytest.raises(ModelUnavailable, match="not for text-classification"):
        registry.pinned(NAME, "1", "text-classification")


def test_a_pointer_that_vanishes_leaves_the_model(aws: Aws, registry: Registry, clock: Clock) -> None:
    aws.publish(NAME)
    model = registry.current(NAME, TASK)
    aws.models.delete(current_key(NAME))
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


@pytest.mark.parametrize("name", ["../x", "a/b", "", "UPPER", "x" * 64])
def test_a_name_that_no_model_can_have_is_not_found(registry: Registry, name: str) -> None:
    with pytest.raises(NotFound):
        registry.current(name, TASK)


def test_a_pinned_version_is_the_current_one_or_loaded_beside_it(
    aws: Aws, registry: Registry, traffic: Traffic, tmp_path: Path
) -> None:
    aws.publish(NAME)
    put_version(aws, tmp_path, "2")
    current = registry.current(NAME, TASK)
    assert registry.pinned(NAME, "2", TASK) is current
    old = registry.pinned(NAME, "1", TASK)
    assert old.manifest.version == "1"
    assert registry.pinned(NAME, "1", TASK) is old
    assert traffic.gets["model.tflite"] == 2


def test_pinned_versions_beyond_the_budget_go_the_least_used_first(aws: Aws, tmp_path: Path, clock: Clock) -> None:
    for version in ("2", "3", "4"):
        put_version(aws, tmp_path, version)
    registry = make(aws, tmp_path, clock, pinned_bytes=40_000)
    two, three = registry.pinned(NAME, "2", TASK), registry.pinned(NAME, "3", TASK)
    assert registry.pinned(NAME, "2", TASK) is two
    registry.pinned(NAME, "4", TASK)
    assert registry.pinned(NAME, "2", TASK) is two
    assert two.folder.is_dir()
    assert not three.folder.exists()


@pytest.mark.parametrize("version", ["9", "../1", ""])
def test_a_pinned_version_that_is_not_there_is_unavailable(aws: Aws, registry: Registry, version: str) -> None:
    aws.publish(NAME)
    with pytest.raises(ModelUnavailable):
        registry.pinned(NAME, version, TASK)


def test_a_disk_that_is_too_small_is_a_refusal_that_says_so(
    aws: Aws, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.publish(NAME)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(ModelUnavailable, match="EphemeralStorage"):
        registry.current(NAME, TASK)


def test_a_pointer_names_the_version_before(aws: Aws, tmp_path: Path) -> None:
    aws.publish(NAME)
    put_version(aws, tmp_path, "2")
    found = aws.models.get(current_key(NAME), limit=1000)
    assert found is not None
    assert Pointer.parse(found[0]) == Pointer("2", "1")
