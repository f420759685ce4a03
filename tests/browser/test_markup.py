"""Markup in what people send is shown letter for letter and runs nothing; were it ever run, the policy would refuse."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_classify import printed
from tests.browser.test_jobs import ended
from tests.browser.visit import Visit
from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT, DESIGN, OTHER

PAYLOADS = (
    "<img src=x onerror=window.taken=1>",
    "<script>window.taken=1</script>",
    '"><svg onload=window.taken=1>',
    "javascript:window.taken=1",
    "' autofocus onfocus='window.taken=1",
    '<iframe srcdoc="<script>parent.taken=1</script>"></iframe>',
    "</textarea></title></style><script>window.taken=1</script>",
    "&lt;b&gt;&#60;script&#62;window.taken=1",
    "{{constructor.constructor('window.taken=1')()}}${window.taken=1}",
)
ALL = "\n".join(PAYLOADS)
FOREIGN = """() => [...document.querySelectorAll("iframe, object, embed, base, script, main *")]
  .filter(each => /^(iframe|object|embed|base|img)$/i.test(each.tagName)
    || each.tagName === "SCRIPT" && !each.src
    || [...each.attributes].some(({name}) => /^on|^srcdoc$|^autofocus$/.test(name)))
  .map(each => each.outerHTML)"""


@pytest.fixture
def visit(visit: Visit) -> Iterator[Visit]:
    """The page; at the end nothing that was sent has run or become an element."""
    yield visit
    assert visit.page.evaluate("window.taken") is None
    assert visit.page.evaluate(FOREIGN) == []


def table() -> bytes:
    """Return a CSV whose ids, column names and cells are payloads; half of its sequences are payloads too."""
    out = io.StringIO()
    head = ["id", "sequence", *PAYLOADS]
    rows = [[each, DESIGN[at:] + DESIGN[:at], *PAYLOADS] for at, each in enumerate(PAYLOADS)]
    rejected = [["x", each, *PAYLOADS] for each in PAYLOADS]
    csv.writer(out).writerows([head, *rows, *rejected])
    return out.getvalue().encode()


def hold_shown(visit: Visit) -> None:
    """Hold that the table has every payload as id, as a column's name and as a cell, each as it was sent."""
    assert sorted(visit.column("id")) == sorted(PAYLOADS)
    titles = visit.page.locator("#rank-result .table:not(.rejects .table) th").all_inner_texts()
    assert tuple(title.rstrip(" \u2191\u2193\u25b2\u25bc\n") for title in titles[-len(PAYLOADS) :]) == PAYLOADS
    for at, payload in enumerate(PAYLOADS):
        assert set(visit.column(2 + len(titles) - len(PAYLOADS) + at)) == {payload}
    assert visit.text("#rank-result .rejects summary").startswith(f"{len(PAYLOADS)} rejected")


def answered(visit: Visit, address: str, value: Any, status: int = 200) -> None:
    """Let the service answer an address with what no service of ours should."""
    visit.page.route(address, lambda route: route.fulfill(status=status, json=value))


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_files_name_is_shown_and_not_obeyed(visit: Visit, payload: str) -> None:
    visit.drop("#rank-well", f"{payload}.csv", f"id,sequence\n{DESIGN[:9]},{DESIGN}\n".encode())
    assert f"{payload}.csv" in visit.text("#rank-file")
    visit.page.click("#tab-classify")
    visit.drop("#classify-well", f"{payload}.pdf", b"%PDF-1.4 no", "application/pdf")
    visit.page.locator("#classify-file").wait_for()  # the page looks at a file's first bytes before it takes it
    assert f"{payload}.pdf" in visit.text("#classify-file")
    visit.classify()
    assert visit.page.locator("#classify-result .problem").count() == 1


def test_ids_columns_and_cells_of_a_ranking_are_shown(visit: Visit) -> None:
    visit.drop("#rank-well", "a.csv", table())
    visit.page.fill("#threshold", "-9")
    visit.rank()
    hold_shown(visit)
    for at in range(len(PAYLOADS)):
        visit.page.click(f"#rank-result .sheet thead th:nth-last-child({len(PAYLOADS) - at}) button")
        assert PAYLOADS[at] in visit.page.locator("#status").inner_text()


def test_a_jobs_name_and_table_are_shown(visit: Visit) -> None:
    summary = visit.service.drop(f"rank/{PAYLOADS[2]}.csv", table(), threshold="-9")
    visit.go(f"/?job={summary['job_id']}")
    ended(visit)
    assert visit.text("#rank-result .source strong") == f"{PAYLOADS[2]}.csv"
    assert PAYLOADS[2] in visit.page.title()
    hold_shown(visit)


def test_sequences_that_are_markup_are_rejected_and_saved_as_they_are(visit: Visit) -> None:
    visit.paste(f"{DESIGN}\n{ALL}\n>{PAYLOADS[0]}\n")
    visit.rank()
    assert len(visit.column(3, "#rank-result .rejects table")) == len(PAYLOADS) + 1
    visit.saved(".rejects >> text=CSV")
    visit.paste("".join(f">{each}\n{each}\n" for each in PAYLOADS) + f">{ALL.splitlines()[1]}\n{OTHER}\n")
    visit.page.fill("#threshold", "-9")
    visit.rank()
    assert visit.column("id") == [PAYLOADS[1]]


