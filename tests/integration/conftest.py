from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.jobs.planning import Caps
from assay.models.registry import Registry
from tests.conftest import Aws
from tests.events import Context
from tests.integration.drops import Drop
from tests.integration.machines import create
from tests.integration.registries import Clock, Traffic, make


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


@pytest.fixture
def call(aws: Aws, environment: Callable[[str, str], None]) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """Call the ranking API's handler, over a tiny model."""
    from rank.api import handler
    from rank.services import services

    environment("ASSAY_GATE_MODEL", "tiny-index")
    environment("ASSAY_SCORE_MODEL", "tiny-index")
    aws.publish("tiny-index")
    services.cache_clear()
    yield lambda event: handler(event, Context())
    services.cache_clear()


@pytest.fixture
def drop(aws: Aws, environment: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Drop]:
    """Drop files; they are one shard each unless a test cuts them smaller."""
    from rank import jobs as rank_jobs
    from rank.services import services

    environment("ASSAY_GATE_MODEL", "tiny-index")
    environment("ASSAY_SCORE_MODEL", "tiny-index")
    aws.publish("tiny-index")
    handlers = {
        "RankPlan": rank_jobs.plan_handler,
        "RankShard": rank_jobs.shard_handler,
        "RankMerge": rank_jobs.merge_handler,
    }
    machine = create(handlers, monkeypatch)
    environment("ASSAY_FILE_MACHINE", machine.arn)
    environment("ASSAY_SHARD_CONCURRENCY", "2")
    services.cache_clear()
    yield Drop(aws, rank_jobs.upload_handler, machine)
    services.cache_clear()


@pytest.fixture
def paper_drop(aws: Aws, environment: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Drop]:
    """Drop files of abstracts; they are one shard each unless a test cuts them smaller."""
    from classify import jobs as classify_jobs
    from classify import services
    from rank import jobs as rank_jobs
    from rank.services import services as service

    environment("ASSAY_CLASSIFIER", "tiny-text")
    aws.publish("tiny-text")
    handlers = {
        "RankPlan": rank_jobs.plan_handler,
        "ClassifyShard": classify_jobs.shard_handler,
        "RankMerge": rank_jobs.merge_handler,
    }
    machine = create(handlers, monkeypatch)
    environment("ASSAY_FILE_MACHINE", machine.arn)
    environment("ASSAY_SHARD_CONCURRENCY", "2")
    caches = (service, services.services)
    for each in caches:
        each.cache_clear()
    yield Drop(aws, classify_jobs.upload_handler, machine, "classification.json")
    for each in caches:
        each.cache_clear()


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set how many bytes a shard has, and how many shards and bytes a job may have."""

    def cut(shard_bytes: int, shards: int = 1000, unsplit_bytes: int = 1 << 30) -> None:
        from classify.services import services as of_classify
        from rank.services import services as of_rank

        monkeypatch.setattr("assay.jobs.environment.caps", lambda _: Caps(shard_bytes, shards, unsplit_bytes))
        for services in (of_rank, of_classify):  # which keep the desk that they made
            if services.cache_info().currsize:
                vars(services()).pop("desk", None)

    return cut
