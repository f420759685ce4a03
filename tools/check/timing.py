"""How long calls take: the first, which may start a function, and the median of those that follow."""

import time
from collections.abc import Callable
from statistics import median
from typing import Final

from tools.check.promises import hold

FIRST: Final = 29.0
"""Seconds within which API Gateway wants an answer."""
WARM: Final = 3.0
"""Seconds, the network's included, above which a warm call is not at once."""
CALLS: Final = 5


def time_calls(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of a first call and the median of the next five."""
    first, *rest = (_time(call) for _ in range(1 + CALLS))
    return first, median(rest)


def hold_times(first: float, warm: float) -> str:
    """Return both times in words. Raises Broken where one is over its limit."""
    hold(first <= FIRST, f"the first call took {first:.1f} s, and API Gateway waits {FIRST:.0f}")
    hold(warm <= WARM, f"a warm call takes {warm:.1f} s (median of {CALLS}), more than {WARM:.0f}")
    return f"first {first:.2f} s, then {warm:.3f} s"


def _time(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
