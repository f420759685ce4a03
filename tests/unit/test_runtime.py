import json
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("awslambdaric", reason="AWS's runtime client is made for Linux only")

from assay import lambda_runtime


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> lambda_runtime.RuntimeClient:
    """A client whose next events are one cut short and one whole."""
    waiting = [_request("cut", b"x" * lambda_runtime.PAYLOAD_LIMIT), _request("whole", b"{}")]
    monkeypatch.setattr(lambda_runtime.RuntimeClient.__base__, "wait_next_invocation", lambda _: waiting.pop(0))
    return lambda_runtime.RuntimeClient("nowhere", False)


def _request(name: str, body: bytes) -> Any:
    return SimpleNamespace(invoke_id=name, event_body=body)


def test_an_event_cut_short_is_answered_with_where_to_send_it(
    client: lambda_runtime.RuntimeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted: dict[str, Any] = {}
    monkeypatch.setattr(client, "post_invocation_result", lambda name, text: posted.update({name: json.loads(text)}))
    assert client.wait_next_invocation().invoke_id == "whole"
    assert list(posted) == ["cut"]
    assert posted["cut"]["statusCode"] == 413
    assert "POST /uploads" in json.loads(posted["cut"]["body"])["error"]["message"]
