"""What Lambda costs by memory size, from measured rates: which is cheapest, which fastest.

Prices are AWS's list prices for us-east-1, first tier (aws.amazon.com/lambda/pricing): dollars a GB-second, and a
request. Memory buys vCPUs in proportion, one for 1,769 MB (docs.aws.amazon.com/lambda, "Configure memory").
"""

from collections.abc import Mapping
from typing import Final

from benchmarks.measuring import Report, Times

GB_SECOND: Final[Mapping[str, float]] = {"x86": 0.0000166667, "arm64": 0.0000133334}
AS_OF: Final = "as quoted in May 2026"
MB_PER_VCPU: Final = 1769
MEMORIES: Final = (1769, 3538, 7076)
DEFAULT: Final = 3008
"""The template's RankMemory and ClassifyMemory: what a new account may have at most."""
BATCHES: Final = {"rank": (1_000_000, "million sequences"), "classify": (1000, "thousand abstracts")}


def seconds_per_item(memory: int, times: Mapping[int, Times]) -> float:
    """Return what an item takes: measured at one and two vCPUs, between them by their line, beyond as if two doubled.

    `times` are by threads: 1 and 2. Below one vCPU the time grows as the share shrinks.
    """
    vcpus, (one, two) = memory / MB_PER_VCPU, (1 / times[1].median, 1 / times[2].median)
    if vcpus <= 1:
        return 1 / (one * vcpus)
    if vcpus <= 2:
        return 1 / (one + (two - one) * (vcpus - 1))
    return 1 / (two * vcpus / 2)


def dollars(memory: int, seconds: float, price: float) -> float:
    """Return the price of so many seconds of a function."""
    return memory / 1024 * seconds * price


def tables(said: Report, rates: Mapping[str, Mapping[int, Times]]) -> None:
    """Add for each job time and dollars by memory size."""
    said.add(
        f"## Dollars on Lambda: list prices of us-east-1, {AS_OF}: "
        + ", ".join(f"${price:.10f} a GB-second on {kind}" for kind, price in GB_SECOND.items()),
        "Compute alone, warm. Rates of one and two vCPUs are those of one and two threads here; four are counted as "
        f"twice two; {DEFAULT:,} MB (the template's default, all that a new account may have) lies between one and two "
        "by a line. No arm64 processor was measured: its column takes x86's rates, and is right where they are equal.",
    )
    for job, times in rates.items():
        count, named = BATCHES[job]
        rows = []
        for memory in sorted({*MEMORIES, DEFAULT}):
            taken = seconds_per_item(memory, times) * count
            prices = (f"{dollars(memory, taken, price):.3g}" for price in GB_SECOND.values())
            rows.append((f"{memory:,}", f"{memory / MB_PER_VCPU:.2f}", f"{taken:.2f}", *prices))
        said.add(f"A {named}, {job}:")
        said.table(("MB", "vCPUs", "s", "$ x86", "$ arm64"), rows)
