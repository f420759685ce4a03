"""What comes late changes nothing that people did meanwhile, and what comes early is not lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.browser.test_jobs import ended
from tests.browser.test_state import STORED
from tests.browser.visit import Visit
from tests.e2e.samples import ABSTRACT, CSV, DESIGN, OTHER

PAUSE = 300  # milliseconds in which what must not happen would have happened
TITLE = "#rank-result h2"
ONE = "1 of 1 sequence passes the gate"
SLOW_READING = """() => {
  const read = Blob.prototype.arrayBuffer;
  Blob.prototype.arrayBuffer = async function () {
    await new Promise(end => setTimeout(end, 500));
    return read.call(this);
  };
}"""
SLOW_STORE = """() => {
  const open = IDBFactory.prototype.open, released = new Promise(end => { window.release = end; });
  IDBFactory.prototype.open = function (...given) {
    const later = {};
    released.then(() => {
      const real = later.real = open.apply(this, given);
      for (const name of ["onsuccess", "onerror", "onupgradeneeded"]) real[name] = event => later[name]?.(event);
    });
    return Object.defineProperty(later, "result", {get: () => later.real.result});
  };
}"""
EAGER = """() => new MutationObserver(() => {
  for (const plot of document.querySelectorAll("svg.plot:empty")) {
    for (const kind of ["pointermove", "pointerdown"])
      plot.dispatchEvent(new PointerEvent(kind, {bubbles: true, pointerId: 1, movementX: 1}));
    for (const key of ["ArrowRight", "Enter"]) plot.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
    window.early = (window.early ?? 0) + 1;
  }
}).observe(document.querySelector("#rank-result"), {childList: true, subtree: true})"""


@contextmanager
def held(visit: Visit, address: str) -> Iterator[list[Any]]:
    """Hold the request to an address that is made in the block; its `continue_` or `fulfill` lets it go."""
    requests: list[Any] = []
    visit.page.route(address, lambda route: requests.append(route), times=1)
    with visit.page.expect_request(address):
        yield requests
    while not requests:
        visit.page.wait_for_timeout(10)


def waited(visit: Visit) -> None:
    visit.page.wait_for_timeout(PAUSE)


def test_a_job_that_is_found_late_leaves_a_ranking_alone(visit: Visit) -> None:
    job = visit.service.drop("rank/late.csv", CSV)["job_id"]
    with held(visit, "**/jobs/*") as requests:
        visit.go(f"/?job={job}")
    visit.paste(DESIGN)
    visit.page.fill("#threshold", "-9")
    visit.rank()
    with visit.page.expect_response("**/jobs/*"):
        requests[0].continue_()
    waited(visit)
    assert visit.text(TITLE) == ONE
    assert visit.page.input_value("#threshold") == "-9"
    assert "job=" not in visit.address


def test_models_that_are_told_late_run_nothing_again(visit: Visit) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    with held(visit, "**/models") as requests:
        visit.page.reload()
    visit.paste(DESIGN)
    visit.rank()
    requests[0].continue_()
    visit.page.wait_for_selector("#about-rank:not([hidden])", state="attached")
    waited(visit)
    assert len([each for each in asked if "/rank?" in each]) == 1
    assert visit.text(TITLE).endswith("the gate")


def test_a_large_result_that_arrives_after_clear_is_not_shown(visit: Visit) -> None:
    reply = visit.service.post("/rank", data=DESIGN, headers={"Content-Type": "text/plain"}).json()
    visit.page.route("**/rank?*", lambda route: route.fulfill(json={"result_url": f"{visit.service.url}/large"}))
    visit.paste(DESIGN)
    with held(visit, "**/large") as requests:
        visit.page.click("#rank .primary")
    visit.page.click("#rank-clear")
    with visit.page.expect_response("**/large"):
        requests[0].fulfill(json=reply)
    waited(visit)
    assert "Which of your mini-proteins will hold?" in visit.text("#rank-result")


def test_clear_during_a_run_can_be_taken_back_and_the_run_goes_on(visit: Visit) -> None:
    visit.paste(DESIGN)
    with held(visit, "**/rank?*"):
        visit.page.click("#rank .primary")
    visit.page.click("#rank-clear")
    visit.page.click("#rank-undo >> text=Undo")
    visit.page.wait_for_selector(f"{TITLE} >> text=the gate")
    assert visit.page.input_value("#sequences") == DESIGN


def test_a_job_begun_again_does_not_take_the_place_of_what_was_done_meanwhile(visit: Visit) -> None:
    job = visit.service.drop("rank/again.csv", CSV)["job_id"]
    visit.go(f"/?job={job}")
    ended(visit)
    with held(visit, "**/rerun") as requests:
        visit.page.click(".again button")
    visit.paste(DESIGN)
    visit.page.fill("#threshold", "-9")
    visit.rank()
    requests[0].continue_()
    visit.page.locator("#runs a").nth(1).wait_for(state="attached")  # the new job is found there
    waited(visit)
    assert visit.text(TITLE) == ONE
    assert "job=" not in visit.address


def test_a_file_that_was_kept_does_not_take_the_place_of_what_was_pasted_meanwhile(visit: Visit) -> None:
    visit.drop("#rank-well", "older.csv", CSV)
    visit.rank()
    visit.page.wait_for_function(STORED)
    visit.page.add_init_script(f"({SLOW_STORE})()")
    visit.page.reload()
    visit.paste(DESIGN)
    visit.page.evaluate("release()")
    waited(visit)
    assert visit.page.is_visible("#sequences")
    assert visit.page.is_hidden("#rank-file")


def test_a_file_that_is_looked_at_still_is_classified(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.page.evaluate(SLOW_READING)
    visit.drop("#classify-well", "two.csv", f"abstract\n{ABSTRACT}\n{ABSTRACT}\n".encode())
    visit.classify()
    assert visit.text("#classify-result h2") == "2 abstracts"


def test_why_a_file_is_not_taken_is_said_though_classify_was_pressed(visit: Visit) -> None:
    visit.page.click("#tab-classify")
    visit.page.evaluate(SLOW_READING)
    visit.drop("#classify-well", "latin.txt", b"Schr\xf6dinger found " * 9, "text/plain")
    visit.classify()
    assert "not UTF-8" in visit.text("#classify-error")
    visit.paste(ABSTRACT, "#abstract")
    visit.classify()
    assert visit.page.locator("#classify-result .meter").count()


def test_plots_are_pointed_at_before_they_are_drawn(visit: Visit) -> None:
    visit.page.evaluate(EAGER)
    visit.paste(f">a\n{DESIGN}\n>b\n{OTHER}\n")
    visit.page.fill("#threshold", "-9")
    visit.rank()
    assert visit.page.evaluate("early") >= 3


def test_a_button_that_copied_twice_has_its_name_back(visit: Visit) -> None:
    visit.paste(DESIGN)
    visit.rank()
    visit.page.clock.install(time=0)
    visit.page.clock.pause_at(1000)
    button = visit.page.locator("#rank-result .tools button", has_text="Cop")
    for _ in range(2):
        visit.copied("#rank-result .tools button:has-text('Cop')")
        assert button.inner_text() == "Copied"
        visit.page.clock.run_for(1500)
    visit.page.clock.run_for(1500)
    assert button.inner_text() == "Copy"
