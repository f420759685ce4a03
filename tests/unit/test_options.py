"""Options as text: numbers in ASCII digits, and nothing that only Python takes for one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidOption
from assay.options import RANKING, RankOptions, read_integer, read_options


@pytest.mark.parametrize("text", ["1_0", "\u0661\u0662", "0x10", "1.0", "", " ", "--1", "1 0", "\u00b2", "9" * 21])
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(InvalidOption):
        read_integer(text, "top_k")


@pytest.mark.parametrize(
    "text", ["1_0.5", "\u0661.5", "nan", "inf", "Infinity", "1e400", "", ".", "1e", "0x1p3", "1 0"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(InvalidOption):
        RANKING["threshold"].read(text, "threshold")


@pytest.mark.parametrize(("text", "value"), [("7", 7), (" 7", 7), ("-7", -7), ("+7", 7), ("007", 7)])
def test_integers(text: str, value: int) -> None:
    assert read_integer(text, "top_k") == value


@pytest.mark.parametrize(("text", "value"), [("-1e-3", -1e-3), ("5.", 5.0), (".5", 0.5), (" 0.5", 0.5), ("1E2", 100.0)])
def test_numbers(text: str, value: float) -> None:
    assert RANKING["threshold"].read(text, "threshold") == value


words = st.sampled_from(["top", "on", "strip", "linker", "true", "0", "1", "7", "1e3", "10001", "gate@1", "", " "])
VALUES = st.none() | st.booleans() | st.integers(-5, 70_000) | st.floats() | words | st.lists(st.integers(), max_size=1)


@given(st.sampled_from(sorted(RANKING)), VALUES)
def test_an_option_is_refused_in_the_same_words_however_it_comes(name: str, value: object) -> None:
    beside = {"window": 1} if name == "step" else {}
    try:
        found = RANKING[name].read(value, name)
    except InvalidOption as refused:
        if value is not None:
            with pytest.raises(InvalidOption, match=f"^{re.escape(refused.message)}$"):
                RankOptions(**{name: value, **beside})  # type: ignore[arg-type]
    else:
        assert RankOptions(**read_options(RANKING, {name: value, **beside})) == RankOptions(**{name: found, **beside})


def test_the_last_source_that_gives_an_option_counts() -> None:
    assert read_options(RANKING, {"top_k": 1, "strict": "1"}, {"top_k": "2", "strict": None}) == {
        "top_k": 2,
        "strict": True,
    }
