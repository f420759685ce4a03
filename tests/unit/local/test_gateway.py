"""What the local gateway refuses by itself, in the words of the template's gateway responses."""

import gzip
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from tools.local.gateway import BODY_LIMIT, Gateway
from tools.local.servers import Server, listen
from tools.local.stack import read_stack

ROOT = Path(__file__).resolve().parents[3]
KEY = "a-key"


def client(api_key: str | None = KEY, **parameters: str) -> Client:
    stack = read_stack(ROOT / "template.yaml", parameters)

    def invoke(function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return {"statusCode": 200, "body": json.dumps([function, event["path"]])}

    return Client(Gateway(stack.routes, stack.rest, invoke, log=False, api_keys=[api_key] if api_key else []))


def code(reply: TestResponse) -> str:
    assert reply.headers["Access-Control-Allow-Origin"]
    error = json.loads(reply.data)["error"]
    assert set(error) == {"code", "message", "details"}
    return str(error["code"])


@pytest.mark.parametrize("given", [{}, {"x-api-key": "another"}, {"x-api-key": ""}])
def test_a_closed_route_wants_the_key(given: dict[str, str]) -> None:
    reply = client().post("/rank", headers=given)
    assert (reply.status_code, code(reply)) == (403, "forbidden")
    assert "x-api-key" in reply.text


@pytest.mark.parametrize("prefix", ["", "/prod"])
def test_the_key_opens_it(prefix: str) -> None:
    reply = client().post(f"{prefix}/rank", headers={"X-Api-Key": KEY})
    assert json.loads(reply.data) == ["RankApiFunction", "/rank"]


@pytest.mark.parametrize("path", ["/", "/upload", "/docs", "/openapi.json", "/health", "/models", "/jobs/x"])
def test_pages_description_health_and_a_job_by_its_id_are_open(path: str) -> None:
    assert client().get(f"/prod{path}").status_code == 200


def test_a_job_by_its_uploads_key_is_closed() -> None:
    assert client().get("/jobs?upload=rank/a.txt").status_code == 403


@pytest.mark.parametrize("parameters", [{"Access": "OPEN"}, {"Access": "KEYS"}])
def test_without_a_key_to_want_everything_is_open(parameters: dict[str, str]) -> None:
    assert client(None, **parameters).post("/rank").status_code == 200


def test_preflight_needs_no_key_and_names_what_may_be_sent() -> None:
    reply = client(AllowedOrigin="https://lab.example.org").options("/prod/upload_file")
    assert reply.status_code == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "https://lab.example.org"
    assert reply.headers["Access-Control-Allow-Methods"] == "GET,OPTIONS,POST"
    assert {"x-api-key", "prefer", "content-type"} <= set(reply.headers["Access-Control-Allow-Headers"].split(","))


@pytest.mark.parametrize(("method", "path"), [("GET", "/rank"), ("POST", "/nothing"), ("OPTIONS", "/nothing")])
def test_no_such_route_or_method_is_404(method: str, path: str) -> None:
    reply = client().open(path, method=method)
    assert (reply.status_code, code(reply)) == (404, "not_found")


@pytest.mark.parametrize(
    ("accepted", "length", "packed"), [("gzip, br", 40_000, True), ("gzip", 40, False), ("", 40_000, False)]
)
def test_a_long_reply_is_gzipped_for_who_accepts_it(accepted: str, length: int, packed: bool) -> None:
    stack = read_stack(ROOT / "template.yaml", {})
    gateway = Gateway(stack.routes, stack.rest, lambda *_: {"statusCode": 200, "body": "x" * length}, log=False)
    reply = Client(gateway).get("/page/app.js", headers={"Accept-Encoding": accepted})
    assert (reply.headers.get("Content-Encoding") == "gzip") is packed
    assert (gzip.decompress(reply.data) if packed else reply.data) == b"x" * length


def test_a_body_over_the_gateways_limit_is_413() -> None:
    reply = client().post("/rank", data=b"x" * (BODY_LIMIT + 1), headers={"X-Api-Key": KEY})
    assert (reply.status_code, code(reply)) == (413, "too_large")


@pytest.mark.parametrize("chunks", [b"zz\r\nMKV\r\n0\r\n\r\n", b"-1\r\n\r\n", b"\r\n\r\n", b"5\r\nx"])
def test_chunks_of_no_size_are_the_callers_fault(chunks: bytes) -> None:
    stack = read_stack(ROOT / "template.yaml", {})
    listener = listen("127.0.0.1", 0)
    server = Server(Gateway(stack.routes, stack.rest, lambda *_: {"statusCode": 200, "body": ""}, log=False), listener)
    head = b"POST /rank HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as caller:
            caller.sendall(head + chunks)
            caller.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: caller.recv(1 << 16), b""))
    finally:
        server.stop()
    assert said.startswith(b"HTTP/1.1 400"), said
    assert json.loads(said.rpartition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"
