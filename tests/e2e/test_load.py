"""A little of `make load` and of `make soak`, against the service that all tests share."""

import io
from collections import Counter
from dataclasses import replace

import pytest

from tests.e2e.running import Service
from tests.load.load import KINDS, load, told
from tests.load.soak import HEADER, soak

pytestmark = pytest.mark.slow


def test_requests_at_once_are_all_answered_rightly(service: Service) -> None:
    for kind in KINDS:
        found = load(service, kind, count=24, concurrent=8, seed=3)
        assert (found.statuses.total(), found.wrong) == (24, Counter())
        assert told(found).startswith(f"{kind}: 24 requests")


def test_a_service_that_does_not_answer_is_counted_and_ends_nothing(service: Service) -> None:
    away = replace(service, url="http://127.0.0.1:9")
    found = load(away, "rank", count=3, concurrent=2, seed=3)
    assert (found.statuses, found.wrong.total()) == (Counter({0: 3}), 3)


def test_a_soak_notes_memory_and_asks_files_too(service: Service) -> None:
    out = io.StringIO()
    done = soak(service, out, seed=3, minutes=0.02, rate=20)
    assert done.wrong == {}
    lines = out.getvalue().splitlines(keepends=True)
    assert lines[0] == HEADER
    assert float(lines[-1].split(",")[1]) > 50
    done.asked = 199
    done.ask()
    assert done.wrong == {}
