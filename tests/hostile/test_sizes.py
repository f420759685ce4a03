"""Requests whose parts have no bounds are refused, in few words, and are no 5xx."""

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.events import post
from tests.integration.drops import GOOD
from tools.local.gateway import Gateway
from tools.local.servers import Server, listen
from tools.local.stack import read_stack

ROOT = Path(__file__).resolve().parents[2]
LONG = "x" * 100_000


@pytest.mark.parametrize(
    "event",
    [
        post("/rank", GOOD.encode(), "text/plain", {"score_model": LONG}),
        post("/rank", GOOD.encode(), "text/plain", {LONG: "1"}),
        post("/rank", GOOD.encode(), "text/plain", {f"o{at}": "1" for at in range(2000)}),
        post("/rank", GOOD.encode(), "text/plain", {"top_k": "9" * 100_000}),
        post("/rank", GOOD.encode(), "text/plain", {"threshold": "9" * 100_000}),
        post("/rank", GOOD.encode(), "text/plain", headers={"Accept": "a/b;q=0.1," * 20_000}),
        post("/rank", GOOD.encode(), f"multipart/form-data; boundary={LONG}"),
        post("/rank", GOOD.encode(), LONG),
        post("/rank", json.dumps({LONG: 1}).encode()),
        post(f"/{LONG}", b""),
    ],
    ids=range(10),
)
def test_a_part_without_bounds_is_refused_in_few_words(call: Any, event: dict[str, Any]) -> None:
    reply = call(event)
    assert 400 <= reply["statusCode"] < 500
    assert len(reply["body"]) < 10_000


def test_many_headers_change_nothing(call: Any) -> None:
    reply = call(
        post("/rank", GOOD.encode(), "text/plain", headers={f"X-Header-{at}": "y" * 100 for at in range(2000)})
    )
    assert reply["statusCode"] == 200


@pytest.fixture
def port() -> Iterator[int]:
    """A local gateway whose functions answer with the path and the body that they were given."""
    stack = read_stack(ROOT / "template.yaml", {})

    def invoke(_: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps([event["path"], event["body"]])}

    server = Server(Gateway(stack.routes, stack.rest, invoke, log=False), listen("127.0.0.1", 0))
    yield server.port
    server.stop()


def answers(port: int, request: bytes) -> list[int]:
    """Return the statuses of what comes back for bytes sent as they are, until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        found = b"".join(iter(lambda: wire.recv(65536), b""))
    return [int(line.split()[1]) for line in found.split(b"\r\n") if line.startswith(b"HTTP/1.")]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /health HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01 HELLO\r\n\r\n",
    ],
    ids=["path", "header", "headers", "version", "not HTTP"],
)
def test_a_head_without_bounds_is_refused_by_the_local_gateway(port: int, head: bytes) -> None:
    statuses = answers(port, head)
    assert all(400 <= status < 600 and status != 500 for status in statuses)
    assert answers(port, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == [200]
