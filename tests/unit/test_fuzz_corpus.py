"""What fuzzing found hard is replayed, with bytes of chance around it; the fuzzer itself is `make fuzz`."""

import importlib
import os
import random
from collections.abc import Iterator

import pytest

from assay.http import routing
from assay.telemetry import logger
from tests.fuzz import adapters, events
from tests.fuzz.targets import CORPUS, LONGEST, TARGETS, seeds

APIS = ("rank.api", "classify.api")
SLOW = {"rank-api", "classify-api", "pdf"}


@pytest.fixture(scope="module", autouse=True)
def _undone() -> Iterator[None]:
    """Undo what targets do to their process: this one has other tests to run."""
    environment, level = dict(os.environ), logger.level
    patched = [(vars(routing), dict(vars(routing)))]
    adapters.quiet()
    patched += [(vars(module), dict(vars(module))) for module in map(importlib.import_module, APIS)]
    yield
    os.environ.clear()
    os.environ.update(environment)
    logger.level = level
    for names, before in patched:
        names.update(before)
    for cached in (adapters.quiet, events._rank, events._classify):
        cached.cache_clear()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_is_read_or_refused(name: str) -> None:
    kept = seeds(name)
    assert kept
    for path in kept:
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", sorted(TARGETS.keys() - SLOW))
def test_what_is_kept_may_be_damaged(name: str) -> None:
    chance = random.Random(name)
    for path in seeds(name)[:8]:
        body = bytearray(path.read_bytes())
        for _ in range(3):
            body[chance.randrange(len(body))] = chance.randrange(256)
            TARGETS[name](bytes(body))


def test_the_corpus_is_small_and_each_input_is_of_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    kept = {name: [path.stat().st_size for path in seeds(name)] for name in TARGETS}
    assert sum(map(sum, kept.values())) < 200_000
    assert all(max(sizes) <= LONGEST.get(name, 4000) for name, sizes in kept.items())
