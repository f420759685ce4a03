"""Nothing here fetches an address that a caller names, and the command line gives its key to no other host."""

import ast
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from assay.client import Assay, Refused
from assay.client.conversation import result_name
from tests.conftest import Aws
from tests.events import Context, post
from tests.integration.drops import GOOD

ROOT = Path(__file__).resolve().parents[2]
TALKS = frozenset(
    (
        "aiohttp",
        "ftplib",
        "httpx",
        "httpx2",
        "imaplib",
        "requests",
        "smtplib",
        "socket",
        "ssl",
        "telnetlib",
        "urllib3",
        "xmlrpc",
    )
)
TALKING = {"urllib.request", "http.client"}
AWS = "layers/assay/python/assay/aws"
ALLOWED = {
    "layers/assay/python/assay/telemetry.py": {"socket"},
    f"{AWS}/signed_requests.py": {"http.client", "ssl"},
    f"{AWS}/s3_reads.py": {"http.client"},
    f"{AWS}/dynamodb_batches.py": {"http.client"},
}
"""What may talk besides boto3: traces go to X-Ray's daemon, whose address Lambda's environment has; signed reads go to
the hosts of the deployment's buckets and table, which its settings and region name."""
CLIENT = {*ROOT.glob("layers/assay/python/assay/client/*.py")}
"""What runs on the caller's machine. That no function imports it is an import contract in pyproject.toml."""
URL = "http://169.254.169.254/latest/meta-data/iam/"
ADDRESSES = (
    URL,
    "file:///etc/passwd",
    "s3://models/models/x/current.json",
    "gopher://127.0.0.1:6379/_x",
    "//evil.example",
)


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_no_function_has_anything_to_fetch_with() -> None:
    talking = {}
    for path in {*ROOT.glob("functions/**/*.py"), *ROOT.glob("layers/assay/python/**/*.py")} - CLIENT:
        modules = {name for name in imported(path) if name in TALKING or name.partition(".")[0] in TALKS}
        if modules:
            talking[path.relative_to(ROOT).as_posix()] = modules
    assert talking == ALLOWED


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a socket was to be connected to, or a name looked up for; none is."""
    seen: list[Any] = []

    def refuse(*given: Any, **_: Any) -> Any:
        seen.append(given)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return seen


@pytest.fixture
def portal(aws: Aws) -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    from portal.app import handler
    from portal.services import services

    services.cache_clear()
    yield lambda event: handler(event, Context())
    services.cache_clear()


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_anywhere_in_a_ranking_is_a_text(call: Any, reached: list[Any], url: str) -> None:
    records = [{"id": url, "sequence": GOOD}, {"id": "x", "sequence": url}]
    bodies: list[tuple[bytes, dict[str, str] | None]] = [
        (json.dumps({"sequences": records}).encode(), None),
        (json.dumps({"sequences": url}).encode(), None),
        (json.dumps({"sequences": [GOOD], "score_model": url}).encode(), None),
        (json.dumps({"sequences": [GOOD], "result_url": url}).encode(), None),
        (json.dumps({"input_file": url}).encode(), None),
        (GOOD.encode(), {"score_model": url}),
        (GOOD.encode(), {"url": url}),
    ]
    for body, query in bodies:
        headers = {"Origin": url, "Referer": url, "X-Forwarded-Host": url, "Host": url, "Location": url}
        assert call(post("/rank", body, query=query, headers=headers))["statusCode"] in (200, 400, 404)
    assert reached == []


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_anywhere_in_the_portal_is_a_text(portal: Any, reached: list[Any], url: str) -> None:
    assert portal(post("/uploads", json.dumps({"filename": url}).encode()))["statusCode"] == 201
    assert portal(post("/uploads", json.dumps({"filename": "a", "url": url}).encode()))["statusCode"] == 400
    for path, query in (("/jobs", {"upload": url}), (f"/jobs/{url}", None), ("/models", {"after": url})):
        event = post(path, b"", query=query, headers={"Host": url}) | {"httpMethod": "GET"}
        assert portal(event)["statusCode"] in (200, 404)
    for path in (f"/v1/models/{url}", f"/v2/models/{url}"):
        assert portal(post(path, b"") | {"httpMethod": "GET"})["statusCode"] == 404
    assert reached == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", ["http://evil.example/", "//evil.example/", "http://127.0.0.1:9/"])
def test_a_redirect_does_not_take_the_key_along(status: int, location: str) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(status, headers={"Location": location}, json={})

    with (
        Assay("http://service.example", "the-secret", transport=httpx2.MockTransport(answer)) as service,
        pytest.raises(Refused, match="leads to"),
    ):
        service.job("x")
    assert asked == ["http://service.example/jobs/x"]


@pytest.mark.parametrize(
    "link", ["http://x/..", "http://x/a/%2e%2e", "http://x/", "http://x/a/%00", "http://x/a%0Ab", "x:"]
)
def test_a_result_is_saved_under_no_name_that_leaves_the_folder(link: str) -> None:
    with pytest.raises(Refused, match="no name of a file"):
        result_name(link)


@pytest.mark.parametrize("link", ["http://x/results/1/ranking.csv?X=1", "http://x/..%2f..%2franking.csv"])
def test_a_result_is_saved_under_the_last_part_of_its_link(link: str) -> None:
    assert result_name(link) == "ranking.csv"
