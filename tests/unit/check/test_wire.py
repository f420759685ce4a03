"""Calls of a run: one that is one too many is made again, and given up in the end."""

from typing import Any

import pytest
import requests

from tools.check.wire import PATIENCE, Wire


def _wire(monkeypatch: pytest.MonkeyPatch, *statuses: int) -> tuple[Wire, list[Any], list[float]]:
    sent: list[Any] = []
    paused: list[float] = []

    def request(method: str, url: str, **options: Any) -> requests.Response:
        sent.append((method, url, options["headers"]))
        reply = requests.Response()
        reply.status_code = statuses[min(len(sent), len(statuses)) - 1]
        return reply

    wire = Wire("http://127.0.0.1:9/prod/", "key", pause=paused.append)
    monkeypatch.setattr(wire._session, "request", request)
    return wire, sent, paused


@pytest.mark.parametrize("refusals", [0, 1, PATIENCE - 1])
def test_a_call_that_is_one_too_many_is_made_again_a_second_later(
    refusals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, sent, paused = _wire(monkeypatch, *[429] * refusals, 200)
    assert wire.get("/health").status_code == 200
    assert sent == [("GET", "http://127.0.0.1:9/prod/health", {"x-api-key": "key"})] * (refusals + 1)
    assert paused == [1.0] * refusals


def test_a_call_that_is_always_one_too_many_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    wire, sent, _ = _wire(monkeypatch, 429)
    assert wire.post("/rank").status_code == 429
    assert len(sent) == PATIENCE


def test_another_refusal_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    wire, sent, paused = _wire(monkeypatch, 503)
    assert wire.get("/health").status_code == 503
    assert (len(sent), paused) == (1, [])
