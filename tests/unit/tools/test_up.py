"""The local service says little before it is ready: no line of metrics, every other line."""

import io
import json
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from tools.cli.up import WithoutMetrics

METRICS = json.dumps({"_aws": {"Timestamp": 1}, "Scored": 2}, separators=(",", ":"))
CALL = json.dumps({"service": "portal", "seconds": 0.2}, separators=(",", ":"))
LINES = st.lists(st.sampled_from(["", "ready", '{"level":"WARNING"}', METRICS, CALL]))


@given(LINES)
def test_metrics_are_left_out_with_their_ends_of_line_and_nothing_else(lines: Iterable[str]) -> None:
    out = io.StringIO()
    stream = WithoutMetrics(out)
    for line in lines:
        print(line, file=stream, flush=True)
    assert out.getvalue() == "".join(f"{line}\n" for line in lines if line not in (METRICS, CALL))
