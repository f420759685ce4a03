"""Options as text: numbers in ASCII digits, and nothing that only Python takes for one."""

import pytest

from assay.errors import InvalidOption
from assay.options import integer, number


@pytest.mark.parametrize("text", ["1_0", "\u0661\u0662", "0x10", "1.0", "", " ", "--1", "1 0", "\u00b2", "9" * 21])
def test_what_is_no_integer(text: str) -> None:
    with pytest.raises(InvalidOption):
        integer(text, "top_k")


@pytest.mark.parametrize(
    "text", ["1_0.5", "\u0661.5", "nan", "inf", "Infinity", "1e400", "", ".", "1e", "0x1p3", "1 0"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(InvalidOption):
        number(text, "threshold")


@pytest.mark.parametrize(("text", "value"), [("7", 7), (" 7", 7), ("-7", -7), ("+7", 7), ("007", 7)])
def test_integers(text: str, value: int) -> None:
    assert integer(text, "top_k") == value


@pytest.mark.parametrize(("text", "value"), [("-1e-3", -1e-3), ("5.", 5.0), (".5", 0.5), (" 0.5", 0.5), ("1E2", 100.0)])
def test_numbers(text: str, value: float) -> None:
    assert number(text, "threshold") == value
