"""What goes wrong is said where one looks, with what to do about it; a key is asked for once."""

import gzip

import pytest

from tests.browser.conftest import KEY
from tests.browser.visit import Visit
from tests.e2e.samples import ABSTRACT, DESIGN, LINES, SHORT

KEPT = "[localStorage, sessionStorage].map(store => store.getItem('assay-api-key') !== null)"


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("cut.gz", gzip.compress(LINES * 90)[:-40], "gzip"),
        ("empty.txt", b"", "is empty"),
    ],
)
def test_a_bad_file_is_explained(visit: Visit, name: str, body: bytes, said: str) -> None:
    visit.drop("#rank-well", name, body)
    visit.rank() if body else visit.page.click("#rank .primary")
    place = "#rank-result .problem" if body else "#rank-error"
    assert said in visit.text(place)


def test_bytes_that_are_no_sequences_are_rejected_line_by_line(visit: Visit) -> None:
    visit.drop("#rank-well", "photo.jpg", bytes(range(128, 256)) * 40 + b"\n")
    visit.rank()
    assert "1 rejected" in visit.text("#rank-result .rejects summary")


def test_a_column_that_is_not_there_is_named(visit: Visit) -> None:
    visit.paste(f"id,peptide\n1,{DESIGN}\n")
    visit.page.click("summary >> text=More options")
    visit.page.fill("#column", "protein")
    visit.rank()
    assert "protein" in visit.text("#rank-result .problem")
    visit.page.fill("#column", "peptide")
    visit.rank()
    assert "of 1 sequence" in visit.text("#rank-result h2")


def test_strict_refuses_and_lists_what_is_wrong(visit: Visit) -> None:
    visit.paste(f"{DESIGN}\n{SHORT}\n")
    visit.page.click("summary >> text=More options")
    visit.page.check("#strict")
    visit.rank()
    assert "Strict" in visit.text("#rank-result .problem")
    assert "3 residues, expected 50" in visit.text("#rank-result .rejects")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("top_k", "0", "from 1 to 10,000"),
        ("top_k", "1.5", "whole"),
        ("threshold", "", "a number"),
        ("sequences", " ", "Paste"),
    ],
)
def test_what_a_form_lacks_is_said_at_the_form_and_focused(visit: Visit, field: str, value: str, said: str) -> None:
    visit.paste(DESIGN)
    visit.page.fill(f"#{field}", value)
    visit.page.click("#rank .primary")
    assert said in visit.text("#rank-error")
    assert visit.page.evaluate("document.activeElement.id") == field
    described = visit.page.get_attribute(f"#{field}", "aria-describedby").split()
    assert described[0] == "rank-error"
    assert visit.page.get_attribute(f"#{field}", "aria-invalid") == "true"


def test_a_service_out_of_reach_keeps_what_was_entered(visit: Visit) -> None:
    visit.paste(DESIGN)
    visit.page.context.set_offline(True)
    visit.rank()
    assert "cannot be reached" in visit.text("#rank-result .problem")
    visit.page.context.set_offline(False)
    visit.rank()
    assert "of 1 sequence" in visit.text("#rank-result h2")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (403, "forbidden", "AWS client"),
        (429, "throttled", "Wait a moment"),
        (503, "model_unavailable", "not at fault"),
        (504, "timeout", "becomes a job"),
    ],
)
def test_refusals_of_the_gateway_come_with_advice(visit: Visit, status: int, code: str, said: str) -> None:
    body = f'{{"error": {{"code": "{code}", "message": "it is not signed", "details": {{}}}}}}'
    visit.page.route(
        "**/rank?*", lambda route: route.fulfill(status=status, body=body, content_type="application/json")
    )
    visit.paste(DESIGN)
    visit.rank()
    assert said in visit.text("#rank-result .problem")


def test_a_key_is_asked_for_once_and_used_until_the_tab_is_closed(keyed_visit: Visit) -> None:
    visit = keyed_visit
    visit.paste(DESIGN)
    visit.page.click("#rank .primary")
    visit.page.wait_for_selector("dialog[open]")
    assert "requires an API key" in visit.text("#key-why")
    visit.page.keyboard.type("a wrong key, but a long one")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("dialog[open] >> text=refused this key")
    visit.page.fill("#key", KEY)
    visit.page.click("dialog >> text=Use this key")
    visit.page.wait_for_selector("#rank-result table")
    visit.go("/prod/#classify")
    visit.paste(ABSTRACT, "#abstract")
    visit.classify()
    assert visit.page.locator("#classify-result .meter").count()
    assert visit.page.evaluate(KEPT) == [False, True]


def test_a_key_may_be_kept_and_forgotten(keyed_visit: Visit) -> None:
    visit = keyed_visit
    visit.page.click("#key-open")
    visit.page.fill("#key", KEY)
    visit.page.check("#key-keep")
    visit.page.click("dialog >> text=Use this key")
    visit.page.wait_for_selector("#key-open >> text=API key \u2713")
    assert visit.page.evaluate(KEPT) == [True, False]
    visit.page.click("#key-open")
    visit.page.click("dialog >> text=Forget the key")
    visit.page.wait_for_selector("#key-open >> text=/^API key$/")
    assert visit.page.evaluate(KEPT) == [False, False]


def test_without_a_key_nothing_is_lost(keyed_visit: Visit) -> None:
    visit = keyed_visit
    visit.paste(DESIGN)
    visit.page.click("#rank .primary")
    visit.page.wait_for_selector("dialog[open]")
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_selector("#rank-result .problem")
    assert "API key" in visit.text("#rank-result .problem")
    assert visit.page.input_value("#sequences") == DESIGN
