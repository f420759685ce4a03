from collections import Counter
from pathlib import Path

import pytest

from assay.models.registry import Registry
from tests.conftest import Aws
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
