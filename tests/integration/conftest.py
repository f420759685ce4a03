from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.models.registry import Registry
from tests.conftest import Aws
from tests.events import Context
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
    from rank.wiring import service

    environment("ASSAY_GATE_MODEL", "tiny-index")
    environment("ASSAY_SCORE_MODEL", "tiny-index")
    aws.publish("tiny-index")
    service.cache_clear()
    yield lambda event: handler(event, Context())
    service.cache_clear()