@pytest.mark.parametrize("payload", PAYLOADS[:4], ids=range(4))
def test_a_column_and_a_job_that_are_markup_are_refused_in_words(visit: Visit, payload: str) -> None:
    visit.paste(f"id,peptide\n1,{DESIGN}\n")
    visit.page.click("summary >> text=More options")
    visit.page.fill("#column", payload)
    visit.rank()
    assert payload in visit.text("#rank-result .problem")
    for address in ("/?job=", "/#job="):
        visit.page.goto("about:blank")
        visit.page.goto(f"{visit.service.url}{address}{payload.replace('#', '%23').replace('&', '%26')}")
        visit.page.wait_for_selector("#rank-result .problem")


def test_abstracts_and_labels_are_shown(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.paste("\n---\n".join(f"{each} {ABSTRACT}" for each in PAYLOADS), "#abstract")
    visit.classify()
    for at, payload in enumerate(PAYLOADS):
        assert payload in visit.page.locator("#classify-result .entry").nth(at).inner_text()
    scores = {label: 0.9 - at / 20 for at, label in enumerate(PAYLOADS)}
    labels = [{"label": label, "score": score} for label, score in scores.items()]
    result = {"scores": scores, "labels": labels, "tokens": 9, "truncated": False, "cached": False}
    answered(visit, "**/classify", {"model": {"name": PAYLOADS[0], "version": PAYLOADS[1]}, "results": [result]})
    visit.paste(ABSTRACT, "#abstract")
    visit.classify()
    assert tuple(visit.column(2, "#classify-result .labels")) == PAYLOADS
    pills = visit.page.locator("#classify-result .pills strong").all_inner_texts()
    assert tuple(pills) == PAYLOADS
    assert f"{PAYLOADS[0]} {PAYLOADS[1]} read" in visit.text("#classify-result")


def test_the_text_of_a_pdf_is_shown(visit: Visit, browser: Any) -> None:
    text = f"{ABSTRACT} {PAYLOADS[2]} {PAYLOADS[3]} {PAYLOADS[0]}".replace("<", "&lt;")
    body = f"<h2>Abstract</h2><p>{text}</p><h2>1. Introduction</h2>"
    visit.page.click("#tab-classify")
    visit.drop("#classify-well", "paper.pdf", printed(browser, body), "application/pdf")
    visit.classify()
    found = visit.page.input_value("#abstract")
    assert f"{PAYLOADS[2]} {PAYLOADS[3]}" in found
    assert "<img" not in found, "tags of HTML are no part of an abstract"


def test_what_models_say_of_themselves_is_shown(visit: Visit) -> None:
    models = visit.service.get("/models").json()["models"]
    for each in models:
        each |= {"provenance": {name: name for name in PAYLOADS}, "licence": PAYLOADS[0], "version": PAYLOADS[1]}
        each |= {"labels": list(PAYLOADS)} if "labels" in each else {"alphabet": PAYLOADS[0]}
    models.append({**models[0], "name": PAYLOADS[2], "task": "sequence-score"})
    answered(visit, "**/models", {"models": models})
    visit.go("/")
    visit.page.click("summary >> text=About these models")
    told = visit.page.locator("#about-rank dd").all_inner_texts()
    assert set(PAYLOADS) <= set(told)
    visit.page.click("summary >> text=More options")
    visit.page.wait_for_selector("#rank-models:not([hidden])")
    assert PAYLOADS[2] in visit.page.locator("#score_model option").all_inner_texts()
    assert PAYLOADS[0] in visit.text("#sequences-hint")


def test_refusals_and_jobs_that_are_markup_are_shown(visit: Visit) -> None:
    for status in (400, 500):
        answered(visit, "**/rank?*", {"error": {"code": PAYLOADS[0], "message": ALL, "details": {}}}, status)
        visit.paste(DESIGN)
        visit.rank()
        assert PAYLOADS[1] in visit.text("#rank-result .problem")
    job: dict[str, Any] = {
        "job_id": "a",
        "kind": "rank",
        "state": "FAILED",
        "upload": f"rank/{PAYLOADS[1].replace('/', '')}",
    }
    job |= {"reason": ALL, "results": {PAYLOADS[0]: "x"}, "counts": {PAYLOADS[2]: PAYLOADS[2]}}
    answered(visit, "**/jobs/a", job)
    visit.go("/?job=a")
    ended(visit)
    assert PAYLOADS[0] in visit.text("#rank-result .source .links")
    assert PAYLOADS[2] in visit.text("#rank-result .problem")


@pytest.mark.parametrize(
    "attack",
    [
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.taken=1>')",
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.taken=1'}))",
        "document.body.append(Object.assign(document.createElement('script'), {src: 'data:,window.taken=1'}))",
        "Object.assign(document.createElement('a'), {href: 'javascript:window.taken=1'}).click()",
        "document.body.insertAdjacentHTML('beforeend', '<iframe srcdoc=\"<script>parent.taken=1</script>\"></iframe>')",
        "document.body.insertAdjacentHTML('beforeend', '<style>body{display:none}</style>')",
        "fetch('http://127.0.0.1:9/?stolen').catch(() => {})",
    ],
    ids=["handler", "inline", "data", "link", "frame", "style", "fetch"],
)
def test_the_policy_refuses_what_would_run_were_it_ever_markup(browser: Any, service: Service, attack: str) -> None:
    with Visit.to(browser, service) as hurt:
        hurt.forgiven = policy = "Content Security Policy"
        with hurt.page.expect_console_message(lambda said: said.type == "error" and policy in said.text):
            hurt.page.evaluate(f"() => {{ {attack} }}")
        assert hurt.page.evaluate("window.taken") is None
        assert hurt.page.is_visible("main")
