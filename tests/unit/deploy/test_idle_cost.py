"""What a stack costs idle is counted in the template, and the documents say the same."""

import pytest

from tests.unit.templates import ROOT, of_type, written
from tools.deploy.idle_cost import FREE_ALARMS, Item, count_model_gb, list_upkeep
from tools.deploy.prices import ALARM_MONTH

MODELS = count_model_gb(ROOT / "models")


def dollars(**parameters: str) -> tuple[float, float]:
    items = list_upkeep(written(), parameters, MODELS)
    return sum(each.dollars for each in items), sum(each.beyond_free for each in items)


def test_an_idle_month_costs_cents_beyond_what_an_account_has_for_nothing() -> None:
    listed, beyond = dollars()
    assert beyond < 0.10
    assert listed < 4.10
    assert len(of_type("AWS::CloudWatch::Alarm")) <= FREE_ALARMS


@pytest.mark.parametrize(
    ("parameters", "more"), [({"ShowDashboard": "no"}, -3.0), ({"RequestsPerAddress": "100"}, 6.0)]
)
def test_a_parameter_changes_what_it_turns_on_or_off(parameters: dict[str, str], more: float) -> None:
    assert dollars(**parameters)[0] - dollars()[0] == pytest.approx(more)


def test_alarms_are_counted() -> None:
    [alarms] = [each for each in list_upkeep(written(), {}, MODELS) if "alarms" in each.name]
    assert alarms.dollars == pytest.approx(ALARM_MONTH * len(of_type("AWS::CloudWatch::Alarm")))


def test_the_documents_table_is_what_is_counted() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    for each in [*list_upkeep(written(), {}, MODELS), Item("**a month**", *dollars())]:
        assert f"| {each.name} | ${each.dollars:.3f} | ${each.beyond_free:.3f} |" in page
