"""What every reply of a function carries."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from assay.http import routing
from tests.events import Context, post


@pytest.fixture
def headers(environment: Callable[[str, str], None]) -> Iterator[Callable[[str], dict[str, list[str]]]]:
    def answered(origin: str) -> dict[str, list[str]]:
        environment("ASSAY_ALLOWED_ORIGIN", origin)
        routing._share.cache_clear()
        reply: dict[str, Any] = routing.answer(routing.Router(), post("/nothing", b""), Context())
        assert reply["statusCode"] == 404
        found: dict[str, list[str]] = reply["multiValueHeaders"]
        return found

    yield answered
    routing._share.cache_clear()


def test_pages_of_the_allowed_origin_may_read_replies_and_their_headers(headers: Any) -> None:
    found = headers("https://lab.example.org")
    assert found["Access-Control-Allow-Origin"] == ["https://lab.example.org"]
    assert found["Access-Control-Expose-Headers"] == ["*"]
    assert found["Vary"] == ["Origin"]
    assert found["Content-Type"] == ["application/json"]


def test_without_an_origin_there_are_no_such_headers(headers: Any) -> None:
    assert not [name for name in headers("") if name.startswith("Access-Control")]
