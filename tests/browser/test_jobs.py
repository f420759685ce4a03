"""A large file is uploaded under one's eyes, becomes a job with an address, and its results are shown there."""

import gzip
import random
import re
from typing import Any

import pytest

from tests.browser.visit import Visit
from tests.e2e.running import Service
from tests.e2e.samples import ABSTRACT, CSV, DESIGN, OTHER, POOR, SHORT

NOTED = f"id,sequence,note\n1,{DESIGN}*,ok\n2,{OTHER},a,b\n".encode()
"""Rows of which one has a terminator, and one a cell more than there are columns."""
_LETTERS = "ACDEFGHIKLMNPQRSTVWY"
_SLOW = {"offline": False, "latency": 1, "downloadThroughput": -1, "uploadThroughput": 2_000_000}
_WATCH = """() => { window.seen = []; new MutationObserver(() => {
  const bar = document.querySelector("#rank-result progress");
  if (bar) window.seen.push([bar.value, document.querySelector("#rank-result .job h2").textContent]);
}).observe(document.getElementById("rank-result"), {subtree: true, childList: true, attributes: true}); }"""


def large(rows: int = 81_000) -> bytes:
    """Return over 4 MB of lines, the best of them at the end."""
    drawn = random.Random(5)
    lines = ("".join(drawn.choices(_LETTERS, k=50)) for _ in range(rows))
    return "\n".join([*lines, SHORT, DESIGN, OTHER]).encode() + b"\n"


def enqueued(service: Service, body: bytes, name: str = "mine.csv") -> str:
    """Upload a file without the page and return its job."""
    offer = service.post("/uploads", json={"filename": name, "kind": "rank"}).json()
    form: dict[str, Any] = offer["upload"]
    sent = service.session.post(form["url"], data=form["fields"], files={"file": (name, body)})
    assert sent.status_code in (200, 201, 204)
    return str(offer["job_id"])


def ended(visit: Visit) -> None:
    visit.page.wait_for_selector("#rank-result .source", timeout=60_000)
    visit.drawn()


def test_a_large_file_is_uploaded_with_progress_and_becomes_a_job_with_an_address(visit: Visit) -> None:
    slow = visit.page.context.new_cdp_session(visit.page)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", _SLOW)
    visit.page.evaluate(_WATCH)
    visit.drop("#rank-well", "large.txt", large())
    visit.page.fill("#top_k", "40")
    visit.page.click("summary >> text=More options")
    visit.page.select_option("#gate_model", "stability-trypsin")
    visit.page.click("#rank .primary")
    ended(visit)
    assert visit.page.locator(r"text=/Score: stability-trypsin \S+\. Gate: stability-trypsin \S+\./").count()
    shares = [share for share, heading in visit.page.evaluate("window.seen") if heading.startswith("Uploading")]
    assert any(0.05 < share < 0.95 for share in shares)
    assert shares == sorted(shares)
    assert re.search(r"[?&]job=[0-9a-f-]{32,36}$", visit.address)
    assert "81,003 received" in visit.text("#rank-result .counts")
    assert "The best 40 are shown." in visit.text("#rank-result .counts")
    assert len(visit.column("sequence")) == 40
    assert "1 rejected" in visit.text("#rank-result .rejects summary")
    names = visit.page.locator(".source .links a").all_inner_texts()
    assert {"ranking", "rejected", "summary"} <= set(names)


@pytest.mark.parametrize("address", ["/?job={}", "/#job={}", "/upload?job={}", "/prod/?job={}"])
def test_a_job_is_reopened_from_its_address(visit: Visit, address: str) -> None:
    job = enqueued(visit.service, CSV)
    visit.go(address.format(job))
    ended(visit)
    assert "mine.csv" in visit.text("#rank-result .source")
    assert "4 received" in visit.text("#rank-result .counts")
    assert visit.text("#rank-result .rejects summary").startswith("1 rejected")


def test_a_job_that_has_ended_gives_its_address(visit: Visit) -> None:
    job = enqueued(visit.service, CSV)
    visit.go(f"/prod/?job={job}&top_k=3#rank")
    ended(visit)
    assert visit.copied("#rank-result .share >> text=Copy link") == f"{visit.service.url}/prod/?job={job}"


def test_a_jobs_table_carries_the_files_other_columns(visit: Visit) -> None:
    text = f'id,sequence,"a note"\n1,{DESIGN},"said ""so"", twice"\n2,{OTHER},"two\tlines"\n'
    visit.go(f"/?job={enqueued(visit.service, text.encode())}")
    ended(visit)
    assert set(visit.column("a note")) <= {'said "so", twice', "two\tlines", "two lines"}


