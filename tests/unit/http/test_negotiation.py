import pytest

from assay.errors import InvalidOption, NotAcceptable
from assay.http.messages import choose_form
from assay.options import require_known

OFFERED = ("application/json", "text/csv", "text/plain")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("text/*", "text/csv"),
        ("text/*, text/csv;q=0", "text/plain"),
        ("text/csv;q=0.5, text/plain;q=0.9", "text/plain"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=0.2, */*;q=0.1", "application/json"),
        ("text/plain;q=1.000,application/json;q=0.999", "text/plain"),
        ("text/csv;q=nonsense", "text/csv"),
        (",", "application/json"),
    ],
)
def test_the_form_that_is_wanted_most(accept: str, wanted: str) -> None:
    assert choose_form(accept, OFFERED) == wanted


@pytest.mark.parametrize("accept", ["text/html", "image/*", "*/*;q=0", "application/json;q=0", "text/html, */*;q=0.0"])
def test_what_cannot_be_met_names_what_can(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json, text/csv, text/plain"):
        choose_form(accept, OFFERED)


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    require_known(["top_k"], ("top_k", "threshold"))
    with pytest.raises(InvalidOption, match="unknown option 'topk'; known: top_k, threshold"):
        require_known({"topk": "1"}, ("top_k", "threshold"))
