"""The registry by itself: what serves, what is asked for and when, whatever its bucket and its loader do."""

import errno
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from assay.errors import AnswerInvalid, BundleInvalid, ModelUnavailable, NotFound, ObjectMissing
from assay.models import registry as module
from assay.models.registry import Refusals, Registry, _describe_outage

TASK, REFRESH, RETRY = "sequence-score", 60.0, 900.0
AWAY = EndpointConnectionError(endpoint_url="https://s3")


@dataclass(frozen=True)
class Manifest:
    name: str
    version: str
    task: str = TASK
    size: int = 0
    digest: str = ""


@dataclass(eq=False)
class Model:
    manifest: Manifest
    folder: Path
    threads: int = 1


@dataclass
class World:
    """A bucket with one pointer, and a loader; both fail as they are told to, and note what they are asked."""

    pointer: bytes | Exception = b""
    etag: str = "e1"
    broken: dict[str, Exception] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    log: list[Any] = field(default_factory=list)
    now: float = 1000.0
    name: str = "models"

    def point(self, version: str, previous: str | None = None, **digests: str) -> None:
        self.pointer = json.dumps({"version": version, "previous": previous, **digests}).encode()
        self.etag = f"{version} after {previous}"

    def get(self, key: str, *, limit: int, if_none_match: str | None) -> tuple[bytes, str] | None:
        self.log.append(("get", if_none_match))
        assert (key, limit) == ("models/a/current.json", 1 << 16)
        if isinstance(self.pointer, Exception):
            raise self.pointer
        return None if if_none_match == self.etag else (self.pointer, self.etag)

    def manifest(self, name: str, version: str, task: str, sha256: str | None) -> Manifest:
        self.log.append(("manifest", version, sha256))
        self._hold(f"{version}'s manifest")
        return Manifest(name, version, task, digest=self.digests.get(version, ""))

    def load(self, manifest: Manifest) -> Model:
        self.log.append(("load", manifest.version))
        self._hold(manifest.version)
        return Model(manifest, Path(f"/scratch/{manifest.version}{manifest.digest}"))

    def discard(self, folder: Path) -> None:
        self.log.append(("discard", folder.name))

    def _hold(self, what: str) -> None:
        if what in self.broken:
            raise self.broken[what]

    def asked(self) -> list[Any]:
        found, self.log = self.log, []
        return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Return what is measured."""
    found: list[tuple[str, float]] = []
    monkeypatch.setattr(module, "measure", lambda name, value, **_: found.append((name, value)))
    return found


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def registry(world: World) -> Registry:
    bucket: Any = world
    made = Registry(bucket, Path("/scratch"), threads=1, refresh_seconds=REFRESH, clock=lambda: world.now)
    made._loader = bucket
    return made


def serving(registry: Registry) -> str:
    return registry.current("a", TASK).manifest.version


def test_what_serves_is_asked_about_once_an_interval(world: World, registry: Registry, told: list[Any]) -> None:
    world.point("1", sha256="a" * 64)
    model = registry.current("a", TASK)
    assert world.asked() == [("get", None), ("manifest", "1", "a" * 64), ("load", "1")]
    assert told == [("ModelServes", 1)]
    world.now += REFRESH - 0.5
    assert registry.current("a", TASK) is model
    assert world.asked() == []
    world.now += 0.5
    for _ in range(2):
        assert registry.current("a", TASK) is model
    assert world.asked() == [("get", "1 after None")]
    assert told == [("ModelServes", 1)]


def test_a_new_version_serves_and_the_old_ones_files_go_an_interval_later(world: World, registry: Registry) -> None:
    world.point("1")
    serving(registry)
    world.point("2", "1")
    world.now += REFRESH
    assert serving(registry) == "2"
    assert registry._memory.get(("a", "1")) is None
    assert "discard" not in [each[0] for each in world.asked()]
    world.now += REFRESH
    assert serving(registry) == "2"
    assert world.asked() == [("get", "2 after 1"), ("discard", "1")]
    world.now += REFRESH
    assert serving(registry) == "2"
    assert world.asked() == [("get", "2 after 1")]


def test_the_same_version_made_anew_takes_the_place_of_the_old(world: World, registry: Registry) -> None:
    world.point("1")
    first = registry.current("a", TASK)
    world.digests["1"], world.etag = "x", "changed"
    world.now += REFRESH
    second = registry.current("a", TASK)
    assert second is not first
    assert registry._memory.models() == [second]
    world.now += REFRESH
    serving(registry)
    assert ("discard", "1") in world.asked()


def test_the_same_files_under_another_pointer_stay(world: World, registry: Registry) -> None:
    world.point("1")
    first = registry.current("a", TASK)
    world.etag = "changed"
    world.now += REFRESH
    assert registry.current("a", TASK) is first
    world.now += REFRESH
    serving(registry)
    assert world.asked()[-2:] == [("manifest", "1", None), ("get", "changed")]


@pytest.mark.parametrize("place", ["2", "2's manifest"])
@pytest.mark.parametrize("refresh", [60.0, 5000.0])
def test_a_version_that_is_refused_is_tried_again_after_a_long_while_and_not_before(
    world: World, told: list[Any], place: str, refresh: float
) -> None:
    bucket: Any = world
    registry = Registry(bucket, Path("/scratch"), threads=1, refresh_seconds=refresh, clock=lambda: world.now)
    registry._loader = bucket
    world.point("1")
    serving(registry)
    world.point("2", "1")
    world.broken[place] = RuntimeError("odd")
    world.now += refresh
    assert serving(registry) == "1"
    assert told[1:] == [("ModelRefused", 1)]
    began = world.now
    world.asked()
    while world.now + refresh < began + max(RETRY, refresh):
        world.now += refresh
        assert serving(registry) == "1"
        assert world.asked() == [("get", "2 after 1")]
    world.now = began + max(RETRY, refresh)
    del world.broken[place]
    assert serving(registry) == "2"
    assert world.asked()[0] == ("get", None)
    world.now += refresh
    serving(registry)
    assert world.asked()[0] == ("get", "2 after 1")


def test_at_the_start_the_version_before_does_where_the_pointers_is_refused(world: World, registry: Registry) -> None:
    world.point("2", "1", sha256="b" * 64, previous_sha256="a" * 64)
    world.broken["2"] = BundleInvalid("odd")
    assert serving(registry) == "1"
    assert world.asked()[1:] == [
        ("manifest", "2", "b" * 64),
        ("load", "2"),
        ("manifest", "1", "a" * 64),
        ("load", "1"),
    ]


def test_and_only_at_the_start(world: World, registry: Registry) -> None:
    world.point("3")
    serving(registry)
    world.point("2", "1")
    world.broken["2"] = BundleInvalid("odd")
    world.now += REFRESH
    assert serving(registry) == "3"
    assert ("load", "1") not in world.asked()


@pytest.mark.parametrize(
    ("pointer", "reason"),
    [
        (ObjectMissing("gone"), "it has no current version; publish one: assay models publish FOLDER --bucket models"),
        (AWAY, "S3 can't be read (EndpointConnectionError)"),
        (b"{}", "version ? was refused: current.json.version is not a string"),
    ],
)
def test_where_nothing_serves_the_reason_is_told_and_asked_about_each_time(
    world: World, registry: Registry, pointer: Any, reason: str
) -> None:
    world.pointer = pointer
    for _ in range(2):
        with pytest.raises(ModelUnavailable) as raised:
            registry.current("a", TASK)
        assert raised.value.message == f"model a is not available: {reason}"
        assert raised.value.details == {"model": "a", "bucket": "models"}
    assert [each[0] for each in world.asked()] == ["get", "get"]
    world.point("1")
    assert serving(registry) == "1"


@pytest.mark.parametrize("pointer", [ObjectMissing("gone"), AWAY, b"{}"])
def test_what_serves_goes_on_whatever_becomes_of_the_pointer(
    world: World, registry: Registry, told: list[Any], pointer: Any
) -> None:
    world.point("1")
    serving(registry)
    point, etag = world.pointer, world.etag
    world.pointer, world.etag = pointer, "odd"
    world.now += REFRESH
    assert serving(registry) == "1"
    failed = {"EndpointConnectionError": ("ModelRefreshFailed", 1), "bytes": ("ModelRefused", 1)}
    assert told[1:] == [failed[name] for name in failed if name == type(pointer).__name__]
    world.pointer, world.etag = point, etag
    world.asked()
    world.now += REFRESH
    assert serving(registry) == "1"
    assert world.asked()[0] == ("get", "odd" if pointer == b"{}" else None)


@pytest.mark.parametrize("error", [AWAY, OSError(errno.ENOSPC, "full"), AnswerInvalid("short")])
def test_what_the_next_moment_may_mend_is_no_verdict_on_a_version(
    world: World, registry: Registry, error: Exception
) -> None:
    world.point("1")
    serving(registry)
    world.point("2", "1")
    world.broken["2"] = error
    world.now += REFRESH
    assert serving(registry) == "1"
    del world.broken["2"]
    world.now += REFRESH
    assert serving(registry) == "2"


def test_a_version_that_was_let_go_of_is_loaded_again_by_itself(world: World, registry: Registry) -> None:
    world.point("1", sha256="a" * 64)
    serving(registry)
    registry._memory.drop(("a", "1"))
    world.asked()
    assert serving(registry) == "1"
    assert world.asked() == [("manifest", "1", "a" * 64), ("load", "1")]
    registry._memory.drop(("a", "1"))
    world.now += REFRESH
    assert serving(registry) == "1"
    assert world.asked() == [("manifest", "1", "a" * 64), ("load", "1"), ("get", "1 after None")]


def test_one_that_cannot_be_loaded_again_gives_way_to_what_the_pointer_says(world: World, registry: Registry) -> None:
    world.point("1")
    serving(registry)
    registry._memory.drop(("a", "1"))
    world.broken["1"] = RuntimeError("odd")
    world.point("2", "1")
    world.asked()
    assert serving(registry) == "2"
    assert world.asked()[-3:] == [("get", None), ("manifest", "2", None), ("load", "2")]


def test_a_thread_that_has_a_model_does_not_wait_for_the_one_that_looks(world: World, registry: Registry) -> None:
    world.point("1")
    model = registry.current("a", TASK)
    world.now += REFRESH
    with registry._slots["a", TASK].lock:
        assert registry.current("a", TASK) is model
    assert world.asked()[-1] == ("load", "1")


def test_a_thread_that_has_none_waits_and_asks_for_nothing_itself(world: World, registry: Registry) -> None:
    world.point("1")
    found: list[str] = []
    slot = registry._slot("a", TASK)
    with slot.lock:
        threads = [threading.Thread(target=lambda: found.append(serving(registry))) for _ in range(3)]
        for thread in threads:
            thread.start()
        threads[0].join(0.05)
        assert found == []
    for thread in threads:
        thread.join(5)
    assert found == ["1"] * 3
    assert [each[0] for each in world.asked()] == ["get", "manifest", "load"]
    assert not slot.lock.locked()


def test_a_pinned_version_is_loaded_once_beside_the_one_that_serves(world: World, registry: Registry) -> None:
    world.point("2")
    serving(registry)
    world.asked()
    first = registry.pin("a", "1", TASK)
    assert registry.pin("a", "1", TASK) is first
    assert world.asked() == [("manifest", "1", None), ("load", "1")]
    assert registry.pin("a", "2", TASK) is registry.current("a", TASK)
    assert world.asked() == []
    assert registry.find_loaded("a", "1") is first
    assert registry.find_loaded("a", "3") is None
    assert registry.find_loaded("b", None) is None
    assert getattr(registry.find_loaded("a", None), "manifest", None) == Manifest("a", "2")


def test_nothing_is_held_of_a_model_that_was_only_asked_for(world: World, registry: Registry) -> None:
    world.pointer = ObjectMissing("gone")
    with pytest.raises(ModelUnavailable):
        registry.current("a", TASK)
    assert registry.find_loaded("a", None) is None
    assert registry._memory.models() == []


def test_a_version_of_another_task_is_not_held(world: World, registry: Registry) -> None:
    first = registry.pin("a", "1", TASK)
    other = registry.pin("a", "1", "text-classification")
    assert other is not first
    assert other.manifest.task == "text-classification"


def test_a_pinned_version_that_was_refused_is_not_tried_again_soon(
    world: World, registry: Registry, told: list[Any]
) -> None:
    world.broken["1"] = BundleInvalid("odd")
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match=r"^a 1 can't be used: odd$") as raised:
            registry.pin("a", "1", TASK)
        assert raised.value.details == {"model": "a", "version": "1"}
        world.now += RETRY - 0.5
    assert [each[0] for each in world.asked()] == ["manifest", "load"]
    assert told == [("ModelRefused", 1)]
    del world.broken["1"]
    assert registry.pin("a", "1", TASK).manifest.version == "1"


@pytest.mark.parametrize(
    ("error", "message"),
    [(ObjectMissing("gone"), "a 1 can't be used: gone"), (AWAY, r"a 1: S3 can't be read \(EndpointConnectionError\)")],
)
def test_one_that_may_come_is_tried_again_at_once(
    world: World, registry: Registry, error: Exception, message: str
) -> None:
    world.broken["1's manifest"] = error
    with pytest.raises(ModelUnavailable, match=f"^{message}$"):
        registry.pin("a", "1", TASK)
    del world.broken["1's manifest"]
    assert registry.pin("a", "1", TASK).manifest.version == "1"


def test_a_name_or_version_that_cannot_be_is_told(registry: Registry) -> None:
    with pytest.raises(NotFound, match="there is no such model: a model's name has"):
        registry.current("A", TASK)
    with pytest.raises(NotFound, match="there is no such model: a model's name has"):
        registry.pin("A", "1", TASK)
    with pytest.raises(ModelUnavailable, match="a version has letters"):
        registry.pin("a", "../1", TASK)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (AWAY, "S3 can't be read (EndpointConnectionError)"),
        (AnswerInvalid("short"), "S3 can't be read (AnswerInvalid)"),
        (ConnectionResetError(104, "reset"), "S3 can't be read (ConnectionResetError)"),
        (TimeoutError("slow"), "S3 can't be read (TimeoutError)"),
        *((OSError(number, "odd"), f"scratch disk: [Errno {number}] odd") for number in (errno.ENOSPC, errno.EIO)),
        (OSError(errno.EPERM, "odd", "/scratch/x"), "scratch disk: [Errno 1] odd: '/scratch/x'"),
        (OSError(errno.EPERM, "odd"), "the system refused test_registry.fail: [Errno 1] odd"),
    ],
)
def test_what_stands_in_the_way_is_told_by_its_kind(error: Exception, told: str) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        fail()
    assert _describe_outage(raised.value) == told


def test_refusals_are_kept_for_a_while_and_so_many() -> None:
    refusals = Refusals()
    pins = [("a", str(at), TASK) for at in range(65)]
    for pin in pins:
        refusals.add(pin, "odd", 1000.0)
    assert refusals.reason(pins[0], 1000.0) is None
    assert refusals.reason(pins[1], 1000.0 + RETRY - 0.5) == "odd"
    assert refusals.reason(pins[1], 1000.0 + RETRY) is None
    assert refusals.reason(("b", "1", TASK), 0.0) is None


def test_what_is_not_due_is_given_without_waiting_for_anybody(world: World, registry: Registry) -> None:
    world.point("1")
    model = registry.current("a", TASK)
    nobody: Any = None
    registry._slots["a", TASK].lock = nobody
    assert registry.current("a", TASK) is model
