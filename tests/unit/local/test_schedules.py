import threading

import pytest

from tests.unit.templates import ROOT
from tools.local import stack
from tools.local.lambdas import Ticker
from tools.local.stack import Schedule, parse_rate


@pytest.mark.parametrize(
    ("text", "seconds"), [("rate(15 minutes)", 900), ("rate(1 hour)", 3600), ("rate(2 days)", 172_800)]
)
def test_a_rate_in_seconds(text: str, seconds: float) -> None:
    assert parse_rate(text) == seconds


def test_what_is_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="cron"):
        parse_rate("cron(0 12 * * ? *)")


def test_jobs_are_swept_here_as_in_the_cloud() -> None:
    assert stack.read_stack(ROOT / "template.yaml").schedules == (Schedule("JobSweepFunction", 3600),)


def test_a_function_is_called_until_stopped() -> None:
    called = threading.Event()
    ticker = Ticker([Schedule("Sweep", 0.001)], lambda name, event: called.set())
    assert called.wait(30)
    ticker.stop()
