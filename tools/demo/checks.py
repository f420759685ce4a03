"""What must hold for the demo to have worked. Pure; raises DemoFailed with what was seen."""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.demo.sequences import BAD

LEAST_PAIRS = 0.9
LEAST_DESIGNS = 0.8


class DemoFailed(Exception):
    """Something came out otherwise than it should."""


def expect(truth: bool, message: str) -> None:
    """Raise DemoFailed with a message unless something is true."""
    if not truth:
        raise DemoFailed(message)


def counts_add_up(counts: Mapping[str, int], sent: int) -> None:
    """Check received = scored + rejected + duplicates, and that nothing sent is missing."""
    expect(counts["received"] == sent, f"{sent} records were sent, {counts['received']} received")
    accounted = counts["scored"] + counts["rejected"] + counts["duplicates"]
    expect(accounted == sent, f"{sent} records were received, {accounted} accounted for: {dict(counts)}")
    expect(counts["rejected"] == len(BAD), f"{len(BAD)} bad records were sent, {counts['rejected']} rejected")


def designs_lead(ranked: Sequence[str], top: int = 10) -> int:
    """Check names in ranked order: there are `top` of them, nearly all designs; return how many."""
    expect(len(ranked) >= top, f"only {len(ranked)} sequences passed the gate, not even {top}")
    leading = sum(name.startswith("design-") for name in ranked[:top])
    expect(leading >= LEAST_DESIGNS * top, f"only {leading} of the first {top} are designs")
    return leading


def designs_beat_scrambles(ranked: Sequence[str], families: int) -> int:
    """Check names in ranked order: a design ranks above its own scramble; return for how many that holds."""
    place = {name: index for index, name in enumerate(ranked)}
    pairs = sum(_before(place, f"design-{number:02d}", f"scramble-{number:02d}") for number in range(1, families + 1))
    expect(pairs >= LEAST_PAIRS * families, f"only {pairs} of {families} designs rank above their own scramble")
    return pairs


def _before(place: Mapping[str, int], first: str, second: str) -> bool:
    return first in place and place[first] < place.get(second, len(place))


def labelled(result: Mapping[str, Any], archives: Sequence[str], name: str) -> None:
    """Check that the likeliest label of an abstract is one of its own archives."""
    best = max(result["scores"], key=result["scores"].__getitem__)
    expect(best in archives, f"arXiv:{name} is filed under {', '.join(archives)}, classified as {best}")
