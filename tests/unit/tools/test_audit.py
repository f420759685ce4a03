"""What is waived has a reason and is needed; what is vulnerable fails; licences are those of the pinned packages."""

from types import SimpleNamespace

import pytest

from tests.unit.templates import transformed
from tools.audit.advisories import describe_advisory
from tools.audit.licences import COPYLEFT, PAGE, licence, packages, page
from tools.audit.template_findings import TemplateFinding, Waiver, drop_waived, unneeded_waivers, waivers
from tools.audit.validation import severe

WAIVED = {"A_1": Waiver("for all", frozenset()), "A_2": Waiver("for one", frozenset({"Queue"}))}


def test_a_failure_is_waived_by_its_check_or_for_its_resource_alone() -> None:
    findings = [
        TemplateFinding("A_1", "Table"),
        TemplateFinding("A_2", "Queue"),
        TemplateFinding("A_2", "Topic"),
        TemplateFinding("A_3", "Queue"),
    ]
    assert drop_waived(findings, WAIVED) == [findings[2], findings[3]]


def test_a_waiver_that_nothing_needs_is_told() -> None:
    assert unneeded_waivers([TemplateFinding("A_1", "Table"), TemplateFinding("A_2", "Queue")], WAIVED) == []
    assert unneeded_waivers([TemplateFinding("A_2", "Topic")], WAIVED) == ["A_1", "A_2 Queue"]


@pytest.mark.parametrize("check", sorted(waivers()))
def test_every_waiver_gives_its_reason(check: str) -> None:
    assert len(waivers()[check].reason) > 30
    assert waivers()[check].resources <= set(transformed()["Resources"])


def test_a_vulnerable_version_fails_and_what_was_not_looked_up_is_said() -> None:
    clean, bad = {"name": "a", "version": "1", "vulns": []}, {"name": "b", "version": "2", "vulns": [{"id": "CVE-1"}]}
    assert describe_advisory("lock", [clean]) == ("lock: 1 of 1 packages looked up, 0 vulnerabilities", False)
    line, failed = describe_advisory("lock", [bad, {"name": "c", "skip_reason": "not found"}])
    assert failed
    assert "1 of 2 packages" in line
    assert "the index gives no advisories for the rest; b 2: CVE-1" in line


def test_only_what_would_be_refused_is_told() -> None:
    said = [
        SimpleNamespace(
            severity=SimpleNamespace(name=name), rule_id=rule, message="no", entity=SimpleNamespace(logical_id="Api")
        )
        for name, rule in (("ERROR", "E3005"), ("WARN", "W1030"), ("FATAL", "F1020"), ("INFO", "I9001"))
    ]
    assert severe(said) == ["E3005 Api: no", "F1020 Api: no"]


def test_the_page_of_licences_is_that_of_the_pinned_packages() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tools.audit.licences`"


@pytest.mark.parametrize("name", sorted(packages()))
def test_no_package_that_runs_is_copyleft(name: str) -> None:
    found = licence(name) or ""
    assert found not in ("", "not declared")
    assert not COPYLEFT.search(found)
