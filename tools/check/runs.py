"""Run all checks in order, clean up in any case, and report the results as a table or JSON."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from tools.check import journeys, label_calls, rank_calls, readiness, watch
from tools.check.ground import Ground
from tools.check.promises import Check, Finding, skip, try_all, try_one

CHECKS: Final[Sequence[Check[Ground]]] = (
    *readiness.CHECKS,
    rank_calls.TIMES,
    label_calls.TIMES,
    *rank_calls.CHECKS,
    *label_calls.CHECKS,
    *readiness.GATEWAY_CHECKS,
    *journeys.CHECKS,
    *watch.CHECKS,
)
NAMES: Final = tuple(check.name for check in (*CHECKS, *watch.CLEANING_CHECKS))
SIGNS: Final = {"kept": "✓", "broken": "✗", "skipped": "-"}
WORDS: Final = {"kept": "ok", "broken": "BROKEN", "skipped": "skipped"}
_WIDEST: Final = max(map(len, NAMES))


def run_checks(ground: Ground, without: Collection[str] = (), only: Collection[str] = ()) -> Iterator[Finding]:
    """Yield how each check ends; what was made is taken away even where the run is interrupted."""
    chosen = [check for check in CHECKS if not only or check.name in only]
    try:
        yield from try_all(chosen, ground, without)
    finally:
        [last] = watch.CLEANING_CHECKS
        cleaned = skip(last, "left out by --without") if last.name in without else try_one(last, ground)
    yield cleaned


def line(finding: Finding, encoding: str = "utf-8") -> str:
    """Return a row of the table: mark, name, seconds, what was seen or wrong; signs only where they can be written."""
    signs = SIGNS if _writable(encoding) else WORDS
    mark = signs[finding.mark].ljust(max(map(len, signs.values())))
    seconds = "       " if finding.mark == "skipped" else f"{finding.seconds:5.2f} s"
    told = finding.note if finding.mark != "broken" else f"{finding.promise}: {finding.note}"
    return f"{mark} {finding.name.ljust(_WIDEST)} {seconds}  {told}".rstrip()


def format_summary(findings: Iterable[Finding]) -> str:
    """Return the last line of the table."""
    found = list(findings)
    marks = Counter(finding.mark for finding in found)
    seconds = sum(finding.seconds for finding in found)
    return f"{marks['kept']} kept, {marks['broken']} broken, {marks['skipped']} skipped in {seconds:.0f} s"


def as_json(url: str, findings: Sequence[Finding]) -> str:
    """Return a run as JSON."""
    passed = all(finding.mark != "broken" for finding in findings)
    checks = [finding.to_json() for finding in findings]
    return json.dumps({"url": url, "passed": passed, "checks": checks}, indent=2, ensure_ascii=False)


def _writable(encoding: str) -> bool:
    try:
        "".join(SIGNS.values()).encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
