"""What tests do on the page, in words."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from tests.e2e.running import Service

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
_DROP = """([target, name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name, {type}));
  for (const event of ["dragenter", "dragover", "drop"])
    document.querySelector(target).dispatchEvent(
      new DragEvent(event, {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""


_PASTE = """(box, text) => {
  box.focus();
  box.setRangeText(text, 0, box.value.length, "end");
  box.dispatchEvent(new Event("input", {bubbles: true}));
}"""
_DRAWN = """() => [...document.querySelectorAll("svg.plot")].every(each =>
  !each.checkVisibility() || each.childElementCount)"""
_SETTLED = """() => document.getAnimations().every(each =>
  each.playState !== "running" || each.effect.getComputedTiming().endTime === Infinity)"""
_COPIED = """before => {
  const {textContent: now} = document.getElementById("status");
  return now !== before && now.trim() === "Copied";
}"""


@dataclass
class Visit:
    """A page, the service behind it, and what the browser complained of: `faults`, empty unless a test expects some.

    What a test expects has `forgiven` in it.
    """

    page: Any
    service: Service
    faults: list[str] = field(default_factory=list)
    forgiven: str | None = None
    hosts: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def to(cls, browser: Any, service: Service, path: str = "/", **options: Any) -> Iterator[Self]:
        """Open the page; at the end nothing may have failed unseen, and no foreign host have been asked."""
        context = browser.new_context(**{"viewport": DESK, "accept_downloads": True} | options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(20_000)
        opened = cls(context.new_page(), service)
        opened.listen()
        try:
            opened.go(path)
            yield opened
        finally:
            context.close()
        assert opened.faults == [], opened.faults
        assert opened.hosts <= {service.url, service.endpoint, "blob:", f"blob:{service.url}", "null"}

    def listen(self) -> None:
        """Note errors, refusals of the Content-Security-Policy among them, and every host that is asked."""
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self.hosts.add("/".join(request.url.split("/")[:3])))

    def _hear(self, message: Any) -> None:
        expected = "Failed to load resource" in message.text or (self.forgiven and self.forgiven in message.text)
        if message.type == "error" and not expected:
            self.faults.append(message.text)

    @property
    def address(self) -> str:
        """The page's address as the page knows it: what the driver knows of it comes later."""
        return str(self.page.evaluate("location.href"))

    def go(self, path: str) -> None:
        """Open a path of the service and wait for what it says of its models."""
        self.page.goto(self.service.url + path)
        self.page.wait_for_selector("#about-rank:not([hidden])", state="attached")

    def drop(self, target: str, name: str, body: bytes, kind: str = "") -> None:
        """Drop a file."""
        self.page.evaluate(_DROP, [target, name, kind, base64.b64encode(body).decode()])

    def choose(self, name: str, body: bytes, field: str = "#input_file") -> None:
        """Choose a file."""
        self.page.set_input_files(field, {"name": name, "mimeType": "", "buffer": body})

    def paste(self, text: str, field: str = "#sequences") -> None:
        """Put text into a box at once, as the page itself does: browsers take seconds for hundreds of lines."""
        box = self.page.locator(field)
        box.wait_for()
        box.evaluate(_PASTE, text)

    def rank(self) -> None:
        """Press Rank and wait for the answer and its plots."""
        self.page.click("#rank .primary")
        self.page.wait_for_selector("#rank-result[aria-busy=false]")
        self.drawn()

    def drawn(self) -> None:
        """Wait for the plots in sight: they are drawn as soon as the browser has given them a width."""
        self.page.wait_for_function(_DRAWN)

    def settled(self) -> None:
        """Wait for the end of all that moves or changes its colour for a while."""
        self.page.wait_for_function(_SETTLED)

    def classify(self) -> None:
        """Press Classify and wait for the answer."""
        self.page.click("#classify .primary")
        self.page.wait_for_selector("#classify-result[aria-busy=false]")

    def text(self, selector: str) -> str:
        """Return the text of an element as it is shown."""
        return str(self.page.inner_text(selector))

    def column(self, which: int | str, table: str = "#rank-result .table:not(.rejects .table)") -> list[str]:
        """Return the cells of a column, by its title or counted from 1, of the rows that are drawn."""
        number = which if isinstance(which, int) else self.place(which, table)
        cells = self.page.locator(f"{table} tbody tr:not(.gap) > td:nth-child({number})").all_inner_texts()
        return [str(cell).strip("\n") for cell in cells]

    def place(self, title: str, table: str) -> int:
        """Return where a column stands, counted from 1."""
        heads = self.page.locator(f"{table} thead tr:first-child > *").all_inner_texts()
        return [head.strip(" \n\u2191\u2193") for head in heads].index(title) + 1

    def notices(self, pane: str) -> list[str]:
        """Return the codes of the notices that are shown, all of them in sight."""
        shown = self.page.locator(f"{pane} .notices li")
        assert all(each.is_visible() for each in shown.all())
        return [str(each.get_attribute("data-code")) for each in shown.all()]

    def copied(self, button: str) -> str:
        """Press a button that copies a text, wait until the page says that it is done, and return the text."""
        before = self.page.text_content("#status")
        self.page.click(button)
        self.page.wait_for_function(_COPIED, arg=before)
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def saved(self, button: str) -> str:
        """Press a button that saves a file and return what it holds."""
        with self.page.expect_download() as download:
            self.page.click(button)
        with open(download.value.path(), encoding="utf-8", newline="") as stream:
            return stream.read()
