"""GET /models in a browser: a page of cards, numbers and plots; JSON to all others."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.models.published import CARD, bundle_key
from portal.cards import render_card
from portal.reference_tables import render_reference
from tests.conftest import Aws
from tests.events import Context, post
from tests.unit.templates import ROOT
from tools.models.publish import list_card

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def get(aws: Aws, environment: Callable[[str, str], None]) -> Iterator[Callable[[str], dict[str, Any]]]:
    from portal.app import handler
    from portal.services import services

    environment("ASSAY_SCORE_MODEL", "stability-trypsin")
    services.cache_clear()
    yield lambda accept: handler(post("/models", b"", headers={"Accept": accept}) | {"httpMethod": "GET"}, Context())
    services.cache_clear()


def test_a_browser_gets_the_card_with_its_plot_and_links_to_its_sources(
    get: Callable[[str], dict[str, Any]], aws: Aws
) -> None:
    aws.publish("stability-trypsin", "tiny-index")
    reply = get(BROWSER)
    page = reply["body"]
    assert reply["multiValueHeaders"]["Content-Type"] == ["text/html; charset=utf-8"]
    assert "Accept" in reply["multiValueHeaders"]["Vary"][0]
    assert page.index('id="stability-trypsin"') < page.index('id="tiny-index"')  # what serves comes first
    for title in ("Quality", "Use and limits"):
        assert f"<h3>{title}</h3>" in page
    assert re.search(r'<img alt="[^"]+" src="data:image/png;base64,[A-Za-z0-9+/=]{10000,}">', page)
    assert '<a href="https://doi.org/10.1126/science.aan0693">' in page
    assert "the score of rankings" in page
    assert len(page) < 6_000_000


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/csv", "application/json, text/html;q=0.9"])
def test_a_program_gets_json(get: Callable[[str], dict[str, Any]], aws: Aws, accept: str) -> None:
    aws.publish("tiny-index")
    assert get(accept)["multiValueHeaders"]["Content-Type"] == ["application/json"]


def test_markup_in_a_published_card_is_text(get: Callable[[str], dict[str, Any]], aws: Aws) -> None:
    aws.publish("tiny-index")
    aws.models.put(
        bundle_key("tiny-index", "1", CARD), b"# x\n\n<script>alert(1)</script>\n\n## Limits", "text/markdown"
    )
    page = get(BROWSER)["body"]
    assert "&lt;script&gt;" in page
    assert "<h3>Limits</h3>" in page


def test_an_empty_bucket_says_so(get: Callable[[str], dict[str, Any]]) -> None:
    assert "No model is published yet." in get(BROWSER)["body"]


@given(st.text(st.sampled_from("<>&\"'`|*_#![](){}:/ \n-abjd"), max_size=120))
def test_a_card_brings_no_markup_and_no_address_that_runs(text: str) -> None:
    page = render_card("tiny", f"{text} [x](javascript:alert(1)) <script>", lambda name: PNG)
    assert "<script" not in page
    assert not re.search(r"<[^>]*(?:javascript:|\son\w+\s*=)", page)
    assert not re.search(r'<img[^>]+src="(?!data:image/png)', page)


@pytest.mark.parametrize("source", ["https://elsewhere.org/a.png", "../a.png", "a.svg", "b.png"])
def test_a_picture_that_is_not_beside_the_card_is_its_words(source: str) -> None:
    asked: list[str] = []

    def read_picture(name: str) -> bytes:
        asked.append(name)
        return b""

    page = render_card("tiny", f"![Some words]({source})", read_picture)
    assert "<img" not in page
    assert "Some words" in page
    assert asked == (["b.png"] if source == "b.png" else [])


def test_the_card_above_a_bundle_is_its_own_only_under_its_name(tmp_path: Path) -> None:
    bundle = tmp_path / "1"
    bundle.mkdir()
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / CARD).write_text("# another project\n![a](a.png)\n")
    assert [*list_card(bundle, "mine")] == []
    (tmp_path / CARD).write_text("# mine\n![a](a.png) ![again](a.png) ![none](b.png)\n")
    assert [path.name for path in list_card(bundle, "mine")] == [CARD, "a.png"]
    (bundle / CARD).write_text("Whatever it says.\n")
    assert [*list_card(bundle, "mine")] == [bundle / CARD]


@pytest.mark.parametrize("name", ["stability-trypsin", "stability-chymotrypsin", "arxiv-archives"])
def test_what_ships_has_a_card_and_a_plot(name: str) -> None:
    assert {path.suffix for path in list_card(ROOT / "models" / name / "1", name)} == {".md", ".png"}


def test_how_true_probabilities_were_is_a_table() -> None:
    bins = [{"from": 0.0, "to": 0.5, "count": 1200, "given": 0.21, "observed": 0.19}]
    calibration = {"event": "<b>stable", "about": "held-out clusters", "count": 8000, "reliability": bins}
    sets = [{"name": "natural windows", "about": "of 50 residues", "count": 100_000}]
    page = render_reference("tiny", {"calibration": calibration | {"expected_error": 0.0123}, "sets": sets})
    for said in ("&lt;b&gt;stable", "0.00 to 0.50, mean 0.210", "0.190", "1,200", "0.012", "100,000 scores"):
        assert said in page
    assert "<table>" not in render_reference("tiny", {"sets": sets})
    assert render_reference("tiny", None) == ""