def test_a_job_that_waits_says_so_and_can_be_left(visit: Visit) -> None:
    offer = visit.service.post("/uploads", json={"filename": "later.txt", "kind": "rank"}).json()
    visit.go(f"/?job={offer['job_id']}")
    visit.page.wait_for_selector("#rank-result progress")
    assert "has not arrived" in visit.text("#rank-result .job")
    assert offer["job_id"] in visit.copied("text=Copy this page\u2019s address")
    visit.page.click("#rank-clear")
    assert "job=" not in visit.address
    assert visit.page.title() == "Assay"
    assert visit.page.locator("#rank-result .job").count() == 0
    assert "Which of your mini-proteins will hold?" in visit.text("#rank-result")


def test_an_unknown_job_says_what_to_do(visit: Visit) -> None:
    visit.go("/?job=00000000000000000000000000000000")
    visit.page.wait_for_selector("#rank-result .problem")
    assert visit.text("#rank-result .problem h2") == "There is no such job"
    assert visit.text("#rank-result .problem").count("30 days") == 1
    assert visit.page.title() == "No such job \u00b7 Assay"


def test_a_file_that_cannot_be_read_fails_with_its_reason(visit: Visit) -> None:
    broken = gzip.compress(large(100))[:-200]
    visit.go(f"/?job={enqueued(visit.service, broken, 'broken.gz')}")
    ended(visit)
    assert "could not be ranked" in visit.text("#rank-result .problem h2")
    assert "gzip" in visit.text("#rank-result .problem")
    assert visit.text(".again p").startswith("If other options can help")
    visit.page.emulate_media(media="print")
    assert visit.page.is_visible("#rank-result .problem")
    assert visit.page.locator("button:visible, summary:visible").count() == 0


def test_what_unpacks_beyond_a_request_becomes_a_job_by_itself(visit: Visit) -> None:
    many = gzip.compress(f"{DESIGN}\n{POOR}\n".encode() * 170_000)
    visit.drop("#rank-well", "zipped.txt.gz", many)
    visit.page.click("#rank .primary")
    ended(visit)
    assert "job=" in visit.address
    assert "340,000 received" in visit.text("#rank-result .counts")


def test_an_upload_can_be_stopped(visit: Visit) -> None:
    slow = visit.page.context.new_cdp_session(visit.page)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", _SLOW | {"uploadThroughput": 100_000})
    visit.drop("#rank-well", "large.txt", large())
    visit.page.click("#rank .primary")
    visit.page.click("#rank-result >> text=Stop")
    visit.page.wait_for_selector("#rank-result >> text=Stopped.")
    assert visit.page.is_enabled("#rank .primary")
    assert visit.page.title() == "Assay"
    assert "job=" not in visit.address


def test_a_connection_that_comes_back_goes_on_with_the_job(visit: Visit) -> None:
    offer = visit.service.post("/uploads", json={"filename": "later.txt", "kind": "rank"}).json()
    visit.go(f"/?job={offer['job_id']}")
    visit.page.wait_for_selector("#rank-result progress")
    visit.page.context.set_offline(True)
    visit.page.wait_for_selector("#rank-result >> text=asking again")
    visit.service.session.post(offer["upload"]["url"], data=offer["upload"]["fields"], files={"file": ("x", CSV)})
    visit.page.context.set_offline(False)
    ended(visit)
    assert visit.page.title() == "Done \u00b7 later.txt \u00b7 Assay"


def test_bytes_are_counted_and_a_job_can_be_stopped(visit: Visit) -> None:
    running: dict[str, Any] = {"job_id": "ab" * 16, "kind": "rank", "state": "RUNNING", "upload": "rank/1/huge.txt"}
    work = {"bytes_done": 3_000_000, "bytes_total": 8_000_000, "records": 1_200_000, "phase": "ranking"}
    running |= {"progress": 0.375, "work": work, "shards": {"done": 3, "total": 8}, "counts": {}, "results": {}}
    stopped: list[str] = []

    def answer(route: Any) -> None:
        if route.request.method == "POST":
            stopped.append(route.request.url)
            route.fulfill(status=202, json=running)
        elif stopped:
            route.fulfill(json=running | {"state": "FAILED", "reason": "cancelled"})
        else:
            route.fulfill(json=running)

    visit.page.route("**/jobs/**", answer)
    visit.go(f"/?job={running['job_id']}")
    visit.page.wait_for_selector("#rank-result >> text=Ranking \u00b7 3.0 MB of 8.0 MB \u00b7 1,200,000 sequences")
    assert visit.page.evaluate("document.querySelector('#rank-result progress').value") == 0.375
    assert visit.page.title() == "37 % \u00b7 huge.txt \u00b7 Assay"
    visit.page.click("text=Stop the job")
    visit.page.wait_for_selector("h2 >> text=The job was stopped")
    assert visit.page.title() == "Stopped \u00b7 huge.txt \u00b7 Assay"
    assert stopped == [f"{visit.service.url}/jobs/{running['job_id']}/cancel"]


def test_a_jobs_notices_stand_above_its_table(visit: Visit) -> None:
    summary = visit.service.drop("rank/noted.csv", NOTED, threshold="-9")
    visit.go(f"/?job={summary['job_id']}")
    ended(visit)
    assert visit.notices("#rank-result") == [each["code"] for each in summary["notices"]]
    for each in summary["notices"]:
        assert each["message"][1:] in visit.text("#rank-result .notices")


