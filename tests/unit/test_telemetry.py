import json
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from assay import telemetry, tracing
from tests.logs import capture, lines, metrics

CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=1, invoked_function_arn="arn", aws_request_id="invocation-1"
)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Assay/test")
    monkeypatch.setattr(telemetry, "_fresh", False)
    capture(monkeypatch)


def test_a_metric_is_a_line_in_the_embedded_format(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.measure("CacheHits", 3, model="m")
    [line] = lines(capsys)
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Assay/test",
        "Dimensions": [["service", "model"]],
        "Metrics": [{"Name": "CacheHits", "Unit": "Count"}],
    }
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert (line["CacheHits"], line["model"], line["service"]) == (3, "m", "assay")


@pytest.mark.parametrize("name", sorted(telemetry.ALARMED))
def test_what_alarms_watch_is_emitted_without_dimensions_too(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.measure(name, 1, model="m")
    [line] = lines(capsys)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service", "model"], []]


def test_metrics_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
    telemetry.measure("CacheHits", 3)
    assert lines(capsys) == []


def test_a_phase_is_recorded_though_it_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), telemetry.phase("fetch", model="m"):
        raise KeyError
    assert metrics(lines(capsys))["FetchSeconds"] >= 0


def test_rejects_are_counted_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.scored(7)
    telemetry.rejected({"length": 2, "residue": 1})
    found = lines(capsys)
    assert metrics(found)["SequencesScored"] == 7
    assert {line["reason"]: line["RecordsRejected"] for line in found if "reason" in line} == {
        "length": 2,
        "residue": 1,
    }


def test_a_call_is_timed_and_its_lines_carry_the_ids(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @telemetry.observed
    def handler(event: dict[str, Any], context: Any) -> str:
        telemetry.logger.info("at work")
        return "done"

    monkeypatch.setattr(telemetry, "_fresh", True)
    assert handler({"requestContext": {"requestId": "request-1"}}, CONTEXT) == "done"
    first = lines(capsys)
    assert handler({"job_id": "job-1"}, CONTEXT) == "done"
    second = lines(capsys)
    assert metrics(first).keys() == {"ColdStarts", "InvocationSeconds"}
    assert metrics(second).keys() == {"InvocationSeconds"}
    [logged] = [line for line in first if line.get("message") == "at work"]
    assert (logged["request_id"], logged["function_request_id"]) == ("request-1", "invocation-1")
    [logged] = [line for line in second if line.get("message") == "at work"]
    assert logged["job_id"] == "job-1"
    assert "request_id" not in logged


def test_an_unforeseen_error_is_logged_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("MKSECRETSEQ")
    except ValueError as error:
        telemetry.failure("unexpected error", error)
    [line] = lines(capsys)
    assert line["kind"] == "ValueError"
    assert "test_telemetry.py" in line["places"][-1]
    assert "MKSECRETSEQ" not in json.dumps(line)


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Where X-Ray's daemon would listen, in an invocation that is traced."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3f;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0")
        yield listening


def test_a_phase_of_a_traced_call_is_a_subsegment(daemon: socket.socket) -> None:
    telemetry.record("fetch", 0.25, model="m")
    header, _, segment = daemon.recv(65_536).partition(b"\n")
    found = json.loads(segment)
    assert json.loads(header) == {"format": "json", "version": 1}
    assert found["end_time"] - found["start_time"] == pytest.approx(0.25, abs=1e-3)
    assert (found["trace_id"], found["parent_id"]) == ("1-5759e988-bd862e3f", "53995c3f42cd8ad8")
    assert (found["name"], found["type"], found["annotations"]) == ("fetch", "subsegment", {"model": "m"})
    assert len(found["id"]) == 16


@pytest.mark.parametrize("header", ["", "Root=1-2-3;Parent=4;Sampled=0", "Root=1-2-3;Sampled=1", "nonsense"])
def test_a_call_that_is_not_traced_sends_nothing(
    daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    tracing.span("fetch", 0.25)
    daemon.setblocking(False)
    with pytest.raises(BlockingIOError):
        daemon.recv(1)


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:none", "256.256.256.256:99999"])
def test_a_daemon_out_of_reach_is_no_failure(
    daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    tracing.span("fetch", 0.25)
