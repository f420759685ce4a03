import io
import json
import socket
from collections import Counter
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay import telemetry
from tests.logs import lines, metrics

CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=1, invoked_function_arn="arn", aws_request_id="invocation-1"
)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Assay/test")
    monkeypatch.setattr(telemetry, "_fresh", False)


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
    telemetry.count_scored(7)
    telemetry.count_rejected({"length": 2, "residue": 1})
    found = lines(capsys)
    assert metrics(found)["SequencesScored"] == 7
    assert {line["reason"]: line["RecordsRejected"] for line in found if "reason" in line} == {
        "length": 2,
        "residue": 1,
    }


def test_a_call_is_timed_and_its_lines_carry_the_ids(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @telemetry.observe
    def handler(event: dict[str, Any], context: Any) -> str:
        telemetry.logger.info("at work")
        return "done"

    monkeypatch.setattr(telemetry, "_fresh", True)
    assert handler({"requestContext": {"requestId": "request-1"}}, CONTEXT) == "done"
    first = lines(capsys)
    assert handler({"job_id": "job-1"}, CONTEXT) == "done"
    second = lines(capsys)
    assert metrics(first) == {"ColdStarts": 1}
    assert metrics(second) == {}
    assert len(first) == len(second) == 2
    for line in first:
        assert (line["request_id"], line["function_request_id"]) == ("request-1", "invocation-1")
    for line in second:
        assert line["job_id"] == "job-1"
        assert "request_id" not in line
    assert first[-1]["seconds"] >= 0


def test_what_a_call_measures_is_one_line_where_no_name_has_two_meanings(capsys: pytest.CaptureFixture[str]) -> None:
    @telemetry.observe
    def handler(event: dict[str, Any], context: Any) -> None:
        telemetry.measure("CacheHits", 3)
        telemetry.measure("CacheHits", 4)
        telemetry.measure("FetchSeconds", 0.5, "Seconds", model="a")
        telemetry.measure("FetchSeconds", 0.25, "Seconds", model="b")
        telemetry.measure("ModelServes", 1, model="a", version="1")

    handler({}, CONTEXT)
    first, second = lines(capsys)
    assert (first["CacheHits"], first["FetchSeconds"], first["model"], first["version"]) == ([3, 4], 0.5, "a", "1")
    assert (second["FetchSeconds"], second["model"]) == (0.25, "b")
    said = {tuple(each["Dimensions"][0]): [metric["Name"] for metric in each["Metrics"]]
            for each in first["_aws"]["CloudWatchMetrics"]}  # fmt: skip
    assert said == {
        ("service",): ["CacheHits"],
        ("service", "model"): ["FetchSeconds"],
        ("service", "model", "version"): ["ModelServes"],
    }
    assert first["function_request_id"] == second["function_request_id"] == "invocation-1"


MEASURED = st.tuples(
    st.sampled_from(["Refused", "CacheHits", "FetchSeconds", "RecordsRejected"]),
    st.dictionaries(st.sampled_from(["model", "reason", "code"]), st.sampled_from("abc"), max_size=2),
    st.integers(0, 9),
)


@given(st.lists(MEASURED, max_size=250))
def test_nothing_that_is_measured_is_lost_or_told_of_another(measured: list[tuple[str, dict[str, str], int]]) -> None:
    @telemetry.observe
    def handler(event: dict[str, Any], context: Any) -> None:
        for name, about, value in measured:
            telemetry.measure(name, value, "Count", **about)

    written = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(written):
        patch.setenv("POWERTOOLS_METRICS_DISABLED", "")
        handler({}, CONTEXT)
    found: Counter[tuple[str, frozenset[tuple[str, str]], int]] = Counter()
    for line in map(json.loads, written.getvalue().splitlines()):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ()):
            about = {key: line[key] for key in directive["Dimensions"][0] if key != "service"}
            for name in (each["Name"] for each in directive["Metrics"]):
                values = line[name] if isinstance(line[name], list) else [line[name]]
                assert len(values) <= 100
                found.update((name, frozenset(about.items()), value) for value in values)
    assert found == Counter((name, frozenset(about.items()), value) for name, about, value in measured)


def test_a_call_that_fails_tells_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    @telemetry.observe
    def handler(event: dict[str, Any], context: Any) -> None:
        telemetry.measure("CacheHits", 3)
        raise KeyError

    with pytest.raises(KeyError):
        handler({}, CONTEXT)
    assert metrics(lines(capsys)) == {"CacheHits": 3}


def test_what_alarms_watch_does_not_wait_for_the_end_of_a_call(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[dict[str, Any]] = []

    @telemetry.observe
    def handler(event: dict[str, Any], context: Any) -> None:
        telemetry.measure("ModelRefused", 1)
        seen.extend(lines(capsys))

    handler({}, CONTEXT)
    assert metrics(seen) == {"ModelRefused": 1}


def test_a_call_that_nobody_asked_for_measures_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(telemetry, "_fresh", True)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "job-sweep")
    telemetry.observe(lambda *_: None)({}, CONTEXT)
    [line] = lines(capsys)
    assert "_aws" not in line


def test_an_unforeseen_error_is_logged_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        int("MKSECRETSEQ")
    except ValueError as error:
        telemetry.record_failure("unexpected error", error)
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
    telemetry.span("fetch", 0.25)
    daemon.setblocking(False)
    with pytest.raises(BlockingIOError):
        daemon.recv(1)


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:none", "256.256.256.256:99999"])
def test_a_daemon_out_of_reach_is_no_failure(
    daemon: socket.socket, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", address)
    telemetry.span("fetch", 0.25)