def test_a_classification_jobs_notices_are_shown_with_its_counts(visit: Visit) -> None:
    summary = visit.service.drop("classify/noted.txt", " ".join([ABSTRACT] * 40)[:4900].encode())
    visit.go(f"/?job={summary['job_id']}")
    visit.page.wait_for_selector("#classify-result .source", timeout=60_000)
    assert visit.page.is_visible("#panel-classify")
    assert "truncated" in visit.notices("#classify-result")


def test_a_live_job_is_never_given_up_and_is_taken_up_when_the_service_is_back(visit: Visit) -> None:
    job = enqueued(visit.service, CSV)
    asked: list[str] = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) < 30:
            route.abort() if len(asked) % 2 else route.fulfill(
                status=503, json={"error": {"code": "x", "message": "y"}}
            )
        else:
            route.continue_()

    visit.page.route("**/jobs/**", answer)
    visit.go(f"/?job={job}")
    while len(asked) < 30:
        visit.page.evaluate("dispatchEvent(new Event('online'))")
        visit.page.wait_for_timeout(20)
    ended(visit)
    assert visit.page.title().startswith("Done")


def test_a_job_opened_by_its_address_shows_the_options_that_it_ran_with(visit: Visit) -> None:
    summary = visit.service.drop("rank/mine.csv", CSV, threshold="-0.25", **{"top-k": "7"})
    visit.go(f"/?job={summary['job_id']}")
    ended(visit)
    assert visit.page.input_value("#threshold") == "-0.25"
    assert visit.page.input_value("#top_k") == "7"


def test_a_jobs_file_is_ranked_again_with_the_options_of_the_form(visit: Visit) -> None:
    job = enqueued(visit.service, CSV)
    visit.go(f"/?job={job}")
    ended(visit)
    visit.page.fill("#threshold", "-9")
    visit.page.fill("#top_k", "1")
    visit.page.click(".again button")
    visit.page.wait_for_url(lambda url: job not in url)
    ended(visit)
    assert "threshold -9" in visit.text("#rank-result .source")
    assert [visit.page.input_value(f"#{name}") for name in ("threshold", "top_k")] == ["-9", "1"]
    visit.page.click("text=The run before")
    visit.page.wait_for_url(lambda url: job in url)
    ended(visit)
    assert visit.page.input_value("#top_k") == "100"


def test_a_jobs_histograms_count_its_whole_file(visit: Visit) -> None:
    summary = visit.service.drop("rank/whole.csv", CSV, threshold="-9", **{"top-k": "1"})
    visit.go(f"/?job={summary['job_id']}")
    ended(visit)
    assert len(visit.column("id")) == 1
    names = [each.get_attribute("aria-label") for each in visit.page.locator("#rank-result .plot").all()]
    assert f"of all that was scored: {summary['counts']['scored']} values" in names[0]
    assert f"of all that passed: {summary['counts']['passed']} values" in names[1]
    assert "of the rows shown" in visit.page.locator("#rank-result figcaption").nth(2).inner_text()


def test_clear_during_a_job_can_be_taken_back_and_the_job_is_among_the_recent(visit: Visit) -> None:
    offer = visit.service.post("/uploads", json={"filename": "later.txt", "kind": "rank"}).json()
    visit.go(f"/?job={offer['job_id']}")
    visit.page.wait_for_selector("#rank-result progress")
    visit.page.click("#rank-clear")
    assert "Which of your mini-proteins will hold?" in visit.text("#rank-result")
    assert "job=" not in visit.address
    visit.page.click("#rank-undo >> text=Undo")
    visit.page.wait_for_selector("#rank-result progress")
    assert offer["job_id"] in visit.address


def test_jobs_are_remembered_in_this_browser_and_forgotten_on_request(visit: Visit) -> None:
    job = enqueued(visit.service, CSV, "mine.csv")
    assert not visit.page.is_visible("#runs")
    visit.go(f"/?job={job}")
    ended(visit)
    visit.go("/")
    visit.page.click("#runs summary")
    assert "This browser keeps the list" in visit.text("#runs")
    visit.page.click("#runs a >> text=mine.csv")
    ended(visit)
    assert job in visit.address
    visit.page.click("#runs summary")
    visit.page.click("text=Forget them")
    assert not visit.page.is_visible("#runs")
    assert visit.page.evaluate("localStorage.getItem('assay-runs')") is None


def test_back_leads_from_a_job_to_the_page_before(visit: Visit) -> None:
    visit.drop("#rank-well", "large.txt", large())
    visit.page.click("#rank .primary")
    ended(visit)
    assert "job=" in visit.address
    visit.page.go_back()
    visit.page.wait_for_url(lambda url: "job=" not in url)
    visit.page.wait_for_selector("#rank-result .source", state="detached")
    assert visit.page.title() == "Assay"
