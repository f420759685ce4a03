"""Whatever is switched on and off, nothing that is created mentions what is not: CloudFormation would refuse it all."""

import copy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.combinations import Template, combinations, evaluate, find_missing
from tests.unit.templates import transformed, written
from tools.audit.transform import translate_template
from tools.provisioned import main
from tools.template import load_template


@cache
def kept_warm() -> dict[str, Any]:
    """Return the template that keeps environments warm, as written."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "template.yaml")
        main(["2", "--output", str(path)])
        return load_template(path)


@cache
def templates() -> dict[str, dict[str, Any]]:
    """Return every form in which the stack may be deployed."""
    return {
        "written": written(),
        "transformed": transformed(),
        "kept warm": kept_warm(),
        "kept warm, transformed": translate_template(kept_warm()),
    }


FORMS = ("written", "transformed", "kept warm", "kept warm, transformed")
SWITCHES = list(combinations(written()))
CONDITIONAL = sorted(name for name, each in written()["Resources"].items() if "Condition" in each)
ALWAYS = sorted(name for name, each in written()["Resources"].items() if "Condition" not in each)


def test_every_condition_is_both_true_and_false_in_some_combination() -> None:
    seen = [evaluate(written(), given) for given in SWITCHES]
    assert len(SWITCHES) >= 96
    for name in written()["Conditions"]:
        assert {each[name] for each in seen} == {True, False}, name


@pytest.mark.parametrize("form", FORMS)
def test_nothing_that_is_created_mentions_what_is_not(form: str) -> None:
    found = {each: given for given in SWITCHES for each in find_missing(templates()[form], given)}
    assert found == {}


def _mentioning(name: str, how: str) -> dict[str, Any]:
    forms: dict[str, dict[str, Any]] = {
        "Ref": {"Metadata": {"inside": [{"deep": {"Ref": name}}]}},
        "Fn::GetAtt": {"Metadata": {"inside": {"Fn::GetAtt": [name, "Arn"]}}},
        "Fn::Sub": {"Metadata": {"inside": {"Fn::Sub": ["${!literal} ${one} ${" + name + ".Arn}", {"one": "1"}]}}},
        "Fn::If": {"Metadata": {"inside": {"Fn::If": ["Keyed", {"Ref": name}, {"Ref": name}]}}},
        "DependsOn": {"DependsOn": [name]},
    }
    return forms[how]


@given(
    missing=st.sampled_from(CONDITIONAL),
    place=st.sampled_from(ALWAYS),
    how=st.sampled_from(["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::If", "DependsOn"]),
    switches=st.sampled_from(SWITCHES),
)
def test_a_mention_of_what_is_optional_is_found_wherever_it_stands(
    missing: str, place: str, how: str, switches: dict[str, str]
) -> None:
    broken: Template = copy.deepcopy(written())
    broken["Resources"][place].update(_mentioning(missing, how))
    found = (place, missing) in {(each.place, each.name) for each in find_missing(broken, switches)}
    assert found != evaluate(broken, switches)[broken["Resources"][missing]["Condition"]]


def test_an_order_among_parts_with_one_condition_is_no_fault() -> None:
    assert written()["Resources"]["ApiAccessLogs"]["DependsOn"] == "ApiLogAccount"
    assert "DependsOn" not in written()["Resources"]["Api"]
    setting = written()["Resources"]["Api"]["Properties"]["AccessLogSetting"]["Fn::If"]
    assert setting[0] == "AccessLogged"
    assert setting[1]["DestinationArn"] == {"Fn::GetAtt": ["ApiAccessLogs", "Arn"]}
