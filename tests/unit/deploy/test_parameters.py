"""Parameters are held to the template before anything is built or deployed."""

import re
import shlex
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.templates import written
from tools.deploy.parameters import (
    LONGEST_STACK,
    DeploymentRefused,
    complete,
    read_parameters,
    require_name,
    require_room_for_keys,
)

PARAMETERS = written()["Parameters"]
DEFAULTS = {name: str(each["Default"]) for name, each in PARAMETERS.items()}


def test_values_with_spaces_are_read_as_a_shell_does() -> None:
    given_text = "Access=IAM BucketPrefix='my-lab' AllowedOrigin=\"https://lab.example.org\" AlarmEmail="
    assert read_parameters(given_text, written()) == {
        "Access": "IAM",
        "BucketPrefix": "my-lab",
        "AllowedOrigin": "https://lab.example.org",
        "AlarmEmail": "",
    }
    assert read_parameters("", written()) == {}


def test_every_default_is_taken() -> None:
    text = " ".join(f"{name}={shlex.quote(value)}" for name, value in DEFAULTS.items())
    assert read_parameters(text, written()) == DEFAULTS


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Acces=IAM", "there is no parameter Acces"),
        ("Access=iam", "one of KEYS, IAM, OPEN"),
        ("RankMemory=lots", "a whole number from 512 to 10,240"),
        ("RankMemory=1e3", "a whole number from 512"),
        ("RankMemory=-1", "a whole number from 512"),
        ("RankMemory=10241", "a whole number from 512"),
        ("RequestsPerAddress=9", "10 to 2000000000"),
        ("BucketPrefix=Assay", "lower-case letters"),
        ("Access", "'Access' is not Name=value"),
        ("Access='IAM", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named(text: str, named: str) -> None:
    with pytest.raises(DeploymentRefused, match=re.escape(named)):
        read_parameters(text, written())


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(DeploymentRefused) as refused:
        read_parameters("Acces=IAM RankMemory=1 Access=KEYS UploadDays=0", written())
    assert len(str(refused.value).splitlines()) == 3


NUMBERS = sorted(name for name, each in PARAMETERS.items() if each["Type"] == "Number" and "MinValue" in each)


@given(st.sampled_from(NUMBERS), st.integers(-10, 2**40))
def test_a_number_is_taken_just_where_the_template_takes_it(name: str, value: int) -> None:
    allowed = PARAMETERS[name]["MinValue"] <= value <= PARAMETERS[name]["MaxValue"]
    if allowed:
        assert read_parameters(f"{name}={value}", written()) == {name: str(value)}
    else:
        with pytest.raises(DeploymentRefused, match=name):
            read_parameters(f"{name}={value}", written())


@given(st.text(max_size=80))
def test_a_text_is_read_or_refused(text: str) -> None:
    with suppress(DeploymentRefused):
        assert read_parameters(text, written()).keys() <= PARAMETERS.keys()


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,99}", fullmatch=True))
def test_a_stacks_name_leaves_room_for_what_is_named_after_it(name: str) -> None:
    longest_machine = 80
    if len(f"{name}-rank-file") <= longest_machine:
        require_name(name)
    else:
        with pytest.raises(DeploymentRefused, match=str(LONGEST_STACK)):
            require_name(name)


@given(st.text(max_size=10))
def test_a_stacks_name_is_letters_digits_and_hyphens(name: str) -> None:
    assume(not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name, re.ASCII))
    with pytest.raises(DeploymentRefused):
        require_name(name)


def test_a_key_may_not_ask_more_than_its_routes_take() -> None:
    require_room_for_keys(DEFAULTS)
    with pytest.raises(DeploymentRefused, match="RouteRequestsPerSecond"):
        require_room_for_keys({**DEFAULTS, "RequestsPerSecond": "50"})
    require_room_for_keys({**DEFAULTS, "RequestsPerSecond": "50", "RouteRequestsPerSecond": "50"})


def test_what_is_not_named_stays_as_the_stack_has_it() -> None:
    found = complete(written(), {"Access": "IAM", "GoneByNow": "1"}, {"LogDays": "7"})
    assert (found["Access"], found["LogDays"], found["UploadDays"]) == ("IAM", "7", DEFAULTS["UploadDays"])
    assert found.keys() == DEFAULTS.keys()
